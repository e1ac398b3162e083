//! Giving a place up.

use chrono::TimeDelta;
use entity::id::PersonId;
use serde_json::{Value, json};
use shuoshi::talks;

use super::{booked, bookings, one_slot, put_in_state, wish, wrong_counts};
use crate::support::Actor;

both_engines! {
    async fn a_place_given_up_is_free_again_with_its_number(app: TestApp) {
        let (one, two, three) = (app.villager("甲").await, app.villager("乙").await, app.villager("丙").await);
        let slot = one_slot(&app, 2).await["slots"][0].clone();
        let first = booked(&one, &slot).await;
        booked(&two, &slot).await;
        three.post(&bookings(&slot), wish()).await.problem("slot_full");
        let path = format!("/bookings/{}/cancel", first["id"].as_str().unwrap());
        two.post(&path, json!({})).await.problem("not_found");
        one.post(&path, json!({"version": 9})).await.problem("stale");
        let cancelled = one.post(&path, json!({"reason": "有事"})).await.expect(200);
        assert_eq!((&cancelled["state"], &cancelled["actions"]), (&json!("cancelled"), &json!([])));
        one.post(&path, json!({})).await.problem("transition_not_allowed");
        assert_eq!(booked(&three, &slot).await["number_in_line"], 1, "the number given up is given again");
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn two_hours_before_it_is_too_late(app: TestApp) {
        let slot = one_slot(&app, 2).await["slots"][0].clone();
        let booking = booked(&app.villager("甲").await, &slot).await;
        app.advance(TimeDelta::hours(27));
        let path = format!("/bookings/{}/cancel", booking["id"].as_str().unwrap());
        app.villager("甲").await.post(&path, json!({})).await.problem("too_late");
        app.drain_jobs().await;
    }

    async fn cancelling_and_booking_at_once_never_loses_or_makes_a_place(app: TestApp) {
        let slot = one_slot(&app, 3).await["slots"][0].clone();
        let mut people = Vec::new();
        for n in 0..12 {
            people.push(app.villager(&format!("村民{n}")).await);
        }
        let storm = people.iter().map(|one| async {
            for _ in 0..4 {
                let answer = one.post(&bookings(&slot), wish()).await;
                assert!(answer.status == 201 || answer.status == 409, "{}", answer.text());
                if answer.status == 201 {
                    let path = format!("/bookings/{}/cancel", answer.body["id"].as_str().unwrap());
                    one.post(&path, json!({})).await.expect(200);
                }
            }
        });
        futures_util::future::join_all(storm).await;
        assert_eq!(wrong_counts(&app).await, 0);
        assert_eq!(app.number("SELECT count(*) FROM booking WHERE live").await, 0);
        app.drain_jobs().await;
    }

    async fn when_two_turn_out_to_be_one_the_place_by_which_they_were_heard_stays(app: TestApp) {
        let (met, known) = (app.villager("甲").await, app.villager("乙").await);
        let slot = one_slot(&app, 2).await["slots"][0].clone();
        let (heard, waiting) = (booked(&met, &slot).await, booked(&known, &slot).await);
        put_in_state(&app, &heard, "concluded").await;
        let id = |who: &Actor| PersonId(who.id().parse().unwrap());
        let (from, into, now) = (id(&met), id(&known), app.now());
        app.db().transact(async move |tx| talks::move_bookings(tx, from, into, now).await).await.unwrap();
        let all = known.get("/bookings").await.expect(200);
        let state = |of: &Value| all["items"].as_array().unwrap().iter().find(|one| one["id"] == of["id"]).unwrap()["state"].clone();
        assert_eq!((state(&heard), state(&waiting)), (json!("concluded"), json!("cancelled")));
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }
}
