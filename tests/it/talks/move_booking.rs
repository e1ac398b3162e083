//! Moving: the old place is given up only with the new one taken.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{booked, bookings, days, one_slot, single_day, wish, wrong_counts};

fn path(booking: &Value) -> String {
    format!("/bookings/{}/move", booking["id"].as_str().unwrap())
}

both_engines! {
    async fn a_booking_moves_with_its_code_and_the_old_place_is_free(app: TestApp) {
        let villager = app.villager("甲").await;
        let (day, later) = (one_slot(&app, 1).await, days(&app).await.into_iter().find(|day| day["date"] == "2026-11-25").unwrap());
        let slot = &day["slots"][0];
        let booking = booked(&villager, slot).await;
        let to = later["slots"][2]["id"].clone();
        villager.post(&path(&booking), json!({"slot": to, "version": 9})).await.problem("stale");
        app.villager("乙").await.post(&path(&booking), json!({"slot": to})).await.problem("not_found");
        let moved = villager.post(&path(&booking), json!({"slot": to})).await.expect(200);
        assert_eq!((&moved["id"], &moved["code"], &moved["slot"]), (&booking["id"], &booking["code"], &to));
        assert_eq!((&moved["talk_day"], &moved["version"]), (&later["id"], &json!(2)));
        booked(&app.villager("乙").await, slot).await;
        villager.post(&path(&booking), json!({"slot": to})).await.problem("transition_not_allowed");
        villager.post(&path(&booking), json!({"slot": slot["id"]})).await.problem("slot_full");
        assert_eq!(villager.get("/bookings").await.expect(200)["items"][0]["slot"], to, "the old place was kept");
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
        assert!(villager.get("/inbox").await.expect(200).to_string().contains("booking_moved"));
    }

    async fn a_move_keeps_the_limits(app: TestApp) {
        let villager = app.villager("甲").await;
        let first = one_slot(&app, 1).await;
        let booking = booked(&villager, &first["slots"][0]).await;
        let open = days(&app).await;
        let second = open.iter().find(|day| day["date"] == "2026-11-25").unwrap();
        booked(&villager, &second["slots"][0]).await;
        villager.post(&path(&booking), json!({"slot": second["slots"][1]["id"]})).await.problem("already_booked");
        let closed = open.iter().find(|day| day["date"] == "2026-12-15").unwrap();
        villager.post(&path(&booking), json!({"slot": closed["slots"][0]["id"]})).await.problem("booking_not_open");
        app.advance(TimeDelta::hours(27));
        let villager = app.villager("甲").await;
        villager.post(&path(&booking), json!({"slot": second["slots"][1]["id"]})).await.problem("too_late");
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn a_private_matter_is_not_moved_into_an_open_meeting(app: TestApp) {
        let villager = app.villager("甲").await;
        let day = one_slot(&app, 1).await;
        let mut secret = wish();
        secret["privacy"] = json!("private");
        let booking = villager.post(&bookings(&day["slots"][0]), secret).await.expect(201);
        let open = single_day(&app, json!({"format": "open_meeting"})).await;
        let to = json!({"slot": open["slots"][0]["id"]});
        villager.post(&path(&booking), to).await.invalid("/slot", "not_offered");
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn two_who_swap_their_places_never_lose_both(app: TestApp) {
        let desk = app.staff("desk").await;
        let body = json!({"date": "2026-11-24", "starts": "15:00", "ends": "15:30", "place": "村委会", "walk_in_share": 0.0});
        let day = desk.post(&format!("/staff/divisions/{}/talk-days", app.village().await), body).await.expect(201);
        let (a, b) = (&day["slots"][0], &day["slots"][1]);
        let (one, two) = (app.villager("甲").await, app.villager("乙").await);
        let (first, second) = (booked(&one, a).await, booked(&two, b).await);
        for _ in 0..5 {
            let (to_b, to_a) = (json!({"slot": b["id"]}), json!({"slot": a["id"]}));
            let (x, y) = (path(&first), path(&second));
            let (x, y) = futures_util::future::join(one.post(&x, to_b), two.post(&y, to_a)).await;
            // Both slots hold one person each: neither can move before the other has.
            x.problem("slot_full");
            y.problem("slot_full");
        }
        assert_eq!(app.number("SELECT count(*) FROM booking WHERE live").await, 2);
        assert_eq!(wrong_counts(&app).await, 0);
        let third = app.villager("丙").await;
        third.post(&bookings(a), wish()).await.problem("slot_full");
        app.drain_jobs().await;
    }
}
