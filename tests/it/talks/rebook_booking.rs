//! Who loses a place with its day gets another in one call.

use serde_json::json;

use super::{booked, bookings, days, last_told, one_slot, single_day, wish, wrong_counts};

both_engines! {
    async fn a_day_called_off_offers_places_and_one_call_takes_one(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let day = one_slot(&app, 2).await;
        let booking = booked(&villager, &day["slots"][0]).await;
        let own = format!("/bookings/{}", booking["id"].as_str().unwrap());
        villager.post(&format!("{own}/rebook"), json!({})).await.problem("transition_not_allowed");
        let off = json!({"reason": "下雨"});
        desk.post(&format!("/staff/talk-days/{}/cancel", day["id"].as_str().unwrap()), off).await.expect(200);
        let lost = villager.get(&own).await.expect(200);
        assert_eq!(lost["actions"], json!(["rebook"]));
        let near = days(&app).await.into_iter().find(|day| day["date"] == "2026-11-25").unwrap();
        assert_eq!(lost["alternatives"][0]["slot"], near["slots"][0]["id"]);
        let chosen = lost["alternatives"][2]["slot"].clone();
        let again = villager.post(&format!("{own}/rebook"), json!({"slot": chosen})).await.expect(201);
        assert_eq!((&again["slot"], &again["summary"], &again["state"]), (&chosen, &booking["summary"], &json!("booked")));
        villager.post(&format!("{own}/rebook"), json!({})).await.problem("already_booked");
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn what_is_offered_can_be_had(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let day = one_slot(&app, 2).await;
        let mut secret = wish();
        secret["privacy"] = json!("private");
        let booking = villager.post(&bookings(&day["slots"][0]), secret).await.expect(201);
        // The nearest is an open meeting, the next is for those who come by video, on the 25th they have a place.
        single_day(&app, json!({"date": "2026-11-24", "starts": "16:00", "ends": "17:00", "format": "open_meeting"})).await;
        let video = json!({"date": "2026-11-24", "starts": "17:00", "ends": "18:00", "modes": ["video"], "video_url": "https://meet.example/shuoshi"});
        single_day(&app, video).await;
        let busy = days(&app).await.into_iter().find(|day| day["date"] == "2026-11-25").unwrap();
        booked(&villager, &busy["slots"][0]).await;
        let fits = single_day(&app, json!({"date": "2026-11-26"})).await;
        desk.post(&format!("/staff/talk-days/{}/cancel", day["id"].as_str().unwrap()), json!({"reason": "下雨"})).await.expect(200);
        let (kind, text) = last_told(&app, &villager).await;
        assert_eq!(kind, "booking_day_cancelled");
        assert!(text.contains("11月26日 15:00"), "{text}");
        let own = format!("/bookings/{}", booking["id"].as_str().unwrap());
        let lost = villager.get(&own).await.expect(200);
        assert_eq!(lost["alternatives"][0]["slot"], fits["slots"][0]["id"]);
        let again = villager.post(&format!("{own}/rebook"), json!({})).await.expect(201);
        assert_eq!((&again["slot"], &again["privacy"]), (&fits["slots"][0]["id"], &json!("private")));
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn without_a_choice_it_is_the_nearest(app: TestApp) {
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let day = one_slot(&app, 2).await;
        let booking = booked(&villager, &day["slots"][0]).await;
        desk.post(&format!("/staff/talk-days/{}/cancel", day["id"].as_str().unwrap()), json!({"reason": "下雨"})).await.expect(200);
        let path = format!("/bookings/{}/rebook", booking["id"].as_str().unwrap());
        let again = villager.post_keyed(&path, "one-tap-0001", json!({})).await.expect(201);
        assert_eq!(again["date"], "2026-11-25");
        assert_eq!(villager.post_keyed(&path, "one-tap-0001", json!({})).await.expect(201), again);
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }
}
