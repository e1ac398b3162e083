//! Several servers over one database: every sweep, lock and count must allow it.

use chrono::TimeDelta;
use futures_util::future::{join, join_all};
use shuoshi::jobs::sweeps::{self, Sweep};

use crate::support::a_booking;

/// Public places left in the slot of the rush.
const PLACES: usize = 5;

both_engines! {
    async fn two_servers_materialise_at_once_and_make_nothing_twice(app: TestApp) {
        let other = app.second_server().await;
        let before = app.number("SELECT COUNT(*) FROM talk_day").await;
        for _ in 0..4 {
            app.advance(TimeDelta::days(11));
            let (one, two) = join(
                sweeps::run(app.app(), Sweep::MaterialiseTalkDays),
                sweeps::run(other.app(), Sweep::MaterialiseTalkDays),
            )
            .await;
            one.unwrap();
            two.unwrap();
        }
        assert!(app.number("SELECT COUNT(*) FROM talk_day").await > before);
        let twice = "SELECT COUNT(*) FROM (SELECT 1 FROM talk_day GROUP BY rule_id, on_date HAVING COUNT(*) > 1) d";
        assert_eq!(app.number(twice).await, 0);
        let slots = "SELECT COUNT(*) FROM (SELECT 1 FROM slot GROUP BY talk_day_id, starts_at HAVING COUNT(*) > 1) s";
        assert_eq!(app.number(slots).await, 0);
        app.drain_jobs().await;
    }

    async fn two_servers_never_give_a_place_away_twice(app: TestApp) {
        let other = app.second_server().await;
        let path = app.bookings_of_a_slot().await;
        for early in 0..7 - PLACES {
            app.villager(&format!("early {early}")).await.post(&path, a_booking()).await.expect(201);
        }
        let mut crowd = Vec::new();
        for number in 0..64 {
            let villager = app.villager(&format!("{number}")).await;
            crowd.push(if number % 2 == 0 { villager } else { villager.at(&other) });
        }
        let answers = join_all(crowd.iter().map(|villager| villager.post(&path, a_booking()))).await;
        let (booked, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        assert_eq!(booked.len(), PLACES, "{refused:?}");
        for answer in refused {
            let told = answer.problem("slot_full");
            assert!(!told["alternatives"].as_array().unwrap().is_empty(), "{told}");
        }
        assert_eq!(app.number("SELECT COUNT(*) FROM booking WHERE live").await, 7);
        assert_eq!(app.number("SELECT CAST(SUM(taken) AS BIGINT) FROM slot").await, 7);
        app.drain_jobs().await;
    }
}
