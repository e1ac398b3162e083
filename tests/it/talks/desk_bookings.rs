//! Places that the desk takes for callers.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{booked, bookings, put_in_state, wish, wrong_counts};
use crate::support::{Actor, TestApp};

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
