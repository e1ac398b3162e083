//! Whom of the staff each step of a case tells, and who hears of it where nobody works.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{complaint, fire, kinds, later, told};
use crate::{
    cases::{actions, answered, filed, in_progress, own},
    support::{Actor, TestApp},
    talks::{of_day, single_day},
};

/// What the newest notice of somebody says.
async fn newest(who: &Actor) -> Value {
    who.get("/staff/inbox").await.expect(200)["items"][0].clone()
}

/// Changes all postings of somebody.
async fn posted(app: &TestApp, who: &str, change: &str) {
    let of = format!("(SELECT id FROM staff WHERE username = '{who}')");
    app.execute(&format!("UPDATE posting SET {change} WHERE staff_id = {of}")).await;
}

async fn leaves(app: &TestApp, who: &str) {
    posted(app, who, "ends_on = '2026-11-01'").await;
}

/// A case that was answered and reviewed like this.
async fn reviewed(app: &TestApp, who: &str, review: Value) -> Value {
    let villager = app.villager(who).await;
    let case = filed(app, &villager).await;
    answered(app, &case).await;
    villager.post(&format!("{}/reviews", own(&case)), review).await.expect(201);
    case
}

both_engines! {
    async fn danger_and_urgency_in_a_draft_are_told_once_it_is_filed(app: TestApp) {
        let (me, desk) = (app.villager("甲").await, app.staff("desk").await);
        let mut urgent = fire(&app).await;
        (urgent["text"], urgent["urgency"]) = (json!("水管坏了，一村人没水"), json!("urgent"));
        for (count, mut body) in [(1, fire(&app).await), (2, urgent)] {
            body["draft"] = json!(true);
            let draft = me.post("/cases", body).await.expect(201);
            assert_eq!(kinds(&desk).await.len(), count - 1, "a draft is nobody's business");
            me.post(&format!("{}/actions", own(&draft)), json!({"action": "submit"})).await.expect(200);
            assert_eq!((newest(&desk).await["kind"].clone(), told(&desk, "case_urgent").await), (json!("case_urgent"), count));
        }
        let of = async |urgency: &str| {
            app.number(&format!("SELECT count(*) FROM staff_notice WHERE urgency = '{urgency}'")).await
        };
        assert_eq!((of("danger").await, of("urgent").await), (1, 1));
        app.drain_jobs().await;
    }

    async fn where_nobody_is_at_the_desk_the_township_hears_of_danger(app: TestApp) {
        leaves(&app, "desk").await;
        app.villager("甲").await.post("/cases", fire(&app).await).await.expect(201);
        assert_eq!(kinds(&app.staff("town").await).await, ["case_urgent"]);
        for name in ["cadre", "cadre2", "discipline", "county", "neighbour"] {
            assert!(kinds(&app.staff(name).await).await.is_empty(), "{name}");
        }
        leaves(&app, "town").await;
        app.villager("乙").await.post("/cases", fire(&app).await).await.expect(201);
        assert_eq!(app.number("SELECT count(*) FROM staff_notice").await, 1, "above the township nobody takes in cases");
        app.drain_jobs().await;
    }

    async fn a_complaint_climbs_from_discipline_desk_to_discipline_desk_and_nowhere_else(app: TestApp) {
        let cadre = app.staff("cadre").await;
        leaves(&app, "discipline").await;
        complaint(&app, "甲", &cadre).await;
        assert_eq!(app.number("SELECT count(*) FROM staff_notice").await, 0);
        let county = app.staff("county").await;
        posted(&app, "county", "duties = '[\"handle_discipline\"]'").await;
        complaint(&app, "乙", &cadre).await;
        assert_eq!(kinds(&county).await, ["case_urgent"]);
        // One about the officer of the county is for nobody.
        complaint(&app, "丙", &county).await;
        assert_eq!(app.number("SELECT count(*) FROM staff_notice").await, 1);
        app.drain_jobs().await;
    }

    async fn who_is_called_in_is_told_by_when_to_answer(app: TestApp) {
        let case = filed(&app, &app.villager("甲").await).await;
        in_progress(&app, &case).await;
        let (cadre, cadre2, town) = (app.staff("cadre").await, app.staff("cadre2").await, app.staff("town").await);
        let call = json!({"action": "call_in", "assignee": cadre2.id(), "answer_on": "2026-11-25", "text": "请一起看看"});
        cadre.post(&actions(&case), call).await.expect(200);
        let number = case["number"].as_str().unwrap();
        let said = newest(&cadre2).await;
        assert_eq!((&said["kind"], &said["case"]), (&json!("called_in"), &case["id"]));
        assert_eq!(said["text"], format!("办件 {number} 请您协办，请在 2026-11-25 前反馈"));
        let units = town.get("/staff/units?limit=100").await.expect(200);
        let centre = units["items"].as_array().unwrap().iter().find(|unit| unit["kind"] == "township_centre").unwrap();
        let call = json!({"action": "call_in", "unit": centre["id"], "answer_on": "2026-11-26", "text": "请来会商"});
        cadre.post(&actions(&case), call).await.expect(200);
        assert_eq!(newest(&town).await["text"], format!("办件 {number} 请您的单位协办，请在 2026-11-26 前反馈"));
        assert_eq!((told(&cadre, "called_in").await, told(&cadre, "unit_called_in").await), (0, 0));
        app.drain_jobs().await;
    }

    async fn a_request_is_told_who_decides_and_its_answer_who_asked(app: TestApp) {
        let (desk, cadre, town) = (app.staff("desk").await, app.staff("cadre").await, app.staff("town").await);
        let case = filed(&app, &app.villager("甲").await).await;
        in_progress(&app, &case).await;
        let pause = json!({"action": "pause", "reason": "site_check", "until": "2026-12-01", "text": "要等勘验"});
        cadre.post(&actions(&case), pause).await.expect(200);
        assert_eq!((told(&desk, "request_to_settle").await, told(&town, "request_to_settle").await), (1, 0));
        desk.post(&actions(&case), json!({"action": "refuse", "text": "不必停"})).await.expect(200);
        assert_eq!((told(&cadre, "request_refused").await, told(&desk, "request_refused").await), (1, 0));
        let extend = json!({"action": "extend", "working_days": 2, "reason": "complex", "text": "情况复杂"});
        cadre.post(&actions(&case), extend).await.expect(200);
        assert_eq!((told(&desk, "request_to_settle").await, told(&town, "request_to_settle").await), (1, 1));
        town.post(&actions(&case), json!({"action": "approve"})).await.expect(200);
        assert_eq!((told(&cadre, "request_approved").await, told(&town, "request_approved").await), (1, 0));
        app.drain_jobs().await;
    }

    async fn an_objection_to_a_rejection_waits_for_the_township(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let case = filed(&app, &villager).await;
        let reject = json!({"action": "reject", "reason": "not_eligible", "channel": "township_centre", "text": "不符合"});
        desk.post(&actions(&case), reject).await.expect(200);
        villager.post(&format!("{}/actions", own(&case)), json!({"action": "object", "text": "我不同意"})).await.expect(200);
        let town = app.staff("town").await;
        assert_eq!((told(&desk, "objection_to_settle").await, told(&town, "objection_to_settle").await), (0, 1));
        app.drain_jobs().await;
    }

    async fn an_appeal_waits_for_the_unit_above_and_names_no_case(app: TestApp) {
        for (at, who) in ["甲", "乙", "丙", "丁", "戊"].into_iter().enumerate() {
            reviewed(&app, who, json!({"stars": 5 - at, "tags": ["slow"]})).await;
        }
        let (desk, cadre, town) = (app.staff("desk").await, app.staff("cadre").await, app.staff("town").await);
        let bundles = cadre.get("/staff/me/reviews").await.expect(200);
        let handle = bundles["items"][0]["reviews"][0]["handle"].as_str().unwrap().to_owned();
        let why = json!({"text": "当天我不在村里"});
        cadre.post(&format!("/staff/me/reviews/{handle}/appeal"), why).await.expect(201);
        assert_eq!((told(&town, "appeal_to_decide").await, told(&desk, "appeal_to_decide").await), (1, 0));
        let said = newest(&town).await;
        assert_eq!((&said["kind"], &said["case"]), (&json!("appeal_to_decide"), &Value::Null));
        assert_eq!(told(&cadre, "appeal_to_decide").await, 0);
        app.drain_jobs().await;
    }

    async fn who_stands_in_for_a_host_hears_of_it(app: TestApp) {
        let (desk, cadre, cadre2) = (app.staff("desk").await, app.staff("cadre").await, app.staff("cadre2").await);
        let day = single_day(&app, json!({"hosts": [cadre.id(), desk.id()]})).await;
        let stand_in = json!({"host": cadre.id(), "stand_in": cadre2.id(), "reason": "生病"});
        desk.post(&of_day(&day, "withdraw-host"), stand_in).await.expect(200);
        assert_eq!((told(&cadre2, "hosts_changed").await, told(&cadre, "hosts_changed").await), (1, 0));
        app.drain_jobs().await;
    }

    async fn a_bad_review_is_told_who_follows_it_up_without_the_case(app: TestApp) {
        let case = reviewed(&app, "甲", json!({"stars": 2, "tags": ["slow"]})).await;
        let town = app.staff("town").await;
        assert_eq!(told(&town, "follow_up_opened").await, 1);
        let said = newest(&town).await;
        assert!(said["case"].is_null() && !said.to_string().contains(case["number"].as_str().unwrap()), "{said}");
        // Money that was asked for is for the discipline desk alone.
        reviewed(&app, "乙", json!({"stars": 1, "tags": ["money_asked"]})).await;
        assert_eq!(told(&app.staff("discipline").await, "follow_up_opened").await, 1);
        for (name, count) in [("town", 1), ("desk", 0), ("cadre", 0), ("county", 0)] {
            assert_eq!(told(&app.staff(name).await, "follow_up_opened").await, count, "{name}");
        }
        app.drain_jobs().await;
    }

    async fn papers_that_came_in_are_told_the_desk(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let case = filed(&app, &villager).await;
        let ask = json!({"action": "request_supplement", "materials": ["户口簿"], "text": "请补"});
        desk.post(&actions(&case), ask).await.expect(200);
        assert_eq!(told(&desk, "papers_came").await, 0);
        villager.post(&format!("{}/actions", own(&case)), json!({"action": "supplement", "text": "补了"})).await.expect(200);
        assert_eq!((told(&desk, "papers_came").await, told(&app.staff("cadre").await, "papers_came").await), (1, 0));
        app.drain_jobs().await;
    }

    async fn an_overdue_case_climbs_in_the_inboxes(app: TestApp) {
        let body = json!({
            "kind": "voice", "concern": "question", "division": app.village().await, "text": "低保什么时候发",
            "contact_phone": "13800001234",
        });
        let case = app.villager("甲").await.post("/cases", body).await.expect(201);
        in_progress(&app, &case).await;
        for _ in 0..14 {
            later(&app, TimeDelta::days(1)).await;
        }
        let has = async |name: &str, kind: &str| told(&app.staff(name).await, kind).await;
        assert_eq!(has("cadre", "case_due_soon").await, 1);
        assert_eq!(has("desk", "case_overdue").await, 1);
        assert_eq!(has("town", "case_to_township").await, 1);
        assert_eq!(has("county", "case_to_county").await, 1);
    }
}
