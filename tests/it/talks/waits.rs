//! Waiting lists: fair order, holds that expire, reasons that are said.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{booked, bookings, lets_act, one_slot, wish, wrong_counts};
use crate::support::{Actor, TestApp};

fn waits(slot: &Value) -> String {
    format!("/slots/{}/waits", slot["id"].as_str().unwrap())
}

async fn cancel(who: &Actor, booking: &Value) {
    who.post(&format!("/bookings/{}/cancel", booking["id"].as_str().unwrap()), json!({})).await.expect(200);
}

async fn entry(who: &Actor) -> Value {
    who.get("/waits").await.expect(200)["items"][0].clone()
}

async fn free(app: &TestApp, day: &Value) -> Value {
    app.nobody().get(&format!("/talk-days/{}", day["id"].as_str().unwrap())).await.expect(200)["slots"][0]["free"]
        .clone()
}

both_engines! {
    async fn a_freed_place_goes_to_who_waited_longest_and_to_nobody_else(app: TestApp) {
        let (holder, first, second) = (app.villager("甲").await, app.villager("乙").await, app.villager("丙").await);
        let day = one_slot(&app, 1).await;
        let slot = &day["slots"][0];
        let booking = booked(&holder, slot).await;
        let one = first.post(&waits(slot), json!({})).await.expect(201);
        assert_eq!((&one["position"], &one["state"], &one["reason"]), (&json!(1), &json!("waiting"), &json!("nobody_gave_up")));
        assert_eq!(second.post(&waits(slot), json!({})).await.expect(201)["position"], 2);
        first.post(&waits(slot), json!({})).await.problem("already_waiting");
        holder.post(&waits(slot), json!({})).await.problem("already_booked");
        cancel(&holder, &booking).await;
        assert_eq!(free(&app, &day).await, 0, "not offered to the public before the list was asked");
        app.villager("路人").await.post(&bookings(slot), wish()).await.problem("slot_full");
        second.post(&bookings(slot), wish()).await.problem("slot_full");
        let held = entry(&first).await;
        assert_eq!((&held["state"], &held["reason"]), (&json!("held"), &json!("offered")));
        assert_eq!(held["held_until"], "2026-11-23T04:00:00Z", "two hours");
        let behind = entry(&second).await;
        assert_eq!((&behind["position"], &behind["reason"]), (&json!(1), &json!("offered_to_another")));
        let mine = booked(&first, slot).await;
        assert_eq!((&mine["state"], &mine["number_in_line"]), (&json!("booked"), &json!(1)));
        assert_eq!(entry(&first).await["state"], "taken");
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
        let told = first.get("/inbox").await.expect(200);
        assert!(told.to_string().contains("wait_held"), "{told}");
    }

    async fn a_hold_that_runs_out_goes_on_and_rests_at_night(app: TestApp) {
        let (holder, first, second) = (app.villager("甲").await, app.villager("乙").await, app.villager("丙").await);
        let day = one_slot(&app, 1).await;
        let slot = &day["slots"][0];
        let booking = booked(&holder, slot).await;
        for one in [&first, &second] {
            one.post(&waits(slot), json!({})).await.expect(201);
        }
        app.advance(TimeDelta::hours(10));
        let holder = app.villager("甲").await;
        cancel(&holder, &booking).await;
        let first = app.villager("乙").await;
        assert_eq!(entry(&first).await["held_until"], "2026-11-24T01:00:00Z", "20:00: an hour today, an hour from 08:00");
        app.advance(TimeDelta::hours(13) - TimeDelta::seconds(1));
        app.drain_jobs().await;
        let (first, second) = (app.villager("乙").await, app.villager("丙").await);
        assert_eq!(entry(&first).await["state"], "held");
        app.advance(TimeDelta::minutes(1));
        app.drain_jobs().await;
        assert_eq!(entry(&first).await["state"], "expired");
        assert_eq!(entry(&second).await["state"], "held");
        first.post(&bookings(slot), wish()).await.problem("slot_full");
        booked(&second, slot).await;
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn when_nobody_waits_any_more_the_place_is_everybodys(app: TestApp) {
        let (holder, waiting) = (app.villager("甲").await, app.villager("乙").await);
        let day = one_slot(&app, 1).await;
        let slot = &day["slots"][0];
        let booking = booked(&holder, slot).await;
        let entry = waiting.post(&waits(slot), json!({})).await.expect(201);
        cancel(&holder, &booking).await;
        let path = format!("/waits/{}", entry["id"].as_str().unwrap());
        holder.delete(&path).await.problem("not_found");
        waiting.delete(&path).await.expect(204);
        waiting.delete(&path).await.problem("transition_not_allowed");
        assert_eq!(free(&app, &day).await, 1);
        booked(&holder, slot).await;
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn a_free_place_is_held_at_once_and_waiting_ends_with_booking(app: TestApp) {
        let (one, two) = (app.villager("甲").await, app.villager("乙").await);
        let day = one_slot(&app, 1).await;
        let slot = &day["slots"][0];
        let held = one.post(&waits(slot), json!({})).await.expect(201);
        assert_eq!((&held["state"], &held["position"]), (&json!("held"), &json!(0)));
        two.post(&waits(slot), json!({})).await.expect(201);
        booked(&one, slot).await;
        app.advance(TimeDelta::hours(27));
        app.drain_jobs().await;
        let two = app.villager("乙").await;
        assert_eq!((&entry(&two).await["state"], &entry(&two).await["reason"]), (&json!("ended"), &json!("over")));
        assert!(two.get("/inbox").await.expect(200).to_string().contains("wait_ended"));
        app.villager("丙").await.post(&waits(slot), json!({})).await.problem("booking_closed");
        assert_eq!(wrong_counts(&app).await, 0);
    }

    async fn a_family_waits_together_and_keeps_nobody_from_a_place(app: TestApp) {
        let (a, b, c) = (app.villager("甲").await, app.villager("乙").await, app.villager("丙").await);
        let (old, young) = (app.villager("样例老人").await, app.villager("样例侄").await);
        lets_act(&old, &young).await;
        let day = one_slot(&app, 3).await;
        let slot = &day["slots"][0];
        let (one, two) = (booked(&a, slot).await, booked(&b, slot).await);
        booked(&c, slot).await;
        let together = json!({"persons": [young.id(), old.id()]});
        let entry_of_two = young.post(&waits(slot), together.clone()).await.expect(201);
        assert_eq!(entry_of_two["places"], 2);
        let single = app.villager("丁").await;
        single.post(&waits(slot), json!({})).await.expect(201);
        cancel(&a, &one).await;
        assert_eq!(entry(&young).await["state"], "waiting", "one place is not enough for two");
        assert_eq!(entry(&young).await["reason"], "offered_to_another");
        booked(&single, slot).await;
        cancel(&b, &two).await;
        assert_eq!(entry(&young).await["reason"], "needs_more_places");
        let third = c.get("/bookings").await.expect(200)["items"][0].clone();
        cancel(&c, &third).await;
        assert_eq!(entry(&young).await["state"], "held");
        let body = json!({"persons": [young.id(), old.id()], "topic": "roads", "summary": "宅基地", "privacy": "private"});
        let path = format!("/slots/{}/household-bookings", slot["id"].as_str().unwrap());
        assert_eq!(young.post(&path, body).await.expect(201)["items"].as_array().unwrap().len(), 2);
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn who_waits_for_three_slots_waits_for_no_fourth(app: TestApp) {
        let waiting = app.villager("甲").await;
        let desk = app.staff("desk").await;
        for (at, date) in ["2026-11-25", "2026-11-26", "2026-11-27", "2026-11-28"].iter().enumerate() {
            let body = json!({"date": date, "starts": "14:00", "ends": "15:00", "place": "村委会", "walk_in_share": 0.0});
            let day = desk.post(&format!("/staff/divisions/{}/talk-days", app.village().await), body).await.expect(201);
            let answer = waiting.post(&waits(&day["slots"][0]), json!({})).await;
            if at < 3 { answer.expect(201) } else { answer.problem("limit_reached") };
        }
        waiting.post(&format!("/slots/{}/waits", uuid::Uuid::now_v7()), json!({})).await.problem("not_found");
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }
}
