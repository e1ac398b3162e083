//! Who loses a place with its day gets another in one call.

use serde_json::json;

use super::{booked, days, one_slot, wrong_counts};

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
