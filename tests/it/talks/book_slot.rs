//! Booking: who gets a place, and what the others are told.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{booked, bookings, days, one_slot, wish, wrong_counts};

both_engines! {
    async fn a_place_is_booked_shown_and_told(app: TestApp) {
        let villager = app.villager("甲").await;
        let day = one_slot(&app, 3).await;
        let booking = booked(&villager, &day["slots"][0]).await;
        assert_eq!((&booking["state"], &booking["number_in_line"], &booking["actions"]), (&json!("booked"), &json!(1), &json!(["cancel", "move"])));
        assert_eq!(booking["talk_day"], day["id"]);
        let id = booking["id"].as_str().unwrap();
        assert_eq!(villager.get(&format!("/bookings/{id}")).await.expect(200)["code"], booking["code"]);
        assert_eq!(villager.get("/bookings").await.expect(200)["items"][0]["id"], booking["id"]);
        app.villager("乙").await.get(&format!("/bookings/{id}")).await.problem("not_found");
        let now = app.nobody().get(&format!("/talk-days/{}", day["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(now["slots"][0]["free"], 2);
        app.drain_jobs().await;
        assert_eq!(villager.get("/inbox").await.expect(200)["items"][0]["booking"], booking["id"]);
    }

    async fn of_64_at_once_five_get_the_five_places(app: TestApp) {
        let slot = one_slot(&app, 5).await["slots"][0].clone();
        let mut people = Vec::new();
        for n in 0..64 {
            people.push(app.villager(&format!("村民{n}")).await);
        }
        let path = bookings(&slot);
        let at_once = people.iter().map(|one| one.post_keyed(&path, "opening-0800", wish()));
        let answers = futures_util::future::join_all(at_once).await;
        let mut numbers = Vec::new();
        for (answer, person) in answers.into_iter().zip(&people) {
            if answer.status == 201 {
                let again = person.post_keyed(&bookings(&slot), "opening-0800", wish()).await.expect(201);
                assert_eq!(again, answer.body, "a retry is the same booking");
                numbers.push(answer.body["number_in_line"].as_i64().unwrap());
            } else {
                let told = answer.problem("slot_full");
                assert!(!told["alternatives"].as_array().unwrap().is_empty(), "{told}");
            }
        }
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3, 4, 5]);
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn alternatives_are_near_and_really_free(app: TestApp) {
        let full = one_slot(&app, 1).await["slots"][0].clone();
        booked(&app.villager("甲").await, &full).await;
        let other = app.villager("乙").await;
        let told = other.post(&bookings(&full), wish()).await.problem("slot_full");
        let near: Vec<Value> = told["alternatives"].as_array().unwrap().clone();
        assert!((1..=5).contains(&near.len()), "{told}");
        let slot = json!({"id": near[0]["slot"]});
        booked(&other, &slot).await;
        app.drain_jobs().await;
    }

    async fn one_place_a_day_and_three_in_all(app: TestApp) {
        let villager = app.villager("甲").await;
        let open: Vec<Value> = days(&app).await;
        let single = one_slot(&app, 5).await;
        booked(&villager, &single["slots"][0]).await;
        villager.post(&bookings(&single["slots"][0]), wish()).await.problem("already_booked");
        app.advance(TimeDelta::hours(1));
        // 25 November and 5 December open fourteen days before.
        booked(&villager, &open[0]["slots"][0]).await;
        villager.post(&bookings(&open[0]["slots"][1]), wish()).await.problem("already_booked");
        booked(&villager, &open[1]["slots"][0]).await;
        let desk = app.staff("desk").await;
        let body = json!({"date": "2026-11-26", "starts": "09:00", "ends": "10:00", "place": "村委会"});
        let fourth = desk.post(&format!("/staff/divisions/{}/talk-days", app.village().await), body).await.expect(201);
        let fourth = app.nobody().get(&format!("/talk-days/{}", fourth["id"].as_str().unwrap())).await.expect(200);
        let villager = app.villager("甲").await;
        villager.post(&bookings(&fourth["slots"][0]), wish()).await.problem("limit_reached");
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn four_bookings_at_once_are_still_three_in_all(app: TestApp) {
        let villager = app.villager("甲").await;
        let desk = app.staff("desk").await;
        let mut slots = Vec::new();
        for date in ["2026-11-25", "2026-11-26", "2026-11-27", "2026-11-28", "2026-11-29"] {
            let body = json!({"date": date, "starts": "14:00", "ends": "15:00", "place": "村委会", "walk_in_share": 0.0});
            let day = desk.post(&format!("/staff/divisions/{}/talk-days", app.village().await), body).await.expect(201);
            slots.push(app.nobody().get(&format!("/talk-days/{}", day["id"].as_str().unwrap())).await.expect(200)["slots"][0].clone());
        }
        let paths: Vec<String> = slots.iter().map(bookings).collect();
        let answers = futures_util::future::join_all(paths.iter().map(|path| villager.post(path, wish()))).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 3);
        for answer in answers.into_iter().filter(|answer| answer.status != 201) {
            answer.problem("limit_reached");
        }
        app.drain_jobs().await;
    }

    async fn booking_opens_and_closes_when_it_says(app: TestApp) {
        let villager = app.villager("甲").await;
        let later = days(&app).await.into_iter().find(|day| day["date"] == "2026-12-15").unwrap();
        villager.post(&bookings(&later["slots"][0]), wish()).await.problem("booking_not_open");
        let day = one_slot(&app, 5).await;
        // Starts on Tuesday at 15:00; booking closes at 13:00.
        app.advance(TimeDelta::hours(27) - TimeDelta::seconds(1));
        let villager = app.villager("甲").await;
        booked(&villager, &day["slots"][0]).await;
        app.advance(TimeDelta::seconds(1));
        app.villager("乙").await.post(&bookings(&day["slots"][0]), wish()).await.problem("booking_closed");
        app.drain_jobs().await;
    }

    async fn a_wish_is_checked_field_by_field(app: TestApp) {
        let villager = app.villager("甲").await;
        let slot = one_slot(&app, 5).await["slots"][0].clone();
        let with = |field: &str, value: Value| {
            let mut body = wish();
            body[field] = value;
            body
        };
        for (field, value, fault) in [
            ("topic", json!("no_such_topic"), "unknown"),
            ("summary", json!(""), "length"),
            ("summary", json!("字".repeat(501)), "length"),
            ("privacy", json!("secret"), "unknown"),
            ("mode", json!("video"), "not_offered"),
            ("colour", json!(1), "unknown_field"),
        ] {
            villager.post(&bookings(&slot), with(field, value)).await.invalid(&format!("/{field}"), fault);
        }
        villager.post(&format!("/slots/{}/bookings", uuid::Uuid::now_v7()), wish()).await.problem("not_found");
        villager.post("/slots/nonsense/bookings", wish()).await.problem("not_found");
        villager.post(&bookings(&slot), with("summary", json!("字".repeat(500)))).await.expect(201);
        app.drain_jobs().await;
    }

    async fn a_private_matter_is_for_the_host_alone(app: TestApp) {
        let (villager, desk, cadre) = (app.villager("甲").await, app.staff("desk").await, app.staff("cadre").await);
        let body = json!({
            "date": "2026-11-24", "starts": "15:00", "ends": "16:00", "place": "村委会", "hosts": [cadre.id()],
        });
        let made = desk.post(&format!("/staff/divisions/{}/talk-days", app.village().await), body).await.expect(201);
        let day = app.nobody().get(&format!("/talk-days/{}", made["id"].as_str().unwrap())).await.expect(200);
        let secret = json!({"topic": "dispute", "summary": "和邻居的事", "privacy": "private"});
        villager.post(&bookings(&day["slots"][0]), secret).await.expect(201);
        let line = format!("/staff/talk-days/{}/line", day["id"].as_str().unwrap());
        let at_the_door = desk.get(&line).await.expect(200);
        assert_eq!(at_the_door["items"].as_array().unwrap().len(), 1, "the desk sees that somebody comes");
        assert!(!at_the_door.to_string().contains("和邻居的事"), "{at_the_door}");
        assert!(cadre.get(&line).await.expect(200).to_string().contains("和邻居的事"), "the host prepares");
        app.staff("neighbour").await.get(&line).await.problem("not_found");
        app.drain_jobs().await;
    }
}
