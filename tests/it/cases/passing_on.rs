//! Work that is passed on: returned, named, transferred, escalated; others called in; what keeps it from going in circles.

use serde_json::{Value, json};

use super::{actions, answer, answered, filed, in_progress, own};
use crate::support::{Actor, TestApp};

async fn units(app: &TestApp) -> Vec<Value> {
    let page = app.staff("town").await.get("/staff/units?limit=100").await.expect(200);
    page["items"].as_array().unwrap().clone()
}

async fn unit(app: &TestApp, kind: &str) -> Value {
    let units = units(app).await;
    let village = app.village().await.to_string();
    let here = |unit: &&Value| unit["kind"] == kind && (kind != "village_desk" || unit["division"] == village.as_str());
    units.iter().find(here).unwrap()["id"].clone()
}

fn return_it() -> Value {
    json!({"action": "return", "reason": "not_our_duty", "text": "不归我管"})
}

async fn assign(actor: &Actor, case: &Value, to: Value) -> crate::support::Answer {
    let mut body = json!({"action": "assign"});
    body.as_object_mut().unwrap().extend(to.as_object().unwrap().clone());
    actor.post(&actions(case), body).await
}

both_engines! {
    async fn after_two_returns_the_township_names_the_unit_and_nobody_else_gets_it(app: TestApp) {
        let case = filed(&app, &app.villager("甲").await).await;
        let (desk, cadre, town) = (app.staff("desk").await, app.staff("cadre").await, app.staff("town").await);
        let centre = unit(&app, "township_centre").await;
        desk.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        assign(&desk, &case, json!({"assignee": cadre.id()})).await.expect(200);
        cadre.post(&actions(&case), return_it()).await.expect(200);
        assign(&desk, &case, json!({"unit": centre})).await.expect(200);
        town.post(&actions(&case), return_it()).await.expect(200);
        // Twice: the village may not say any more whose it is.
        assign(&desk, &case, json!({"assignee": cadre.id()})).await.problem("not_your_duty");
        let named = assign(&town, &case, json!({"assignee": cadre.id()})).await.expect(200);
        assert_eq!(named["locked_unit"], unit(&app, "village_desk").await);
        cadre.post(&actions(&case), return_it()).await.problem("return_used_up");
        cadre.post(&actions(&case), json!({"action": "sign"})).await.expect(200);
        let away = json!({"action": "transfer", "unit": centre, "reason": "better_placed", "text": "请镇里办"});
        cadre.post(&actions(&case), away).await.problem("unit_locked");
        app.drain_jobs().await;
    }

    async fn the_unit_that_took_it_in_stays_the_first_through_any_number_of_hands(app: TestApp) {
        let case = filed(&app, &app.villager("甲").await).await;
        in_progress(&app, &case).await;
        let (cadre, town) = (app.staff("cadre").await, app.staff("town").await);
        let due = cadre.get(&format!("/staff/cases/{}", case["id"].as_str().unwrap())).await.expect(200)["promised_due_on"].clone();
        let up = json!({"action": "escalate", "reason": "beyond_authority", "text": "村里办不了"});
        cadre.post(&actions(&case), up.clone()).await.expect(200);
        let signed = town.post(&actions(&case), json!({"action": "sign"})).await.expect(200);
        assert_eq!((&signed["first_unit"], &signed["unit"]), (&unit(&app, "village_desk").await, &unit(&app, "township_centre").await));
        assert_eq!(signed["promised_due_on"], due, "the due date does not begin anew");
        town.post(&actions(&case), up.clone()).await.expect(200);
        let county = app.staff("county").await.get(&format!("/staff/cases/{}", case["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(county["first_unit"], unit(&app, "village_desk").await);
        app.drain_jobs().await;
    }

    async fn nothing_goes_above_the_county(app: TestApp) {
        let case = filed(&app, &app.villager("甲").await).await;
        in_progress(&app, &case).await;
        let up = json!({"action": "escalate", "reason": "serious", "text": "请上级办"});
        app.staff("cadre").await.post(&actions(&case), up.clone()).await.expect(200);
        app.staff("town").await.post(&actions(&case), up.clone()).await.expect(200);
        app.staff("town").await.post(&actions(&case), up).await.problem("no_level_above");
        app.drain_jobs().await;
    }

    async fn a_second_objection_goes_to_the_township_and_to_somebody_else(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        answered(&app, &case).await;
        let (cadre, cadre2, town) = (app.staff("cadre").await, app.staff("cadre2").await, app.staff("town").await);
        let path = format!("{}/actions", own(&case));
        let again = || json!({"action": "reopen", "reason": "not_done", "text": "没办好"});
        let first = villager.post(&path, again()).await.expect(200);
        assert_eq!((&first["state"], &first["round"]), (&json!("in_progress"), &json!(2)));
        cadre.post(&actions(&case), answer()).await.expect(200);
        assert_eq!(villager.post(&path, again()).await.expect(200)["state"], "accepted");
        assign(&town, &case, json!({"assignee": cadre.id()})).await.problem("another_handler_needed");
        assign(&town, &case, json!({"assignee": cadre2.id()})).await.expect(200);
        cadre2.post(&actions(&case), json!({"action": "sign"})).await.expect(200);
        cadre2.post(&actions(&case), answer()).await.expect(200);
        villager.post(&path, again()).await.problem("transition_not_allowed");
        app.drain_jobs().await;
    }

    async fn whoever_is_called_in_sees_the_case_and_answers_by_a_day(app: TestApp) {
        let case = filed(&app, &app.villager("甲").await).await;
        in_progress(&app, &case).await;
        let (cadre, cadre2) = (app.staff("cadre").await, app.staff("cadre2").await);
        let seen = format!("/staff/cases/{}", case["id"].as_str().unwrap());
        cadre2.get(&seen).await.problem("not_found");
        let call = |day: &str| json!({"action": "call_in", "assignee": cadre2.id(), "answer_on": day, "text": "请一起看看"});
        cadre.post(&actions(&case), call("2026-11-20")).await.invalid("/answer_on", "range");
        cadre.post(&actions(&case), call("2026-11-25")).await.expect(200);
        cadre.post(&actions(&case), call("2026-11-26")).await.problem("already_exists");
        assert_eq!(cadre2.get(&seen).await.expect(200)["actions"], json!(["report", "milestone", "note"]));
        cadre2.post(&actions(&case), answer()).await.problem("not_your_duty");
        cadre2.post(&actions(&case), json!({"action": "report", "text": "看过了，管子要换"})).await.expect(200);
        let called = cadre.get(&format!("{seen}/co-handlers")).await.expect(200)["items"][0].clone();
        assert_eq!((&called["answer_on"], called["reported_at"].is_null()), (&json!("2026-11-25"), false));
        let events = app.villager("甲").await.get(&format!("{}/events", own(&case))).await.expect(200).to_string();
        assert!(!events.contains("管子"), "what staff say to each other is theirs");
        app.drain_jobs().await;
    }

    async fn a_villager_asks_after_it_once_a_day_and_it_is_counted(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        let path = format!("{}/actions", own(&case));
        let nudged = villager.post(&path, json!({"action": "nudge"})).await.expect(200);
        assert_eq!((&nudged["nudges"], &nudged["state"]), (&json!(1), &json!("submitted")));
        assert!(!nudged["actions"].as_array().unwrap().contains(&json!("nudge")));
        villager.post(&path, json!({"action": "nudge"})).await.problem("already_nudged");
        app.advance(chrono::TimeDelta::days(1));
        let again = app.villager("甲").await.post(&path, json!({"action": "nudge"})).await.expect(200);
        assert_eq!(again["nudges"], 2);
        app.drain_jobs().await;
    }

    async fn milestones_of_an_errand_stand_on_the_timeline_and_delivery_needs_a_proof(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        in_progress(&app, &case).await;
        let cadre = app.staff("cadre").await;
        for milestone in ["received_papers", "handed_up", "papers_back"] {
            cadre.post(&actions(&case), json!({"action": "milestone", "milestone": milestone})).await.expect(200);
        }
        let delivered = json!({"action": "milestone", "milestone": "delivered"});
        cadre.post(&actions(&case), delivered).await.invalid("/evidence", "evidence");
        let signed = json!([{"kind": "paper", "reference": "签收单 01"}]);
        let delivered = json!({"action": "milestone", "milestone": "delivered", "evidence": signed});
        cadre.post(&actions(&case), delivered).await.expect(200);
        let events = villager.get(&format!("{}/events", own(&case))).await.expect(200);
        let shown: Vec<&Value> = events["items"].as_array().unwrap().iter().filter(|e| e["action"] == "milestone").collect();
        let names: Vec<&Value> = shown.iter().map(|event| &event["details"]["milestone"]).collect();
        assert_eq!(names, ["received_papers", "handed_up", "papers_back", "delivered"]);
        app.drain_jobs().await;
    }
}
