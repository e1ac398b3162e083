//! The agenda: what was screened as public, what became of last time's matters, and not a byte of what is private.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    days,
    hearing::{answered, concluded, hosted, id, lives_here, matter},
};
use crate::support::TestApp;

fn screen(booking: &Value) -> String {
    format!("/staff/bookings/{}/screen", id(booking))
}

/// What anybody reads, once it was looked at.
async fn agenda(app: &TestApp, day: &Value) -> Value {
    app.drain_jobs().await;
    app.nobody().get(&format!("/talk-days/{}/agenda", id(day))).await.expect(200)
}

both_engines! {
    async fn what_was_screened_as_public_is_read_and_read_out(app: TestApp) {
        let desk = app.staff("desk").await;
        let day = hosted(&app, &[], 5).await;
        let lamp = matter(&app.villager("甲").await, &day, "public", "我家门口的路灯不亮").await;
        matter(&app.villager("乙").await, &day, "public", "还没有看过的事").await;
        assert_eq!(agenda(&app, &day).await["items"], json!([]));
        let body = json!({"as": "public", "title": "村口路灯"});
        app.staff("neighbour").await.post(&screen(&lamp), body.clone()).await.problem("not_found");
        let screened = desk.post(&screen(&lamp), body).await.expect(200);
        assert_eq!((&screened["screened"], &screened["version"]), (&json!("public"), &json!(2)));
        let shown = agenda(&app, &day).await;
        assert_eq!(shown["items"], json!([{"number": 1, "title": "村口路灯", "topic": "roads"}]));
        let village = "石笋村";
        let loud = shown["loudspeaker"].as_str().unwrap();
        assert!(loud.contains(village) && loud.contains("11月24日下午3点在村委会") && loud.contains("第1件：村口路灯。"), "{loud}");
        assert!(!shown.to_string().contains("我家门口"), "{shown}");
        assert_eq!(shown["final"], true, "it is the eve");
        app.drain_jobs().await;
    }

    async fn it_is_final_from_the_day_before(app: TestApp) {
        let desk = app.staff("desk").await;
        let body = json!({"date": "2026-11-26", "starts": "19:30", "ends": "20:00", "place": "文化院坝"});
        let day = desk.post(&format!("/staff/divisions/{}/talk-days", app.village().await), body).await.expect(201);
        let shown = agenda(&app, &day).await;
        assert_eq!((&shown["final"], &shown["items"], &shown["opening"]), (&json!(false), &json!([]), &json!([])));
        assert!(shown["loudspeaker"].as_str().unwrap().contains("晚上7点30分"), "{shown}");
        let tag = app.nobody().get(&format!("/talk-days/{}/agenda", id(&day))).await.header("etag").to_owned();
        assert!(!tag.is_empty());
        // Midnight of the 25th.
        app.advance(TimeDelta::hours(38));
        assert_eq!(agenda(&app, &day).await["final"], true);
        app.drain_jobs().await;
    }

    async fn screening_is_checked_and_moves_towards_privacy_only(app: TestApp) {
        let desk = app.staff("desk").await;
        let day = hosted(&app, &[], 5).await;
        let villager = app.villager("刘小军").await;
        villager.put("/me", json!({"name": "刘小军"})).await.expect(200);
        let booking = matter(&villager, &day, "public", "修路").await;
        for (body, pointer, fault) in [
            (json!({"as": "public"}), "/title", "required"),
            (json!({"as": "public", "title": "字".repeat(61)}), "/title", "length"),
            (json!({"as": "public", "title": "找 138 0000 0000"}), "/title", "personal"),
            (json!({"as": "public", "title": "身份证511725194611240009"}), "/title", "personal"),
            (json!({"as": "public", "title": "刘小军家的路"}), "/title", "personal"),
            (json!({"as": "private", "title": "修路"}), "/title", "not_allowed_here"),
            (json!({"as": "other_channel"}), "/text", "required"),
            (json!({"as": "elsewhere"}), "/as", "unknown"),
        ] {
            desk.post(&screen(&booking), body).await.invalid(pointer, fault);
        }
        desk.post(&screen(&booking), json!({"as": "public", "title": "修路", "version": 7})).await.problem("stale");
        desk.post(&screen(&booking), json!({"as": "public", "title": "修路"})).await.expect(200);
        let other = json!({"as": "other_channel", "text": "请打镇便民服务中心电话"});
        assert_eq!(desk.post(&screen(&booking), other).await.expect(200)["agenda_title"], Value::Null);
        assert_eq!(agenda(&app, &day).await["items"], json!([]));
        assert_eq!(villager.get(&format!("/bookings/{}", id(&booking))).await.expect(200)["state"], "booked");
        desk.post(&screen(&booking), json!({"as": "private"})).await.expect(200);
        desk.post(&screen(&booking), json!({"as": "public", "title": "修路"})).await.invalid("/as", "private_matter");
        app.drain_jobs().await;
        let inbox = villager.get("/inbox").await.expect(200);
        assert!(inbox["items"][0]["text"].as_str().unwrap().contains("请打镇便民服务中心电话"), "{inbox}");
        app.advance(TimeDelta::hours(29));
        let desk = app.staff("desk").await;
        desk.post(&screen(&booking), json!({"as": "private"})).await.problem("transition_not_allowed");
    }

    async fn a_private_matter_is_screened_by_its_host_alone(app: TestApp) {
        let (desk, cadre) = (app.staff("desk").await, app.staff("cadre").await);
        let day = hosted(&app, &[&cadre], 5).await;
        let booking = matter(&app.villager("甲").await, &day, "private", "和邻居的事").await;
        desk.post(&screen(&booking), json!({"as": "private"})).await.problem("not_your_duty");
        cadre.post(&screen(&booking), json!({"as": "public", "title": "地界"})).await.invalid("/as", "private_matter");
        cadre.post(&screen(&booking), json!({"as": "other_channel", "text": "请找司法所"})).await.expect(200);
        app.drain_jobs().await;
    }

    async fn the_next_day_opens_with_what_became_of_the_last(app: TestApp) {
        let desk = app.staff("desk").await;
        let first = hosted(&app, &[], 5).await;
        let mut heard = Vec::new();
        for (name, summary) in [("甲", "路灯"), ("乙", "修桥"), ("丙", "水管"), ("丁", "家里的事")] {
            let privacy = if name == "丁" { "private" } else { "public" };
            heard.push(matter(&app.villager(name).await, &first, privacy, summary).await);
        }
        desk.post(&screen(&heard[0]), json!({"as": "public", "title": "村口路灯"})).await.expect(200);
        concluded(&app, &desk, &heard[0], answered()).await;
        let to_case = concluded(&app, &desk, &heard[1], json!({"record": "转办", "outcome": "case"})).await;
        let body = json!({"record": "商量", "outcome": "council", "council_title": "换水管"});
        concluded(&app, &desk, &heard[2], body).await;
        concluded(&app, &desk, &heard[3], json!({"record": "劝和", "outcome": "answered"})).await;
        let next = days(&app).await.into_iter().find(|day| day["date"] == "2026-11-25").unwrap();
        let opening = agenda(&app, &next).await["opening"].clone();
        assert_eq!(opening, json!([
            {"title": "村口路灯", "topic": "roads", "outcome": "answered", "case_state": null, "answered": null},
            {"title": "道路、路灯", "topic": "roads", "outcome": "case", "case_state": "submitted", "answered": null},
            {"title": "道路、路灯", "topic": "roads", "outcome": "council", "case_state": null, "answered": null},
        ]));
        let actions = format!("/staff/cases/{}/actions", to_case["case"].as_str().unwrap());
        desk.post(&actions, json!({"action": "accept"})).await.expect(200);
        assert_eq!(agenda(&app, &next).await["opening"][1]["case_state"], "accepted");
        // What was answered is told with the minutes, not before two villagers have read it.
        let minutes = format!("/staff/talk-days/{}/minutes", id(&first));
        let compiled = desk.post(&minutes, json!({})).await.expect(200);
        let witness = app.staff("cadre").await;
        for (name, phone) in [("样例己", "13800000021"), ("样例庚", "13800000022")] {
            assert_eq!(agenda(&app, &next).await["opening"][0]["answered"], Value::Null);
            lives_here(&app, name, phone).await;
            let body = json!({"name": name, "phone": phone, "mark": "seal", "digest": compiled["digest"]});
            witness.post(&format!("{minutes}/signatures"), body).await.expect(201);
        }
        assert_eq!(agenda(&app, &next).await["opening"][0]["answered"], Value::Null);
        desk.post(&format!("{minutes}/publish"), json!({})).await.expect(200);
        // And what is put on record after that is not what was signed.
        let body = json!({"text": "不修了", "public_text": "不修了", "reason": "改了主意"});
        desk.post(&format!("/staff/bookings/{}/records", id(&heard[0])), body).await.expect(201);
        let opening = agenda(&app, &next).await["opening"].clone();
        assert_eq!(opening[0]["answered"], "月底前修好路灯");
        assert_eq!((&opening[1]["outcome"], &opening[1]["case_state"]), (&json!("case"), &json!("accepted")));
        app.drain_jobs().await;
    }

    async fn names_are_taken_out_when_it_is_written_and_stay_out_when_they_are_forgotten(app: TestApp) {
        let desk = app.staff("desk").await;
        let day = hosted(&app, &[], 5).await;
        let named = app.villager("张大勇").await;
        named.put("/me", json!({"name": "张大勇"})).await.expect(200);
        matter(&named, &day, "public", "来说一件事").await;
        let lamp = matter(&app.villager("甲").await, &day, "public", "路灯").await;
        desk.post(&screen(&lamp), json!({"as": "public", "title": "张大勇家门口的路灯"})).await.expect(200);
        named.delete("/me").await.expect(200);
        assert_eq!(agenda(&app, &day).await["items"][0]["title"], "张某某家门口的路灯");
        concluded(&app, &desk, &lamp, answered()).await;
        let next = days(&app).await.into_iter().find(|day| day["date"] == "2026-11-25").unwrap();
        assert_eq!(agenda(&app, &next).await["opening"][0]["title"], "张某某家门口的路灯");
        app.drain_jobs().await;
    }

    async fn private_matters_change_no_byte_of_it(app: TestApp) {
        let desk = app.staff("desk").await;
        let (first, quiet) = (hosted(&app, &[], 5).await, hosted(&app, &[&desk], 5).await);
        let lamp = matter(&app.villager("甲").await, &first, "public", "路灯").await;
        desk.post(&screen(&lamp), json!({"as": "public", "title": "村口路灯"})).await.expect(200);
        let next = days(&app).await.into_iter().find(|day| day["date"] == "2026-11-25").unwrap();
        app.drain_jobs().await;
        let look = async || {
            let mut all = Vec::new();
            for day in [&first, &quiet, &next] {
                all.push(app.nobody().get(&format!("/talk-days/{}/agenda", id(day))).await.bytes);
            }
            all
        };
        let before = look().await;
        for (name, day) in [("乙", &first), ("丙", &quiet), ("丁", &next)] {
            let booking = matter(&app.villager(name).await, day, "private", "家里的事").await;
            concluded(&app, &app.staff(if day["date"] == "2026-11-25" { "cadre" } else { "desk" }).await, &booking,
                json!({"record": "劝和", "outcome": "case"})).await;
        }
        app.drain_jobs().await;
        assert_eq!(look().await, before);
        app.drain_jobs().await;
    }
}
