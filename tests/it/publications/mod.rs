//! The page of a village.

mod answers;
mod minutes;

use serde_json::{Value, json};

use crate::{
    cases::{answered, own},
    open311::public_case,
    support::{Actor, Answer, TestApp},
};

/// A public matter that was answered and looked at.
pub async fn answered_matter(app: &TestApp, villager: &Actor) -> Value {
    let (case, _) = public_case(app, villager, json!({"text": "村口的路灯不亮"})).await;
    answered(app, &case).await;
    app.drain_jobs().await;
    case
}

/// Puts it on the page.
pub async fn publish(who: &Actor, case: &Value, more: Value) -> Answer {
    let mut body = json!({"title": "村口路灯", "may_identify": false});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    who.post(&format!("/staff{}/publish", own(case)), body).await
}

/// The page of the village, as anybody reads it.
pub async fn page(app: &TestApp) -> Vec<Value> {
    let path = format!("/divisions/{}/publications", app.village().await);
    app.nobody().get(&path).await.expect(200)["items"].as_array().unwrap().clone()
}

/// The address of one.
pub fn at(publication: &Value) -> String {
    format!("/publications/{}", publication["id"].as_str().unwrap())
}
