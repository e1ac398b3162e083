//! The catalogue: forms, versions, files of it, questions before one comes, papers that serve again.

mod exchange;
mod forms;
mod papers;
mod pre_check;
mod versions;

use serde_json::{Value, json};

use crate::support::{Actor, Answer, TestApp};

/// An item whose form has fields that must be filled in: 异地长期居住人员备案.
const WITH_FORM: &str = "DZ-YB-06";
/// An item without a form: 特困人员救助供养.
const WITHOUT_FORM: &str = "DZ-MZ-02";

/// An errand in the demonstration village.
async fn errand(app: &TestApp, item: &str) -> Value {
    json!({"kind": "proxy", "item": item, "division": app.village().await, "contact_phone": "13800001234"})
}

/// The same with more in it.
fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

/// An item as the export has it.
async fn exported(admin: &Actor, code: &str) -> Value {
    let file = admin.get("/staff/catalogue/export").await.expect(200);
    let found = file["items"].as_array().unwrap().iter().find(|item| item["item_code"] == code);
    found.unwrap_or_else(|| panic!("{code} is not offered")).clone()
}

async fn publish(admin: &Actor, seen: i32, item: &Value) -> Answer {
    let path = format!("/staff/catalogue/{}/versions", item["item_code"].as_str().unwrap());
    admin.post(&path, json!({"version": seen, "note": "按新规定调整", "item": item})).await
}

/// Publishes the item, changed.
async fn change(admin: &Actor, code: &str, seen: i32, change: impl FnOnce(&mut Value)) -> Value {
    let mut item = exported(admin, code).await;
    change(&mut item);
    publish(admin, seen, &item).await.expect(201)
}
