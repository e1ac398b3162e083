//! What others see or are to see.

use serde_json::{Value, json};

use super::Village;
use crate::{
    content::{own, verdict},
    open311::public_case,
    publications::{answered_matter, publish},
    support::Actor,
};

impl Village {
    /// Words of the villager that are held.
    pub(super) async fn content(&self, villager: &Actor) -> Value {
        verdict(&self.app, "赌博", "risky", 20006).await;
        public_case(&self.app, villager, json!({"text": "有人赌博"})).await;
        self.app.drain_jobs().await;
        own(villager).await[0]["id"].clone()
    }

    /// The villager's matter on the page of the village.
    pub(super) async fn publication(&self, villager: &Actor) -> Value {
        let case = answered_matter(&self.app, villager).await;
        let made = publish(&self.desk, &case, json!({})).await.expect(201);
        self.app.drain_jobs().await;
        made["id"].clone()
    }
}
