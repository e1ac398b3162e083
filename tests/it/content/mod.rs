//! What others will see is looked at first.

mod agenda;
mod photos;
mod words;

use serde_json::{Value, json};

use crate::support::{Actor, TestApp};

/// What the simulator says of texts and addresses that hold this.
pub async fn verdict(app: &TestApp, holds: &str, suggest: &str, label: u32) {
    app.simulator("verdicts", json!({"text_contains": holds, "suggest": suggest, "label": label})).await;
}

/// What waits for the desk in a state.
pub async fn queue(app: &TestApp, who: &Actor, state: &str) -> Vec<Value> {
    let path = format!("/staff/divisions/{}/content?state={state}", app.village().await);
    who.get(&path).await.expect(200)["items"].as_array().unwrap().clone()
}

/// What somebody of the desk decides.
pub async fn decide(who: &Actor, item: &Value, body: Value) -> crate::support::Answer {
    who.post(&format!("/staff/content/{}/decide", item["id"].as_str().unwrap()), body).await
}

/// Somebody of the desk looks at all that waits, and shows it.
pub async fn show_all(app: &TestApp, who: &Actor) {
    loop {
        let waiting = queue(app, who, "to_review").await;
        if waiting.is_empty() {
            return;
        }
        for item in &waiting {
            decide(who, item, json!({"decision": "show"})).await.expect(200);
        }
    }
}

/// The villager's own words, newest first.
pub async fn own(who: &Actor) -> Vec<Value> {
    who.get("/me/content").await.expect(200)["items"].as_array().unwrap().clone()
}

/// What Open311 shows of a case that the desk accepted.
pub async fn described(app: &TestApp, public_id: &str) -> Value {
    let path = format!("/open311/v2/requests/{public_id}.json");
    let answer = app.nobody().call(reqwest::Method::GET, &path).send().await;
    answer.expect(200)[0]["description"].clone()
}
