//! What other systems have to do with the village: receivers, keys, matters that anybody may see.

use serde_json::{Value, json};

use super::Village;
use crate::{open311::public_case, support::Actor};

impl Village {
    /// A receiver that hears nothing and wants nothing, a test of one, a key.
    pub(super) async fn connection(&self, kind: &str) -> Value {
        let of_the_place = format!("/staff/divisions/{}/{kind}", self.id);
        if kind == "api-keys" {
            return self.admin.post(&of_the_place, json!({"name": "样例"})).await.expect(201)["api_key"]["id"].clone();
        }
        let webhooks = format!("/staff/divisions/{}/webhooks", self.id);
        let nothing = json!({"url": "http://127.0.0.1:9/hook", "kinds": ["archived"]});
        let receiver = self.admin.post(&webhooks, nothing).await.expect(201)["webhook"]["id"].clone();
        if kind == "webhooks" {
            return receiver;
        }
        let test = format!("/staff/webhooks/{}/test", receiver.as_str().unwrap());
        self.admin.post(&test, json!({})).await.expect(202)["id"].clone()
    }

    /// An address of Open311, about a matter that anybody may see where it names one.
    pub(super) async fn of_open311(&self, path: &str, villager: &Actor) -> String {
        let path = path.replace("{service_code}", "roads");
        let path = if path.contains("/{") {
            let id = public_case(&self.app, villager, json!({})).await.1;
            path.replace("{service_request_id}", &id).replace("{token}", &id)
        } else {
            path
        };
        path.replace("{format}", "json")
    }
}
