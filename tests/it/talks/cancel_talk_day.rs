//! Calling a day off: who was in, or waited, hears why and what is free instead, and no place stays counted.

use serde_json::json;

use super::{booked, bookings, days, last_told, one_slot, seen, single_day, waits, wish, wrong_counts};

fn cancel(day: &serde_json::Value) -> String {
    format!("/staff/talk-days/{}/cancel", day["id"].as_str().unwrap())
}

both_engines! {
    async fn who_was_booked_hears_when_why_and_what_is_free(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let day = one_slot(&app, 2).await;
        let booking = booked(&villager, &day["slots"][0]).await;
        app.staff("neighbour").await.post(&cancel(&day), json!({"reason": "下雨"})).await.problem("not_found");
        desk.post(&cancel(&day), json!({"reason": "  "})).await.invalid("/reason", "empty");
        let with_a_phone = json!({"reason": "主持人病了，请打 138-0000 0000"});
        desk.post(&cancel(&day), with_a_phone).await.invalid("/reason", "personal");
        desk.post(&cancel(&day), json!({"reason": "下雨"})).await.expect(200);
        let now = villager.get(&format!("/bookings/{}", booking["id"].as_str().unwrap())).await.expect(200);
        assert_eq!((&now["state"], &now["cancel_reason"]), (&json!("cancelled"), &json!("day_cancelled")));
        app.villager("乙").await.post(&bookings(&day["slots"][0]), wish()).await.problem("day_cancelled");
        let (kind, text) = last_told(&app, &villager).await;
        assert_eq!(kind, "booking_day_cancelled");
        // The village sits on the 25th, and booking for it is open.
        assert_eq!(text, "11月24日 15:00 的说事日取消了：下雨。最近还有 11月25日 09:00 的空位，可一键改约");
        assert_eq!(wrong_counts(&app).await, 0);
        desk.post(&cancel(&day), json!({"reason": "下雨"})).await.problem("transition_not_allowed");
    }

    async fn several_are_told_of_several_places_and_nobody_of_a_day_they_are_on(app: TestApp) {
        let (one, two, three) = (app.villager("甲").await, app.villager("乙").await, app.villager("丙").await);
        let evening = json!({"date": "2026-11-24", "starts": "18:00", "ends": "18:45", "walk_in_share": 0.0});
        let (day, next) = (one_slot(&app, 3).await, single_day(&app, evening).await);
        booked(&three, &next["slots"][2]).await;
        for villager in [&one, &two, &three] {
            booked(villager, &day["slots"][0]).await;
        }
        app.staff("desk").await.post(&cancel(&day), json!({"reason": "停电"})).await.expect(200);
        let mut places = Vec::new();
        for villager in [&one, &two, &three] {
            let (_, text) = last_told(&app, villager).await;
            places.push(text.split("最近还有 ").nth(1).unwrap().split(" 的空位").next().unwrap().to_owned());
        }
        places.sort();
        assert_eq!(places, ["11月24日 18:00", "11月24日 18:15", "11月25日 09:00"]);
    }

    async fn where_nothing_is_free_nobody_is_sent_anywhere(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let day = one_slot(&app, 1).await;
        booked(&villager, &day["slots"][0]).await;
        for other in days(&app).await.iter().filter(|other| other["id"] != day["id"]) {
            desk.post(&cancel(other), json!({"reason": "封路"})).await.expect(200);
        }
        desk.post(&cancel(&day), json!({"reason": "封路"})).await.expect(200);
        let (kind, text) = last_told(&app, &villager).await;
        assert_eq!(kind, "booking_day_cancelled_no_place");
        assert!(text.contains("封路") && !text.contains("%{"), "{text}");
    }

    async fn waiting_ends_with_the_day(app: TestApp) {
        let (one, two, three) = (app.villager("甲").await, app.villager("乙").await, app.villager("丙").await);
        let day = one_slot(&app, 2).await;
        booked(&one, &day["slots"][0]).await;
        waits(&app, &day["slots"][0], &two, true).await;
        waits(&app, &day["slots"][0], &three, false).await;
        assert_eq!(seen(&app, &day).await["slots"][0]["free"], 0);
        app.staff("desk").await.post(&cancel(&day), json!({"reason": "下雪"})).await.expect(200);
        assert_eq!(app.number("SELECT count(*) FROM talk_wait WHERE state = 'ended' AND ended_at IS NOT NULL").await, 2);
        assert_eq!(app.number("SELECT count(*) FROM slot WHERE held <> 0 OR waiting <> 0 OR taken <> 0").await, 0);
        for villager in [&two, &three] {
            let (kind, text) = last_told(&app, villager).await;
            assert_eq!((kind.as_str(), text.as_str()), ("wait_day_cancelled", "您候补的 11月24日 15:00 说事日取消了：下雪"));
        }
    }

    async fn calling_off_and_booking_at_once_leaves_nobody_on_a_day_that_is_off(app: TestApp) {
        let day = one_slot(&app, 20).await;
        let mut people = Vec::new();
        for n in 0..16 {
            people.push(app.villager(&format!("村民{n}")).await);
        }
        let (desk, slot) = (app.staff("desk").await, day["slots"][0].clone());
        let path = bookings(&slot);
        let storm = futures_util::future::join_all(people.iter().map(|one| one.post(&path, wish())));
        let (path, body) = (cancel(&day), json!({"reason": "停水"}));
        let (answers, off) = tokio::join!(storm, desk.post(&path, body));
        off.expect(200);
        for answer in answers {
            assert!(answer.status == 201 || answer.body["code"] == "day_cancelled", "{}", answer.text());
        }
        assert_eq!(app.number("SELECT count(*) FROM booking WHERE live").await, 0);
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn only_the_same_kind_of_day_is_offered(app: TestApp) {
        let villager = app.villager("甲").await;
        let lawyer = json!({"purpose": "legal_advice", "date": "2026-11-24", "walk_in_share": 0.0});
        let day = single_day(&app, lawyer).await;
        booked(&villager, &day["slots"][0]).await;
        app.staff("desk").await.post(&cancel(&day), json!({"reason": "律师生病"})).await.expect(200);
        assert_eq!(last_told(&app, &villager).await.0, "booking_day_cancelled_no_place");
    }
}
