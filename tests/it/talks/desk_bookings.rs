//! Places that the desk takes for callers.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{booked, bookings, last_told, of_booking, put_in_state, single_day, wish, wrong_counts};
use crate::{
    people::{GROWN_UP, resident},
    support::{Actor, TestApp},
};

async fn day(app: &TestApp, desk: &Actor) -> Value {
    let body = json!({
        "date": "2026-11-24", "starts": "15:00", "ends": "15:30", "slot_minutes": 30, "capacity": 3, "walk_in_share": 0.4,
        "place": "村委会", "modes": ["in_person", "home_visit", "video"], "video_url": "https://meet.example/shuoshi",
    });
    desk.post(&format!("/staff/divisions/{}/talk-days", app.village().await), body).await.expect(201)
}

fn caller(number: u32) -> Value {
    json!({
        "for_person": {"name": "样例老人", "phone": format!("1390000{number:04}")}, "topic": "roads",
        "summary": "电话里说路不好走", "privacy": "public",
    })
}

fn path(day: &Value) -> String {
    format!("/staff/slots/{}/bookings", day["slots"][0]["id"].as_str().unwrap())
}

both_engines! {
    async fn callers_get_the_places_that_are_kept_for_them(app: TestApp) {
        let desk = app.staff("desk").await;
        let day = day(&app, &desk).await;
        let slot = &day["slots"][0];
        assert_eq!(slot["free"], 2, "one of three is kept");
        for name in ["甲", "乙"] {
            booked(&app.villager(name).await, slot).await;
        }
        app.staff("neighbour").await.post(&path(&day), caller(1)).await.problem("not_found");
        let made = desk.post(&path(&day), caller(1)).await.expect(201);
        assert_eq!((&made["state"], &made["number_in_line"]), (&json!("booked"), &json!(3)));
        desk.post(&path(&day), caller(1)).await.problem("already_booked");
        let told = desk.post(&path(&day), caller(2)).await.problem("slot_full");
        assert!(told["alternatives"].is_array());
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn the_desk_books_until_the_slot_begins(app: TestApp) {
        let desk = app.staff("desk").await;
        let day = day(&app, &desk).await;
        app.advance(TimeDelta::hours(28));
        let desk = app.staff("desk").await;
        app.villager("甲").await.post(&bookings(&day["slots"][0]), wish()).await.problem("booking_closed");
        desk.post(&path(&day), caller(1)).await.expect(201);
        desk.post(&path(&day), caller(2)).await.expect(201);
        app.advance(TimeDelta::hours(1));
        desk.post(&path(&day), caller(3)).await.problem("booking_closed");
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn a_caller_has_the_limits_of_everybody_and_what_is_held_for_them(app: TestApp) {
        let desk = app.staff("desk").await;
        let day = day(&app, &desk).await;
        for date in ["2026-11-26", "2026-11-27", "2026-11-28"] {
            let other = single_day(&app, json!({"date": date})).await;
            desk.post(&path(&other), caller(1)).await.expect(201);
        }
        desk.post(&path(&day), caller(1)).await.problem("limit_reached");
        let waiting = resident(&app, "样例甲", GROWN_UP).await;
        let slot = &day["slots"][0];
        let holder = app.villager("乙").await;
        let first = booked(&holder, slot).await;
        booked(&app.villager("丙").await, slot).await;
        waiting.post(&format!("/slots/{}/waits", slot["id"].as_str().unwrap()), json!({})).await.expect(201);
        holder.post(&format!("/bookings/{}/cancel", first["id"].as_str().unwrap()), json!({})).await.expect(200);
        let state = async || waiting.get("/waits").await.expect(200)["items"][0]["state"].clone();
        assert_eq!(state().await, "held");
        let mut body = caller(2);
        body["for_person"] = json!({"id": waiting.id()});
        desk.post(&path(&day), body).await.expect(201);
        assert_eq!((state().await, app.number("SELECT count(*) FROM booking WHERE place = 'reserve' AND slot_id = (SELECT slot_id FROM talk_wait)").await), (json!("taken"), 0));
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn who_phones_gives_a_place_up_or_has_it_moved(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let (from, to) = (day(&app, &desk).await, single_day(&app, json!({"walk_in_share": 0.5})).await);
        let booking = booked(&villager, &from["slots"][0]).await;
        let (moved, off) = (of_booking(&booking, "move"), of_booking(&booking, "cancel"));
        let last = to["slots"].as_array().unwrap().last().unwrap()["id"].clone();
        let body = json!({"slot": last});
        app.staff("neighbour").await.post(&moved, body.clone()).await.problem("not_found");
        app.staff("neighbour").await.post(&off, json!({})).await.problem("not_found");
        desk.post(&moved, json!({"slot": last, "version": 7})).await.problem("stale");
        desk.post(&moved, json!({"slot": from["slots"][0]["id"]})).await.problem("transition_not_allowed");
        // After the app has closed, before the slot begins.
        app.advance(TimeDelta::hours(28));
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        villager.post(&format!("/bookings/{}/cancel", booking["id"].as_str().unwrap()), json!({})).await.problem("too_late");
        let now = desk.post(&moved, body).await.expect(200);
        assert_eq!((&now["slot"], &now["code"], &now["version"]), (&last, &booking["code"], &json!(2)));
        assert_eq!(last_told(&app, &villager).await.0, "booking_moved");
        assert_eq!(app.number("SELECT count(*) FROM booking WHERE place = 'reserve'").await, 1, "one that is kept for the phone");
        assert_eq!(wrong_counts(&app).await, 0);
        let gone = desk.post(&off, json!({"reason": "来电取消", "version": 2})).await.expect(200);
        assert_eq!(gone["state"], "cancelled");
        assert_eq!(last_told(&app, &villager).await.0, "booking_cancelled");
        desk.post(&off, json!({})).await.problem("transition_not_allowed");
        let by = "SELECT count(*) FROM booking_event WHERE by_kind = 'staff' AND action IN ('move', 'cancel') AND staff_id IS NOT NULL";
        assert_eq!((app.number(by).await, wrong_counts(&app).await), (2, 0));
        app.drain_jobs().await;
    }

    async fn a_home_visit_needs_an_address_and_video_shows_its_link(app: TestApp) {
        let (desk, villager) = (app.staff("desk").await, app.villager("甲").await);
        let day = day(&app, &desk).await;
        let book = |mode: &str, address: Value| {
            let mut body = wish();
            body["mode"] = json!(mode);
            if address != json!(null) {
                body["address"] = address;
            }
            body
        };
        let at = bookings(&day["slots"][0]);
        villager.post(&at, book("home_visit", json!(null))).await.invalid("/address", "required");
        villager.post(&at, book("video", json!("三组 12 号"))).await.invalid("/address", "not_allowed_here");
        villager.post(&at, book("home_visit", json!("三组 12 号"))).await.expect(201);
        assert_eq!(app.number("SELECT count(*) FROM booking WHERE address NOT LIKE '%三组%'").await, 1, "sealed");
        let video = app.villager("乙").await.post(&at, book("video", json!(null))).await.expect(201);
        let own = format!("/bookings/{}", video["id"].as_str().unwrap());
        let link = async || app.villager("乙").await.get(&own).await.expect(200)["video_url"].clone();
        assert_eq!((&video["video_url"], link().await), (&Value::Null, Value::Null), "not days before");
        // Half an hour before the slot, at 14:30 of the next day.
        app.advance(TimeDelta::minutes(28 * 60 + 29));
        assert_eq!(link().await, Value::Null);
        app.advance(TimeDelta::minutes(1));
        assert_eq!(link().await, "https://meet.example/shuoshi");
        put_in_state(&app, &video, "called").await;
        assert_eq!(link().await, "https://meet.example/shuoshi");
        put_in_state(&app, &video, "concluded").await;
        assert_eq!(link().await, Value::Null, "others are heard now");
        put_in_state(&app, &video, "booked").await;
        app.advance(TimeDelta::hours(10));
        assert_eq!(link().await, Value::Null, "the day is over");
        app.drain_jobs().await;
    }
}
