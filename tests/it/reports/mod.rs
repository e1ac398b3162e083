//! Periodic lists and reports: drawn from events, signed by another person, frozen, reckoned again, open to everybody.

mod export_cases;
mod export_report;
mod figures;
mod frozen;
mod open_data;
mod reach;
mod review;
mod size;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    cases::{actions, answer, answered, filed, in_progress, own},
    support::{Actor, Answer, TestApp},
};

/// A question in the demonstration village, on a topic.
async fn question(app: &TestApp, who: &str, topic: &str) -> Value {
    let body = json!({
        "kind": "voice", "concern": "question", "division": app.village().await, "topic": topic, "text": "什么时候修",
        "contact_phone": "13800001234",
    });
    app.villager(who).await.post("/cases", body).await.expect(201)
}

/// Goes on to the evening of 30 November, with everything that silence does until then, and into December.
async fn next_month(app: &TestApp) {
    app.advance(TimeDelta::days(7) + TimeDelta::hours(8));
    app.drain_jobs().await;
    app.advance(TimeDelta::days(2));
    app.drain_jobs().await;
}

async fn reports_of(app: &TestApp) -> String {
    format!("/staff/divisions/{}/reports", app.village().await)
}

async fn draw(app: &TestApp, actor: &Actor, kind: &str, period: &str) -> Answer {
    actor.post(&reports_of(app).await, json!({"kind": kind, "period": period})).await
}

async fn drawn(app: &TestApp, actor: &Actor, kind: &str, period: &str) -> Value {
    draw(app, actor, kind, period).await.expect(201)
}

fn at(report: &Value, rest: &str) -> String {
    format!("/staff/reports/{}{rest}", report["id"].as_str().unwrap())
}

async fn sign(actor: &Actor, report: &Value) -> Answer {
    actor.post(&at(report, "/sign"), json!({"version": 1})).await
}

async fn lines(actor: &Actor, report: &Value) -> Vec<Value> {
    let page = actor.get(&at(report, "/lines?limit=100")).await.expect(200);
    page["items"].as_array().unwrap().clone()
}

/// A month in which a bit of everything happened; the cases by what became of them.
async fn busy_month(app: &TestApp) -> Vec<Value> {
    let (desk, cadre, town) = (app.staff("desk").await, app.staff("cadre").await, app.staff("town").await);
    let mut all = Vec::new();
    // Spoken to, answered, confirmed, praised.
    let good = question(app, "甲", "roads").await;
    in_progress(app, &good).await;
    cadre.post(&actions(&good), json!({"action": "contact", "how": "phone", "text": "打过电话"})).await.expect(200);
    cadre.post(&actions(&good), answer()).await.expect(200);
    app.villager("甲").await.post(&format!("{}/actions", own(&good)), json!({"action": "confirm"})).await.expect(200);
    app.villager("甲").await.post(&format!("{}/reviews", own(&good)), json!({"stars": 5})).await.expect(201);
    // Answered, and nobody says anything.
    let silent = question(app, "乙", "roads").await;
    answered(app, &silent).await;
    // Objected to.
    let objected = question(app, "丙", "water").await;
    answered(app, &objected).await;
    let again = json!({"action": "reopen", "reason": "not_done"});
    app.villager("丙").await.post(&format!("{}/actions", own(&objected)), again).await.expect(200);
    // Sent back, then to the township, which supervises it.
    let returned = question(app, "丁", "water").await;
    desk.post(&actions(&returned), json!({"action": "accept"})).await.expect(200);
    desk.post(&actions(&returned), json!({"action": "assign", "assignee": cadre.id()})).await.expect(200);
    let back = json!({"action": "return", "reason": "not_our_duty", "text": "不归我管"});
    cadre.post(&actions(&returned), back).await.expect(200);
    let up = json!({"action": "escalate", "reason": "beyond_authority", "text": "村里办不了"});
    desk.post(&actions(&returned), up).await.expect(200);
    town.post(&actions(&returned), json!({"action": "supervise", "text": "请抓紧"})).await.expect(200);
    // Asked for papers, rejected, taken back.
    let papers = filed(app, &app.villager("戊").await).await;
    let ask = json!({"action": "request_supplement", "materials": ["户口簿"], "text": "请补"});
    desk.post(&actions(&papers), ask).await.expect(200);
    let rejected = filed(app, &app.villager("己").await).await;
    let reject = json!({"action": "reject", "reason": "legal_procedure", "channel": "court", "text": "请起诉"});
    desk.post(&actions(&rejected), reject).await.expect(200);
    let withdrawn = filed(app, &app.villager("庚").await).await;
    let gone = json!({"action": "withdraw"});
    app.villager("庚").await.post(&format!("{}/actions", own(&withdrawn)), gone).await.expect(200);
    all.extend([good, silent, objected, returned, papers, rejected, withdrawn]);
    all
}
