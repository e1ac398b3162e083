//! Webhooks: what receivers are told, when nobody listens, and what they never hear.

mod keeping;
mod nobody_listens;
mod receiver;
mod telling;
mod where_it_may_go;

use serde_json::{Value, json};
use shuoshi::jobs::sweeps::{self, Sweep};

use crate::support::{Actor, TestApp};
use receiver::Receiver;

/// Looks for what happened and tells it.
async fn told(app: &TestApp) {
    sweeps::run(app.app(), Sweep::TellReceivers).await.unwrap();
    app.drain_jobs().await;
}

/// Where receivers of the demonstration village are kept.
async fn of_the_village(app: &TestApp) -> String {
    format!("/staff/divisions/{}/webhooks", app.village().await)
}

/// A receiver of the demonstration village, as the administrator sees it, with its secret.
async fn received_by(app: &TestApp, receiver: &Receiver, more: Value) -> (Value, String) {
    let mut body = json!({"url": receiver.url});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = app.staff("admin").await.post(&of_the_village(app).await, body).await.expect(201);
    (made["webhook"].clone(), made["secret"].as_str().unwrap().to_owned())
}

/// The address of a receiver in the API.
fn own(webhook: &Value) -> String {
    format!("/staff/webhooks/{}", webhook["id"].as_str().unwrap())
}

async fn deliveries(admin: &Actor, webhook: &Value) -> Vec<Value> {
    let page = admin.get(&format!("{}/deliveries?limit=100", own(webhook))).await.expect(200);
    page["items"].as_array().unwrap().clone()
}
