//! What one asks and another decides: pauses, extensions, a second list of papers, objections to a rejection.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{actions, answer, filed, in_progress, own};
use crate::support::TestApp;

fn pause(until: &str) -> Value {
    json!({"action": "pause", "reason": "site_check", "until": until, "text": "要等勘验"})
}

fn extend(days: i32) -> Value {
    json!({"action": "extend", "working_days": days, "reason": "complex", "text": "情况复杂"})
}

/// A question of three working days, with the cadre.
async fn question(app: &TestApp) -> Value {
    let body = json!({
        "kind": "voice", "concern": "question", "division": app.village().await, "text": "低保什么时候发",
        "contact_phone": "13800001234",
    });
    let case = app.villager("甲").await.post("/cases", body).await.expect(201);
    in_progress(app, &case).await;
    case
}

both_engines! {
    async fn the_clock_stops_when_another_person_agrees_and_not_before(app: TestApp) {
        let case = question(&app).await;
        let (cadre, desk) = (app.staff("cadre").await, app.staff("desk").await);
        let asked = cadre.post(&actions(&case), pause("2026-12-01")).await.expect(200);
        assert_eq!((&asked["state"], &asked["pending"]["request"]), (&json!("in_progress"), &json!("pause")));
        assert_eq!(asked["promised_due_on"], "2026-11-26");
        cadre.post(&actions(&case), json!({"action": "approve"})).await.problem("not_your_duty");
        cadre.post(&actions(&case), pause("2026-12-02")).await.problem("already_asked");
        let paused = desk.post(&actions(&case), json!({"action": "approve"})).await.expect(200);
        assert_eq!((&paused["state"], &paused["until_on"]), (&json!("paused"), &json!("2026-12-01")));
        app.advance(TimeDelta::days(2));
        app.drain_jobs().await;
        let cadre = app.staff("cadre").await;
        let resumed = cadre.post(&actions(&case), json!({"action": "resume"})).await.expect(200);
        // After Monday up to and including Wednesday: two working days.
        assert_eq!((&resumed["state"], &resumed["promised_due_on"]), (&json!("in_progress"), &json!("2026-11-30")));
        let why = cadre.get(&format!("/staff/cases/{}/due-date", case["id"].as_str().unwrap())).await.expect(200);
        let kinds: Vec<&str> = why["days"].as_array().unwrap().iter().map(|day| day["counted_as"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["start", "paused", "paused", "counted", "counted", "off", "off", "counted"]);
        assert_eq!(why["days"][1]["pause"], "site_check");
        assert!(why["sentence"].as_str().unwrap().contains("补回 2 个工作日"), "{why}");
        let told = app.villager("甲").await.get("/inbox").await.expect(200)["items"].to_string();
        assert!(told.contains("暂停计时到 2026-12-01") && told.contains("预计 2026-11-30"), "{told}");
        app.drain_jobs().await;
    }

    async fn time_resumes_a_pause_on_its_last_day_however_late_the_sweep_comes(app: TestApp) {
        let case = question(&app).await;
        app.staff("cadre").await.post(&actions(&case), pause("2026-11-25")).await.expect(200);
        app.staff("desk").await.post(&actions(&case), json!({"action": "approve"})).await.expect(200);
        app.advance(TimeDelta::days(9));
        app.drain_jobs().await;
        let seen = app.villager("甲").await.get(&own(&case)).await.expect(200);
        assert_eq!((&seen["state"], &seen["promised_due_on"]), (&json!("in_progress"), &json!("2026-11-30")));
        assert_eq!(seen["light"], "red", "the days in which nobody swept count");
    }

    async fn a_refused_request_changes_nothing_and_may_be_made_again(app: TestApp) {
        let case = question(&app).await;
        let (cadre, desk) = (app.staff("cadre").await, app.staff("desk").await);
        cadre.post(&actions(&case), pause("2026-12-01")).await.expect(200);
        let refused = desk.post(&actions(&case), json!({"action": "refuse", "text": "不必停"})).await.expect(200);
        assert_eq!((&refused["state"], &refused["pending"]), (&json!("in_progress"), &json!(null)));
        cadre.post(&actions(&case), pause("2026-12-01")).await.expect(200);
        cadre.post(&actions(&case), answer()).await.expect(200);
        desk.post(&actions(&case), json!({"action": "approve"})).await.problem("transition_not_allowed");
        let events = app.villager("甲").await.get(&format!("{}/events", own(&case))).await.expect(200);
        assert!(!events.to_string().contains("不必停"), "a refusal is the staff's own business");
        app.drain_jobs().await;
    }

    async fn an_extension_is_decided_one_level_up_once_and_within_what_the_law_leaves(app: TestApp) {
        let case = filed(&app, &app.villager("甲").await).await;
        in_progress(&app, &case).await;
        let (cadre, town) = (app.staff("cadre").await, app.staff("town").await);
        // 25 promised, 30 statutory working days.
        let told = cadre.post(&actions(&case), extend(6)).await.invalid("/working_days", "range");
        assert_eq!(told["most"], 5);
        cadre.post(&actions(&case), extend(5)).await.expect(200);
        app.staff("desk").await.post(&actions(&case), json!({"action": "approve"})).await.problem("not_your_duty");
        let extended = town.post(&actions(&case), json!({"action": "approve"})).await.expect(200);
        assert_eq!(extended["promised_due_on"], extended["statutory_due_on"]);
        cadre.post(&actions(&case), extend(1)).await.problem("extension_used_up");
        app.drain_jobs().await;
    }

    async fn an_extension_is_asked_for_a_working_day_before_it_is_due_and_never_more_than_the_limit(app: TestApp) {
        let case = question(&app).await;
        app.staff("cadre").await.post(&actions(&case), extend(4)).await.invalid("/working_days", "range");
        app.advance(TimeDelta::days(3));
        app.drain_jobs().await;
        app.staff("cadre").await.post(&actions(&case), extend(2)).await.problem("window_closed");
    }

    async fn papers_are_asked_for_once_and_again_only_with_the_townships_word(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        let (desk, town) = (app.staff("desk").await, app.staff("town").await);
        let ask = json!({"action": "request_supplement", "materials": ["户口簿", "收入证明"], "text": "请补两样"});
        let asked = desk.post(&actions(&case), ask.clone()).await.expect(200);
        assert_eq!((&asked["state"], &asked["until_on"]), (&json!("supplement"), &json!("2026-12-07")));
        let seen = villager.get(&format!("{}/events", own(&case))).await.expect(200);
        assert_eq!(seen["items"][1]["details"]["materials"], json!(["户口簿", "收入证明"]));
        let brought = json!({"action": "supplement", "text": "补了", "form": {"members": 3}});
        let back = villager.post(&format!("{}/actions", own(&case)), brought).await.expect(200);
        assert_eq!((&back["state"], &back["form"]), (&json!("submitted"), &json!({"members": 3})));
        let again = desk.post(&actions(&case), ask.clone()).await.expect(200);
        assert_eq!((&again["state"], &again["waiting_for"]), (&json!("submitted"), &json!("supplement")));
        desk.post(&actions(&case), json!({"action": "approve"})).await.problem("not_your_duty");
        let asked = town.post(&actions(&case), json!({"action": "approve"})).await.expect(200);
        assert_eq!(asked["state"], "supplement");
        villager.post(&format!("{}/actions", own(&case)), json!({"action": "supplement", "text": "又补了"})).await.expect(200);
        desk.post(&actions(&case), ask).await.problem("transition_not_allowed");
        app.drain_jobs().await;
    }

    async fn whoever_brings_no_papers_is_reminded_twice_then_it_lapses_and_can_be_revived_for_thirty_days(app: TestApp) {
        let case = filed(&app, &app.villager("甲").await).await;
        let ask = json!({"action": "request_supplement", "materials": ["户口簿"], "text": "请补"});
        app.staff("desk").await.post(&actions(&case), ask).await.expect(200);
        let mut states = Vec::new();
        for _ in 0..16 {
            app.advance(TimeDelta::days(1));
            app.drain_jobs().await;
            states.push(app.villager("甲").await.get(&own(&case)).await.expect(200)["state"].clone());
        }
        assert_eq!(states.iter().filter(|state| **state == "supplement").count(), 14, "until 2026-12-07 at 17:00");
        let told = app.villager("甲").await.get("/inbox").await.expect(200)["items"].to_string();
        assert_eq!(told.matches("case_supplement_reminder").count(), 2, "{told}");
        assert_eq!(told.matches("case_lapsed").count(), 1);
        let path = format!("{}/actions", own(&case));
        let revived = app.villager("甲").await.post(&path, json!({"action": "revive"})).await.expect(200);
        assert_eq!((&revived["state"], &revived["closed_at"]), (&json!("submitted"), &json!(null)));
        app.drain_jobs().await;
    }

    async fn after_thirty_days_nothing_is_revived(app: TestApp) {
        let case = filed(&app, &app.villager("甲").await).await;
        let ask = json!({"action": "request_supplement", "materials": ["户口簿"], "text": "请补"});
        app.staff("desk").await.post(&actions(&case), ask).await.expect(200);
        app.advance(TimeDelta::days(15));
        app.drain_jobs().await;
        app.advance(TimeDelta::days(31));
        app.drain_jobs().await;
        let path = format!("{}/actions", own(&case));
        app.villager("甲").await.post(&path, json!({"action": "revive"})).await.problem("window_closed");
    }

    async fn an_objection_is_the_townships_to_decide_once(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        let (desk, town) = (app.staff("desk").await, app.staff("town").await);
        let reject = json!({"action": "reject", "reason": "not_eligible", "channel": "township_centre", "text": "不符合"});
        desk.post(&actions(&case), reject.clone()).await.expect(200);
        let path = format!("{}/actions", own(&case));
        let object = json!({"action": "object", "text": "我符合"});
        let objected = villager.post(&path, object.clone()).await.expect(200);
        assert_eq!((&objected["state"], &objected["waiting_for"]), (&json!("rejected"), &json!("objection")));
        villager.post(&path, object.clone()).await.problem("transition_not_allowed");
        let settle = |upheld: bool| json!({"action": "settle_objection", "upheld": upheld, "text": "应当受理"});
        desk.post(&actions(&case), settle(true)).await.problem("not_your_duty");
        let settled = town.post(&actions(&case), settle(true)).await.expect(200);
        assert_eq!((&settled["state"], &settled["closed_at"]), (&json!("submitted"), &json!(null)));
        desk.post(&actions(&case), reject).await.problem("transition_not_allowed");
        desk.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        app.drain_jobs().await;
    }
}
