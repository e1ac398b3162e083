//! A matter that was heard: its record, what becomes of it, and who may read it.

use serde_json::{Value, json};

use super::{
    hearing::{answered, called, conclude, concluded, hosted, id, matter},
    near,
};
use crate::{cases, support::TestApp};

async fn told(villager: &crate::support::Actor) -> Vec<Value> {
    let inbox = villager.get("/inbox").await.expect(200);
    inbox["items"].as_array().unwrap().iter().map(|notice| notice["kind"].clone()).collect()
}

/// A private matter on a day that the cadre hosts, called.
async fn private(app: &TestApp) -> (crate::support::Actor, Value) {
    let villager = app.villager("甲").await;
    let day = hosted(app, &[&app.staff("cadre").await], 3).await;
    let booking = matter(&villager, &day, "private", "和邻居的事").await;
    called(app, &booking).await;
    (villager, booking)
}

both_engines! {
    async fn an_answer_on_the_spot_is_recorded_told_and_read_by_its_person(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let day = hosted(&app, &[], 3).await;
        let booking = matter(&villager, &day, "public", "村口的路灯不亮").await;
        let own = format!("/bookings/{}/record", id(&booking));
        desk.post(&conclude(&booking), answered()).await.problem("transition_not_allowed");
        villager.get(&own).await.problem("not_found");
        called(&app, &booking).await;
        let mut stale = answered();
        stale["version"] = json!(1);
        desk.post(&conclude(&booking), stale).await.problem("stale");
        let done = desk.post(&conclude(&booking), answered()).await.expect(200);
        assert_eq!((&done["state"], &done["outcome"], &done["revision"]), (&json!("concluded"), &json!("answered"), &json!(1)));
        assert_eq!(done["case"], Value::Null);
        desk.post(&conclude(&booking), answered()).await.problem("transition_not_allowed");
        let record = villager.get(&own).await.expect(200);
        assert_eq!(record["record"]["text"], "当面说清了，月底前修好");
        assert_eq!(villager.get(&format!("/bookings/{}", id(&booking))).await.expect(200)["outcome"], "answered");
        app.villager("乙").await.get(&own).await.problem("not_found");
        let plain = app.number("SELECT count(*) FROM talk_record WHERE text LIKE '%说清%' OR public_text LIKE '%路灯%'").await;
        assert_eq!(plain, 0, "records are sealed");
        app.drain_jobs().await;
        assert_eq!(told(&villager).await, ["talk_answered", "booked"]);
    }

    async fn what_becomes_a_case_is_answered_by_the_next_talk_day(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        // The usual days of the village are the 5th, 15th and 25th; this one is held on a day of its own.
        let day = hosted(&app, &[], 3).await;
        let booking = matter(&villager, &day, "public", "修路").await;
        let done = concluded(&app, &desk, &booking, json!({"record": "转办", "outcome": "case"})).await;
        let path = format!("/staff/cases/{}", done["case"].as_str().unwrap());
        let accepted = desk.post(&format!("{path}/actions"), json!({"action": "accept"})).await.expect(200);
        let days = app.nobody().get(&format!("/divisions/{}/talk-days", app.village().await)).await.expect(200);
        let dates: Vec<&str> = days["items"].as_array().unwrap().iter().map(|day| day["date"].as_str().unwrap()).collect();
        let held = day["date"].as_str().unwrap();
        let next = dates.into_iter().find(|date| *date > held).unwrap();
        assert_eq!((held, next), ("2026-11-24", "2026-11-25"));
        assert_eq!((&accepted["accepted_on"], &accepted["promised_due_on"]), (&json!("2026-11-23"), &json!(next)));
        let why = desk.get(&format!("{path}/due-date")).await.expect(200);
        assert_eq!((&why["limit"], &why["next_talk_on"]), (&json!(2), &json!(next)));
        assert!(why["sentence"].as_str().unwrap().contains("下一个说事日 2026-11-25"), "{why}");
        app.drain_jobs().await;
    }

    async fn a_retry_concludes_once(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let booking = matter(&villager, &hosted(&app, &[], 3).await, "public", "修路").await;
        called(&app, &booking).await;
        let body = json!({"record": "转办", "outcome": "case"});
        let first = desk.post_keyed(&conclude(&booking), "conclude-0001", body.clone()).await.expect(200);
        assert_eq!(desk.post_keyed(&conclude(&booking), "conclude-0001", body).await.expect(200), first);
        assert_eq!(app.number("SELECT count(*) FROM cases").await, 1);
        assert_eq!(app.number("SELECT count(*) FROM talk_record").await, 1);
        app.drain_jobs().await;
    }

    async fn what_was_concluded_too_soon_is_taken_back_with_its_record(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let booking = matter(&villager, &hosted(&app, &[], 3).await, "public", "修路").await;
        concluded(&app, &desk, &booking, answered()).await;
        desk.post(&format!("/staff/bookings/{}/undo", id(&booking)), json!({})).await.expect(200);
        let own = format!("/bookings/{}/record", id(&booking));
        villager.get(&own).await.problem("not_found");
        let records = format!("/staff/bookings/{}/records", id(&booking));
        desk.post(&records, json!({"text": "x", "reason": "写错了一个字"})).await.problem("transition_not_allowed");
        let again = json!({"record": "又说了一遍", "outcome": "answered"});
        assert_eq!(desk.post(&conclude(&booking), again).await.expect(200)["revision"], 2);
        assert_eq!(villager.get(&own).await.expect(200)["record"]["text"], "又说了一遍");
        app.drain_jobs().await;
    }

    async fn a_case_has_the_same_person_and_one_timeline_from_the_booking_on(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let booking = matter(&villager, &hosted(&app, &[], 3).await, "public", "村口的路坏了").await;
        let done = concluded(&app, &desk, &booking, json!({"record": "要镇上来修", "outcome": "case"})).await;
        let case = villager.get(&format!("/cases/{}", done["case"].as_str().unwrap())).await.expect(200);
        assert_eq!((&case["kind"], &case["text"], &case["topic"]), (&json!("talk"), &json!("村口的路坏了"), &json!("roads")));
        assert_eq!((&case["booking"], &case["number"], &case["private"]), (&booking["id"], &done["case_number"], &json!(false)));
        assert_eq!(villager.get(&format!("/bookings/{}", id(&booking))).await.expect(200)["case"], case["id"]);
        desk.post(&cases::actions(&case), json!({"action": "accept"})).await.expect(200);
        let events = villager.get(&format!("{}/events", cases::own(&case))).await.expect(200);
        let steps: Vec<&str> = events["items"].as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap()).collect();
        assert_eq!(steps, ["booked", "check_in", "call", "conclude", "submit", "accept"]);
        assert_eq!((&events["items"][0]["of"], &events["items"][0]["to"]), (&json!("booking"), &json!("booked")));
        assert_eq!(events["items"][0]["by"]["kind"], "villager");
        assert_eq!((&events["items"][4]["of"], &events["items"][4]["to"]), (&json!("case"), &json!("submitted")));
        assert_eq!(events["items"][2]["by"]["kind"], "staff");
        let of_staff = desk.get(&format!("/staff/cases/{}/events", id(&case))).await.expect(200);
        assert_eq!(of_staff["items"].as_array().unwrap().len(), 6);
        app.villager("乙").await.get(&cases::own(&case)).await.problem("not_found");
        app.drain_jobs().await;
        assert!(told(&villager).await.contains(&json!("talk_became_case")));
    }

    async fn a_case_is_checked_field_by_field(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let booking = matter(&villager, &hosted(&app, &[], 3).await, "public", "修路").await;
        called(&app, &booking).await;
        let with = |field: &str, value: Value| {
            let mut body = json!({"record": "记录", "outcome": "case"});
            body[field] = value;
            body
        };
        for (body, pointer, fault) in [
            (with("case", json!({"kind": "proxy"})), "/case/item", "required"),
            (with("case", json!({"kind": "proxy", "item": "NO-SUCH"})), "/case/item", "unknown"),
            (with("case", json!({"kind": "voice"})), "/case/concern", "required"),
            (with("case", json!({"kind": "voice", "concern": "report"})), "/case/concern", "not_allowed_here"),
            (with("case", json!({"title": ""})), "/case/title", "length"),
            (with("case", json!({"colour": 1})), "/case/colour", "unknown_field"),
            (with("council_title", json!("修路")), "/council_title", "not_allowed_here"),
            (json!({"record": "x", "outcome": "answered", "case": {}}), "/case", "not_allowed_here"),
            (json!({"record": "x", "outcome": "council"}), "/council_title", "required"),
            (json!({"record": "x", "outcome": "council", "council_title": "找13800000000修路"}), "/council_title", "personal"),
            (json!({"record": "", "outcome": "answered"}), "/record", "length"),
            (json!({"record": "x", "outcome": "answered", "public_text": "电话 138-0000-0000"}), "/public_text", "personal"),
            (json!({"record": "x", "outcome": "lost"}), "/outcome", "unknown"),
        ] {
            desk.post(&conclude(&booking), body).await.invalid(pointer, fault);
        }
        let body = with("case", json!({"kind": "proxy", "item": "DZ-MZ-01", "title": "申请低保"}));
        let done = desk.post(&conclude(&booking), body).await.expect(200);
        assert_eq!(villager.get(&format!("/cases/{}", done["case"].as_str().unwrap())).await.expect(200)["title"], "申请低保");
        app.drain_jobs().await;
    }

    async fn a_private_matter_becomes_a_case_that_only_who_has_it_sees(app: TestApp) {
        let (villager, booking) = private(&app).await;
        let (desk, cadre) = (app.staff("desk").await, app.staff("cadre").await);
        let body = json!({"record": "两家为地界争吵，下周去量", "outcome": "case", "case": {"title": "量地界"}});
        desk.post(&conclude(&booking), body.clone()).await.problem("not_your_duty");
        app.staff("neighbour").await.post(&conclude(&booking), body.clone()).await.problem("not_found");
        let done = cadre.post(&conclude(&booking), body).await.expect(200);
        let path = format!("/staff/cases/{}", done["case"].as_str().unwrap());
        let seen = cadre.get(&path).await.expect(200);
        assert_eq!((&seen["state"], &seen["assignee"], &seen["private"]), (&json!("assigned"), &json!(cadre.id()), &json!(true)));
        assert!(!seen["promised_due_on"].is_null(), "its clock runs: {seen}");
        for who in ["desk", "cadre2", "town", "county", "discipline", "neighbour"] {
            let who = app.staff(who).await;
            who.get(&path).await.problem("not_found");
            who.get(&format!("{path}/events")).await.problem("not_found");
            who.post(&format!("{path}/actions"), json!({"action": "sign"})).await.problem("not_found");
            for view in ["inbox", "mine", "unit", "sent", "overdue"] {
                assert_eq!(who.get(&format!("/staff/cases?view={view}")).await.expect(200)["items"], json!([]), "{view}");
            }
            let number = done["case_number"].as_str().unwrap();
            assert_eq!(who.get(&format!("/staff/cases?q={number}")).await.expect(200)["items"], json!([]));
        }
        cadre.post(&format!("{path}/actions"), json!({"action": "sign"})).await.expect(200);
        cadre.post(&format!("{path}/actions"), cases::answer()).await.expect(200);
        let own = format!("/cases/{}", done["case"].as_str().unwrap());
        villager.post(&format!("{own}/actions"), json!({"action": "confirm"})).await.expect(200);
        let read = app.number("SELECT count(*) FROM audit_entry WHERE action IN ('read_private_case', 'act_on_private_case')").await;
        assert!(read >= 3, "who reads or moves it is entered: {read}");
        app.drain_jobs().await;
    }

    async fn a_private_case_that_nobody_has_is_for_the_hosts_to_give(app: TestApp) {
        let (_, booking) = private(&app).await;
        let cadre = app.staff("cadre").await;
        let done = cadre.post(&conclude(&booking), json!({"record": "记下", "outcome": "case"})).await.expect(200);
        let path = format!("/staff/cases/{}", done["case"].as_str().unwrap());
        let back = json!({"action": "return", "reason": "not_our_duty", "text": "另请一位"});
        cadre.post(&format!("{path}/actions"), back).await.expect(200);
        let town = app.staff("town").await;
        town.get(&path).await.problem("not_found");
        let host = app.staff("cadre2").await;
        let given = host.post(&format!("{path}/actions"), json!({"action": "assign", "assignee": host.id()})).await.expect(200);
        assert_eq!(given["assignee"], json!(host.id()));
        cadre.get(&path).await.problem("not_found");
        app.drain_jobs().await;
    }

    async fn what_is_private_is_neither_published_nor_put_before_the_council(app: TestApp) {
        let (_, booking) = private(&app).await;
        let cadre = app.staff("cadre").await;
        let body = json!({"record": "x", "outcome": "council", "council_title": "地界"});
        cadre.post(&conclude(&booking), body).await.invalid("/outcome", "not_allowed_here");
        let body = json!({"record": "x", "outcome": "answered", "public_text": "地界"});
        cadre.post(&conclude(&booking), body).await.invalid("/public_text", "not_allowed_here");
        app.drain_jobs().await;
    }

    async fn the_councils_list_holds_titles_and_is_taken_up_once(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let booking = matter(&villager, &hosted(&app, &[], 3).await, "public", "修桥").await;
        let body = json!({"record": "要大家商量", "outcome": "council", "council_title": "修村口的桥"});
        let done = concluded(&app, &desk, &booking, body).await;
        let list = format!("/staff/divisions/{}/council-matters", app.village().await);
        let listed = desk.get(&format!("{list}?state=listed")).await.expect(200);
        assert_eq!((&listed["items"][0]["title"], &listed["items"][0]["id"]), (&json!("修村口的桥"), &done["council_matter"]));
        assert!(!listed.to_string().contains("要大家商量"), "{listed}");
        let township = format!("/staff/divisions/{}/council-matters", app.division("511702108000").await);
        assert_eq!(app.staff("county").await.get(&township).await.expect(200)["items"][0]["title"], "修村口的桥");
        let path = format!("/staff/council-matters/{}/take-up", done["council_matter"].as_str().unwrap());
        app.staff("neighbour").await.post(&path, json!({})).await.problem("not_found");
        desk.post(&path, json!({})).await.expect(200);
        desk.post(&path, json!({})).await.problem("transition_not_allowed");
        assert_eq!(desk.get(&format!("{list}?state=listed")).await.expect(200)["items"], json!([]));
        assert_eq!(desk.get(&format!("{list}?state=taken_up")).await.expect(200)["items"].as_array().unwrap().len(), 1);
        app.drain_jobs().await;
    }

    async fn a_record_is_corrected_by_adding_and_by_hosts_only(app: TestApp) {
        let (villager, booking) = private(&app).await;
        let (desk, cadre) = (app.staff("desk").await, app.staff("cadre").await);
        let path = format!("/staff/bookings/{}/records", id(&booking));
        let corrected = json!({"text": "他没有去丈量", "reason": "写错了一个字"});
        cadre.post(&path, corrected.clone()).await.problem("transition_not_allowed");
        cadre.post(&conclude(&booking), json!({"record": "他没有去测量", "outcome": "answered"})).await.expect(200);
        desk.post(&path, corrected.clone()).await.problem("not_your_duty");
        desk.get(&path).await.problem("not_your_duty");
        app.staff("neighbour").await.get(&path).await.problem("not_found");
        let with = json!({"text": "x", "public_text": "x", "reason": "写错了一个字"});
        cadre.post(&path, with).await.invalid("/public_text", "not_allowed_here");
        cadre.post(&path, json!({"text": "x", "reason": "错"})).await.invalid("/reason", "length");
        assert_eq!(cadre.post(&path, corrected).await.expect(201)["revision"], 2);
        let all = cadre.get(&path).await.expect(200);
        let texts: Vec<&str> = all["items"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect();
        assert_eq!(texts, ["他没有去测量", "他没有去丈量"]);
        assert_eq!(all["items"][1]["reason"], "写错了一个字");
        let own = villager.get(&format!("/bookings/{}/record", id(&booking))).await.expect(200);
        assert_eq!(own["record"]["text"], "他没有去丈量");
        let entered = app.number("SELECT count(*) FROM audit_entry WHERE action IN ('read_talk_record', 'correct_talk_record')").await;
        assert_eq!(entered, 2);
        app.drain_jobs().await;
    }

    async fn nobody_decides_or_answers_in_the_matter_of_somebody_near(app: TestApp) {
        let (relative, oneself) = (app.villager("甲").await, app.villager("乙").await);
        let (desk, cadre) = (app.staff("desk").await, app.staff("cadre").await);
        let day = hosted(&app, &[], 3).await;
        for (villager, kind) in [(&relative, "relative"), (&oneself, "same_person")] {
            let booking = matter(villager, &day, "public", "路灯").await;
            near(&app, &desk, villager, kind).await;
            let screen = json!({"as": "public", "title": "路灯"});
            desk.post(&format!("/staff/bookings/{}/screen", id(&booking)), screen).await.problem("conflict_of_interest");
            called(&app, &booking).await;
            desk.post(&conclude(&booking), answered()).await.problem("conflict_of_interest");
            cadre.post(&conclude(&booking), answered()).await.expect(200);
            let body = json!({"text": "都修好了", "reason": "漏记了一句"});
            desk.post(&format!("/staff/bookings/{}/records", id(&booking)), body).await.problem("conflict_of_interest");
        }
        app.drain_jobs().await;
    }

    async fn a_complaint_heard_goes_to_the_discipline_desk_and_out_of_the_host_s_sight(app: TestApp) {
        let (villager, booking) = private(&app).await;
        let (cadre, cadre2) = (app.staff("cadre").await, app.staff("cadre2").await);
        let unknown = json!({"record": "x", "outcome": "case", "case": {"against": [uuid::Uuid::now_v7()]}});
        cadre.post(&conclude(&booking), unknown).await.invalid("/case/against/0", "unknown");
        let case = json!({"kind": "voice", "concern": "complaint", "text": "反映分地不公", "against": [cadre2.id()]});
        let body = json!({"record": "已记下，另行处理", "outcome": "case", "case": case});
        let done = cadre.post(&conclude(&booking), body).await.expect(200);
        assert_eq!((&done["outcome"], &done["case"], &done["case_number"]), (&json!("case"), &Value::Null, &Value::Null));
        let own = villager.get(&format!("/bookings/{}", id(&booking))).await.expect(200)["case"].clone();
        let case = villager.get(&format!("/cases/{}", own.as_str().unwrap())).await.expect(200);
        assert_eq!((&case["confidential"], &case["state"]), (&json!(true), &json!("submitted")));
        let path = format!("/staff/cases/{}", own.as_str().unwrap());
        for who in ["desk", "cadre", "cadre2", "town", "county", "neighbour"] {
            app.staff(who).await.get(&path).await.problem("not_found");
        }
        let discipline = app.staff("discipline").await;
        assert_eq!(discipline.get(&path).await.expect(200)["number"], case["number"]);
        discipline.post(&format!("{path}/actions"), json!({"action": "accept"})).await.expect(200);
        app.drain_jobs().await;
    }
}
