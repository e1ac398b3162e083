//! Cases: from filing to review, who may know of what, and what silence does.

mod confidential;
mod dispatch;
mod every_step;
mod file_case;
mod lifecycle;
mod merging;
mod overview;
mod passing_on;
mod requests;
mod reviews;
mod search;
mod silence;
mod staff_lists;
pub(super) mod stage;
mod supervision;
mod track_case;
mod twelve_months;

use entity::{case, id::CaseId};
use sea_orm::{ActiveModelTrait, Set};
use serde_json::{Value, json};

use crate::support::{Actor, TestApp};

/// A proxy case in the demonstration village, as its villager sees it.
pub(super) async fn filed(app: &TestApp, villager: &Actor) -> Value {
    let body = json!({
        "kind": "proxy", "item": "DZ-MZ-01", "division": app.village().await, "text": "请帮我家申请",
        "contact_phone": "13800001234",
    });
    villager.post("/cases", body).await.expect(201)
}

/// The address of a case's actions on the staff side.
pub(super) fn actions(case: &Value) -> String {
    format!("/staff/cases/{}/actions", case["id"].as_str().unwrap())
}

/// The address of a case on the villager's side.
pub(super) fn own(case: &Value) -> String {
    format!("/cases/{}", case["id"].as_str().unwrap())
}

/// Takes a fresh case to the cadre, who signs it.
pub(super) async fn in_progress(app: &TestApp, case: &Value) {
    let (desk, cadre) = (app.staff("desk").await, app.staff("cadre").await);
    desk.post(&actions(case), json!({"action": "accept"})).await.expect(200);
    desk.post(&actions(case), json!({"action": "assign", "assignee": cadre.id()})).await.expect(200);
    cadre.post(&actions(case), json!({"action": "sign"})).await.expect(200);
}

/// And to the cadre's answer.
pub(super) async fn answered(app: &TestApp, case: &Value) {
    in_progress(app, case).await;
    app.staff("cadre").await.post(&actions(case), answer()).await.expect(200);
}

/// An answer that says it is done, with its evidence.
pub(super) fn answer() -> Value {
    json!({
        "action": "answer", "result": "done", "text": "已经办好",
        "evidence": [{"kind": "paper", "reference": "受理单 001"}],
    })
}

/// As if it had taken up a private matter of a talk day.
pub(super) async fn becomes_private(app: &TestApp, case: &Value) {
    let id = case["id"].as_str().unwrap().parse().unwrap();
    let row = case::ActiveModel { id: Set(CaseId(id)), private: Set(true), ..Default::default() };
    app.db().transact(async move |tx| Ok(row.clone().update(tx).await.map(drop)?)).await.unwrap();
}
