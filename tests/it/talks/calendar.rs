//! Calendars to take along: a booking and the days of a village, each version newer than the last, and nothing private.

use reqwest::Method;
use serde_json::{Value, json};

use super::{booked, bookings, days, one_slot};
use crate::support::{Actor, Answer, TestApp};

fn of(booking: &Value) -> String {
    format!("/bookings/{}/calendar.ics", booking["id"].as_str().unwrap())
}

/// The value of a property that stands there once.
#[track_caller]
fn value(calendar: &str, name: &str) -> String {
    let unfolded = calendar.replace("\r\n ", "");
    let events =
        unfolded.split("END:VTIMEZONE").nth(1).unwrap().to_owned() + unfolded.split("BEGIN:VTIMEZONE").next().unwrap();
    let found: Vec<&str> = events.lines().filter(|line| line.split([':', ';']).next() == Some(name)).collect();
    assert_eq!(found.len(), 1, "{name}: {calendar}");
    found[0].split_once([':', ';']).unwrap().1.to_owned()
}

#[track_caller]
fn text(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "text/calendar; charset=utf-8");
    assert!(answer.text().split("\r\n").all(|line| line.len() <= 75 && !line.contains('\n')), "{}", answer.text());
    answer.text()
}

async fn sequence(villager: &Actor, booking: &Value) -> i32 {
    value(&text(&villager.get(&of(booking)).await), "SEQUENCE").parse().unwrap()
}

async fn village_feed(app: &TestApp) -> Answer {
    app.nobody().get(&format!("/divisions/{}/calendar.ics", app.village().await)).await
}

both_engines! {
    async fn a_booking_is_an_event_that_tells_nobody_what_it_is_about(app: TestApp) {
        let villager = app.villager("甲").await;
        let slot = days(&app).await[0]["slots"][2].clone();
        let wish = json!({"topic": "dispute", "summary": "和邻居的事", "privacy": "private"});
        let booking = villager.post(&bookings(&slot), wish).await.expect(201);
        let calendar = text(&villager.get(&of(&booking)).await);
        assert_eq!(value(&calendar, "METHOD"), "PUBLISH");
        let number = &booking["number_in_line"];
        assert_eq!(value(&calendar, "SUMMARY"), format!("说事日 · 石笋村 · {number}号"));
        assert_eq!(value(&calendar, "DTSTART"), "TZID=Asia/Shanghai:20261125T093000");
        assert_eq!(value(&calendar, "DTEND"), "TZID=Asia/Shanghai:20261125T094500");
        assert_eq!(value(&calendar, "UID"), format!("{}@shuoshi.invalid", booking["id"].as_str().unwrap()));
        assert_eq!((value(&calendar, "STATUS").as_str(), value(&calendar, "CLASS").as_str()), ("CONFIRMED", "PRIVATE"));
        assert_eq!(value(&calendar, "TRIGGER"), "-P1D");
        for secret in ["邻居", "dispute", booking["code"].as_str().unwrap(), villager.id()] {
            assert!(!calendar.contains(secret), "{secret}: {calendar}");
        }
        let english = villager.clone().with_language("en");
        assert_eq!(value(&text(&english.get(&of(&booking)).await), "SUMMARY"), format!("Talk day · 石笋村 · no. {number}"));
        app.villager("乙").await.get(&of(&booking)).await.problem("not_found");
        app.nobody().get(&of(&booking)).await.problem("sign_in_required");
        app.drain_jobs().await;
    }

    async fn each_change_is_a_newer_version_and_the_end_takes_it_out(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let day = one_slot(&app, 2).await;
        let booking = booked(&villager, &day["slots"][0]).await;
        let first = villager.get(&of(&booking)).await;
        let tag = first.header("etag").to_owned();
        let again = |tag: String| {
            villager.call(Method::GET, &format!("/api/v1{}", of(&booking))).header("If-None-Match", &tag).send()
        };
        assert_eq!(again(tag.clone()).await.status, 304, "two readings of the same are alike");
        let before = sequence(&villager, &booking).await;
        app.advance(chrono::TimeDelta::minutes(5));
        let shift = format!("/staff/talk-days/{}/shift", day["id"].as_str().unwrap());
        desk.post(&shift, json!({"date": "2026-11-26", "reason": "下雪"})).await.expect(200);
        let changed = text(&again(tag).await);
        assert_eq!(value(&changed, "DTSTART"), "TZID=Asia/Shanghai:20261126T150000");
        assert_eq!(value(&changed, "LAST-MODIFIED"), "20261123T020500Z");
        let shifted = sequence(&villager, &booking).await;
        assert!(shifted > before);
        villager.post(&format!("/bookings/{}/cancel", booking["id"].as_str().unwrap()), json!({})).await.expect(200);
        let gone = text(&villager.get(&of(&booking)).await);
        assert_eq!((value(&gone, "METHOD").as_str(), value(&gone, "STATUS").as_str()), ("CANCEL", "CANCELLED"));
        assert_eq!(value(&gone, "UID"), value(&text(&first), "UID"));
        assert!(sequence(&villager, &booking).await > shifted && !gone.contains("VALARM"));
        app.drain_jobs().await;
    }

    async fn the_village_s_days_are_there_for_everybody_and_its_bookings_for_nobody(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let all = days(&app).await;
        let booking = booked(&villager, &all[0]["slots"][0]).await;
        let first = village_feed(&app).await;
        let calendar = text(&first);
        assert_eq!(value(&calendar, "X-WR-CALNAME"), "石笋村 说事日");
        assert_eq!(calendar.matches("BEGIN:VEVENT").count(), all.len());
        assert_eq!(calendar.matches("STATUS:CONFIRMED").count(), all.len());
        assert!(!calendar.contains(booking["id"].as_str().unwrap()) && !calendar.contains("VALARM"));
        // What somebody books changes nothing in it.
        booked(&app.villager("乙").await, &all[0]["slots"][1]).await;
        assert_eq!(village_feed(&app).await.header("etag"), first.header("etag"));
        let path = |day: &Value, what: &str| format!("/staff/talk-days/{}/{what}", day["id"].as_str().unwrap());
        desk.post(&path(&all[1], "cancel"), json!({"reason": "下雪，封路"})).await.expect(200);
        desk.post(&path(&all[2], "shift"), json!({"date": "2026-12-16", "reason": "下雪"})).await.expect(200);
        let calendar = text(&village_feed(&app).await);
        let event = |day: &Value| {
            let unfolded = calendar.replace("\r\n ", "");
            let id = format!("UID:{}@", day["id"].as_str().unwrap());
            unfolded.split("BEGIN:VEVENT").find(|event| event.contains(&id)).unwrap().to_owned()
        };
        let off = event(&all[1]);
        assert!(off.contains("STATUS:CANCELLED") && off.contains("SEQUENCE:2"), "{off}");
        assert!(off.contains(r"DESCRIPTION:已取消：下雪，封路"), "{off}");
        let moved = event(&all[2]);
        assert!(moved.contains("DTSTART;TZID=Asia/Shanghai:20261216T090000") && moved.contains("SEQUENCE:2"), "{moved}");
        assert!(moved.contains("DESCRIPTION:原定 2026-12-15"), "{moved}");
        app.drain_jobs().await;
    }

    async fn no_calendar_of_no_place(app: TestApp) {
        app.nobody().get(&format!("/divisions/{}/calendar.ics", uuid::Uuid::now_v7())).await.problem("not_found");
        app.nobody().get("/divisions/nonsense/calendar.ics").await.problem("not_found");
    }
}
