//! Reviews: when, how often, by whom; what follows a bad one; what a handler is shown; appeals and call-backs.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{actions, answer, answered, filed, own};
use crate::support::{Actor, TestApp};

/// A case that was answered and reviewed.
async fn reviewed(app: &TestApp, who: &str, body: Value) -> (Value, Value) {
    let villager = app.villager(who).await;
    let case = filed(app, &villager).await;
    answered(app, &case).await;
    let review = villager.post(&format!("{}/reviews", own(&case)), body).await.expect(201);
    (case, review)
}

async fn list(actor: &Actor, path: &str) -> Vec<Value> {
    actor.get(path).await.expect(200)["items"].as_array().unwrap().clone()
}

fn id(thing: &Value) -> &str {
    thing["id"].as_str().unwrap()
}

both_engines! {
    async fn one_review_a_round_after_the_answer(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        let path = format!("{}/reviews", own(&case));
        villager.post(&path, json!({"stars": 5})).await.problem("review_not_open");
        answered(&app, &case).await;
        villager.post(&path, json!({"stars": 0})).await.invalid("/stars", "range");
        villager.post(&path, json!({"stars": 6})).await.invalid("/stars", "range");
        villager.post(&path, json!({"stars": 1})).await.invalid("/tags", "required");
        villager.post(&path, json!({"stars": 1, "tags": ["rude"]})).await.invalid("/tags/0", "unknown");
        let review = villager.post(&path, json!({"stars": 1, "tags": ["slow"]})).await.expect(201);
        assert_eq!((&review["stars"], &review["round"]), (&json!(1), &json!(1)));
        villager.post(&path, json!({"stars": 5})).await.problem("already_reviewed");
        app.villager("乙").await.post(&path, json!({"stars": 5})).await.problem("not_found");

        let reason = app.nobody().get("/lists/reopen_reasons").await.expect(200)["items"][0]["code"].clone();
        villager.post(&format!("{}/actions", own(&case)), json!({"action": "reopen", "reason": reason})).await.expect(200);
        villager.post(&path, json!({"stars": 5})).await.problem("review_not_open");
        app.staff("cadre").await.post(&actions(&case), answer()).await.expect(200);
        assert_eq!(villager.post(&path, json!({"stars": 4})).await.expect(201)["round"], 2);
        app.drain_jobs().await;
    }

    async fn the_window_closes_after_thirty_days(app: TestApp) {
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        answered(&app, &case).await;
        app.advance(TimeDelta::days(31));
        // The session's access token is old by now; the villager signs in again.
        let villager = app.villager("甲").await;
        villager.post(&format!("{}/reviews", own(&case)), json!({"stars": 5})).await.problem("review_window_closed");
        app.drain_jobs().await;
        assert_eq!(app.number("SELECT count(*) FROM review").await, 0, "silence creates no review");
    }

    async fn a_bad_review_is_followed_up_by_a_second_person_and_rated_once_more(app: TestApp) {
        let (case, review) = reviewed(&app, "甲", json!({"stars": 2, "tags": ["slow"], "text": "等了很久"})).await;
        assert_eq!(review["follow_up"]["contact_due_at"], "2026-11-24T09:00:00Z", "one working day, at close of business");
        let (town, desk) = (app.staff("town").await, app.staff("desk").await);
        assert!(list(&desk, "/staff/follow-ups").await.is_empty(), "not the handler's own unit");
        let open = list(&town, "/staff/follow-ups").await;
        assert_eq!((&open[0]["stars"], &open[0]["text"]), (&json!(2), &json!("等了很久")));
        assert!(open[0]["contact_phone"].as_str().unwrap().contains('*'));
        let path = format!("/staff/follow-ups/{}", id(&open[0]));
        let rerate = format!("{}/reviews/{}/rerate", own(&case), id(&review));
        let villager = app.villager("甲").await;
        villager.post(&rerate, json!({"stars": 4})).await.problem("review_not_open");
        let spoken = json!({"how": "phone", "text": "已道歉", "complex": false});
        desk.post(&format!("{path}/contact"), spoken.clone()).await.problem("not_found");
        let contacted = town.post(&format!("{path}/contact"), spoken.clone()).await.expect(200);
        assert_eq!(contacted["fix_due_on"], "2026-11-30", "five working days");
        town.post(&format!("{path}/contact"), spoken).await.problem("already_decided");
        let settled = json!({"outcome": "put_right", "text": "已当面说明"});
        town.post(&format!("{path}/settle"), settled.clone()).await.expect(200);
        town.post(&format!("{path}/settle"), settled).await.problem("already_decided");
        let again = villager.post(&rerate, json!({"stars": 4})).await.expect(200);
        assert_eq!((&again["stars"], &again["second_stars"]), (&json!(2), &json!(4)), "both stay");
        villager.post(&rerate, json!({"stars": 5})).await.problem("already_reviewed");
        assert_eq!(again["follow_up"]["text"], "已当面说明");
        app.drain_jobs().await;
        assert!(villager.get("/inbox").await.expect(200).to_string().contains("review_followed_up"));
    }

    async fn money_that_was_asked_for_is_known_to_the_discipline_desk_and_nowhere_else(app: TestApp) {
        let said = json!({"stars": 1, "tags": ["money_asked"], "text": "要我给两百块"});
        let (case, _) = reviewed(&app, "甲", said).await;
        let discipline = app.staff("discipline").await;
        let open = list(&discipline, "/staff/follow-ups").await;
        assert_eq!(open[0]["text"], "要我给两百块");
        discipline.get(&format!("/staff/cases/{}", id(&case))).await.expect(200);
        discipline.post(&actions(&case), json!({"action": "note", "text": "在查"})).await.problem("not_your_duty");
        app.advance(TimeDelta::days(40));
        for name in ["desk", "cadre", "cadre2", "town", "county", "neighbour"] {
            let staff = app.staff(name).await;
            assert!(list(&staff, "/staff/follow-ups").await.is_empty(), "{name}");
            assert!(list(&staff, "/staff/me/reviews").await.is_empty(), "{name}");
        }
        app.drain_jobs().await;
    }

    async fn what_is_not_followed_up_is_not_put_away(app: TestApp) {
        let (case, _) = reviewed(&app, "甲", json!({"stars": 1, "tags": ["slow"]})).await;
        let path = format!("{}/actions", own(&case));
        app.villager("甲").await.post(&path, json!({"action": "confirm"})).await.expect(200);
        app.advance(TimeDelta::days(35));
        app.drain_jobs().await;
        assert_eq!(app.villager("甲").await.get(&own(&case)).await.expect(200)["state"], "completed");
        let town = app.staff("town").await;
        let follow_up = list(&town, "/staff/follow-ups").await;
        let settled = json!({"outcome": "explained", "text": "已说明"});
        town.post(&format!("/staff/follow-ups/{}/settle", id(&follow_up[0])), settled).await.expect(200);
        app.advance(TimeDelta::days(2));
        app.drain_jobs().await;
        assert_eq!(app.villager("甲").await.get(&own(&case)).await.expect(200)["state"], "archived");
    }

    async fn a_handler_is_shown_reviews_in_bundles_without_case_or_name_and_may_appeal(app: TestApp) {
        for (at, who) in ["甲", "乙", "丙", "丁"].into_iter().enumerate() {
            reviewed(&app, who, json!({"stars": 5 - at, "tags": ["slow"], "text": format!("样例 {at}")})).await;
        }
        let cadre = app.staff("cadre").await;
        assert!(list(&cadre, "/staff/me/reviews").await.is_empty(), "four are too few");
        reviewed(&app, "戊", json!({"stars": 1, "tags": ["attitude"], "text": "他骂人"})).await;
        let bundles = list(&cadre, "/staff/me/reviews").await;
        let shown = bundles[0]["reviews"].as_array().unwrap();
        assert_eq!((bundles.len(), shown.len()), (1, 5));
        let members: Vec<&String> = shown[0].as_object().unwrap().keys().collect();
        assert_eq!(members, ["addition", "handle", "second_stars", "stars", "tags", "text"]);
        assert!(list(&app.staff("cadre2").await, "/staff/me/reviews").await.is_empty());

        let worst = shown.iter().find(|review| review["text"] == "他骂人").unwrap()["handle"].as_str().unwrap().to_owned();
        let appeal = format!("/staff/me/reviews/{worst}/appeal");
        let why = json!({"text": "当天我不在村里"});
        app.staff("cadre2").await.post(&appeal, why.clone()).await.problem("not_found");
        let made = cadre.post(&appeal, why.clone()).await.expect(201);
        assert_eq!(made["due_on"], "2026-11-30");
        cadre.post(&appeal, why).await.problem("already_exists");
        let decide = format!("/staff/review-appeals/{}/decide", id(&made));
        let upheld = json!({"upheld": true, "text": "经查属恶意"});
        cadre.post(&decide, upheld.clone()).await.problem("not_found");
        let town = app.staff("town").await;
        assert_eq!(list(&town, "/staff/review-appeals").await.len(), 1);
        assert_eq!(town.post(&decide, upheld.clone()).await.expect(200)["upheld"], true);
        town.post(&decide, upheld).await.problem("already_decided");
        assert!(list(&cadre, "/staff/me/reviews").await.is_empty(), "four are left");
        app.drain_jobs().await;
    }

    async fn one_addition_is_added_while_reviews_are_open(app: TestApp) {
        let (case, review) = reviewed(&app, "甲", json!({"stars": 5})).await;
        let path = format!("{}/reviews/{}/addition", own(&case), id(&review));
        let added = app.villager("甲").await.post(&path, json!({"text": "后来也没再坏"})).await.expect(200);
        assert_eq!(added["addition"], "后来也没再坏");
        let villager = app.villager("甲").await;
        villager.post(&path, json!({"text": "再加"})).await.problem("already_reviewed");
        app.villager("乙").await.post(&path, json!({"text": "再加"})).await.problem("not_found");
        assert_eq!(list(&villager, &format!("{}/reviews", own(&case))).await.len(), 1);
        app.drain_jobs().await;
    }

    async fn a_share_of_what_is_closed_is_called_back_by_somebody_else(app: TestApp) {
        let (admin, village) = (app.staff("admin").await, app.village().await.to_string());
        let all = json!({"numbers": {"call_back_percent": 100}});
        admin.put(&format!("/staff/divisions/{village}/settings"), all).await.expect(200);
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        answered(&app, &case).await;
        villager.post(&format!("{}/actions", own(&case)), json!({"action": "confirm"})).await.expect(200);
        let (town, cadre) = (app.staff("town").await, app.staff("cadre").await);
        assert!(list(&cadre, "/staff/call-backs").await.is_empty());
        let drawn = list(&town, "/staff/call-backs").await;
        assert_eq!((&drawn[0]["case"], &drawn[0]["due_on"]), (&case["id"], &json!("2026-11-30")));
        let path = format!("/staff/call-backs/{}/record", id(&drawn[0]));
        let said = json!({"result": "not_solved", "text": "说灯还是不亮"});
        cadre.post(&path, said.clone()).await.problem("not_found");
        town.post(&path, said.clone()).await.expect(200);
        town.post(&path, said).await.problem("already_decided");
        assert!(list(&town, "/staff/call-backs").await.is_empty());
        assert_eq!(list(&town, "/staff/call-backs?done=true").await.len(), 1);
        app.drain_jobs().await;
    }

    async fn nobody_follows_up_or_calls_back_their_own_work_nor_learns_of_it(app: TestApp) {
        let (admin, village) = (app.staff("admin").await, app.village().await.to_string());
        let all = json!({"numbers": {"call_back_percent": 100}});
        admin.put(&format!("/staff/divisions/{village}/settings"), all).await.expect(200);
        let body = json!({"kind": "voice", "concern": "report", "division": village, "text": "有事反映"});
        let villager = app.villager("甲").await;
        let case = villager.post("/cases", body).await.expect(201);
        let discipline = app.staff("discipline").await;
        let unit = discipline.get("/staff/cases").await.expect(200)["items"][0]["unit"].clone();
        discipline.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        discipline.post(&actions(&case), json!({"action": "assign", "unit": unit})).await.expect(200);
        let signed = discipline.post(&actions(&case), json!({"action": "sign"})).await.expect(200);
        assert_eq!(signed["assignee"], discipline.id(), "whoever signs for a unit has it");
        discipline.post(&actions(&case), answer()).await.expect(200);
        let bad = json!({"stars": 1, "tags": ["money_asked"], "text": "他要钱"});
        villager.post(&format!("{}/reviews", own(&case)), bad).await.expect(201);
        villager.post(&format!("{}/actions", own(&case)), json!({"action": "confirm"})).await.expect(200);
        for path in ["/staff/follow-ups", "/staff/call-backs"] {
            assert!(list(&discipline, path).await.is_empty(), "{path}: there is one officer, and it was their work");
        }
        assert_eq!(app.number("SELECT count(*) FROM follow_up").await, 1);
        assert_eq!(app.number("SELECT count(*) FROM call_back").await, 1);
        app.drain_jobs().await;
    }
}
