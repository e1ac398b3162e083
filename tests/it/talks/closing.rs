//! A day that is over is closed: first by the desk, then by the clock.

use chrono::TimeDelta;
use serde_json::json;

use super::{booked, last_told, of_booking, of_day, this_afternoon, walk_in};

both_engines! {
    async fn who_was_expected_and_not_marked_is_missed_on_the_next_working_day(app: TestApp) {
        let day = this_afternoon(&app, 6, json!({})).await;
        let (one, two, three) = (app.villager("甲").await, app.villager("乙").await, app.villager("丙").await);
        let mut all = Vec::new();
        for (at, who) in [&one, &two, &three].into_iter().enumerate() {
            all.push(booked(who, &day["slots"][at]).await);
        }
        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        desk.post(&of_booking(&all[1], "check-in"), json!({})).await.expect(200);
        desk.post(&of_booking(&all[2], "check-in"), json!({})).await.expect(200);
        desk.post(&of_booking(&all[2], "call"), json!({})).await.expect(200);
        let walked = desk.post(&of_day(&day, "walk-ins"), walk_in("样例")).await.expect(201);
        let list = format!("/staff/divisions/{}/bookings?waiting_for=unmarked", app.village().await);
        assert_eq!(desk.get(&list).await.expect(200)["items"], json!([]), "it still runs");
        // From 14:00, the end, to two hours after it.
        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        let items = desk.get(&list).await.expect(200)["items"].as_array().unwrap().clone();
        assert_eq!(items.len(), 4);
        app.drain_jobs().await;
        assert_eq!(desk.get(&list).await.expect(200)["items"].as_array().unwrap().len(), 4, "the desk has until tomorrow");
        app.advance(TimeDelta::hours(18));
        app.drain_jobs().await;
        let one = app.villager("甲").await;
        let gone = one.get(&format!("/bookings/{}", all[0]["id"].as_str().unwrap())).await.expect(200);
        assert_eq!((&gone["state"], &gone["actions"]), (&json!("missed"), &json!(["object"])));
        assert_eq!(last_told(&app, &one).await.0, "booking_missed");
        assert_eq!(app.number("SELECT count(*) FROM booking_event WHERE by_kind = 'clock' AND action = 'missed'").await, 1);
        let desk = app.staff("desk").await;
        let items = desk.get(&list).await.expect(200)["items"].as_array().unwrap().clone();
        let states: Vec<&str> = items.iter().map(|item| item["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["checked_in", "called", "checked_in"], "people know what became of them");
        // Who came is concluded after all, and has not waited until now.
        assert_eq!(desk.post(&of_booking(&walked, "call"), json!({})).await.expect(200)["called_at"], json!(null));
        let said = json!({"record": "当面答复", "outcome": "answered"});
        app.staff("desk").await.post(&of_booking(&all[2], "conclude"), said).await.expect(200);
        app.drain_jobs().await;
    }

    async fn a_day_before_days_off_is_closed_when_work_begins_again(app: TestApp) {
        // A Friday; the sweep of Saturday and of Sunday leave it to the desk.
        let day = this_afternoon(&app, 3, json!({"date": "2026-11-27"})).await;
        booked(&app.villager("甲").await, &day["slots"][0]).await;
        let missed = "SELECT count(*) FROM booking WHERE state = 'missed'";
        app.advance(TimeDelta::days(6));
        app.drain_jobs().await;
        assert_eq!(app.number(missed).await, 0);
        app.advance(TimeDelta::days(1));
        app.drain_jobs().await;
        assert_eq!(app.number(missed).await, 1);
        app.drain_jobs().await;
        assert_eq!(app.number("SELECT count(*) FROM booking_event").await, 1, "once");
    }
}
