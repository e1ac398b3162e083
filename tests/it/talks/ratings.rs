//! Who was heard rates the day, once and in time; nobody reads a single rating.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::hearing::{answered, concluded, hosted, id, matter};

fn rate(day: &Value) -> String {
    format!("/talk-days/{}/ratings", id(day))
}

both_engines! {
    async fn who_was_heard_rates_once_after_the_day_and_for_fifteen_days(app: TestApp) {
        let (villager, other, late) = (app.villager("甲").await, app.villager("乙").await, app.villager("丙").await);
        let day = hosted(&app, &[], 5).await;
        let heard = matter(&villager, &day, "public", "路灯").await;
        matter(&other, &day, "public", "修桥").await;
        let third = matter(&late, &day, "private", "家里的事").await;
        let desk = app.staff("desk").await;
        concluded(&app, &desk, &heard, answered()).await;
        concluded(&app, &desk, &third, json!({"record": "劝和", "outcome": "answered"})).await;
        villager.post(&rate(&day), json!({"stars": 5})).await.problem("rating_not_open");
        // To the end of Tuesday's day, 15:30.
        app.advance(TimeDelta::minutes(29 * 60 + 30));
        let villager = app.villager("甲").await;
        for (body, fault) in [(json!({"stars": 0}), "range"), (json!({"stars": 6}), "range")] {
            villager.post(&rate(&day), body).await.invalid("/stars", fault);
        }
        let rated = villager.post(&rate(&day), json!({"stars": 4, "text": "等得有点久"})).await.expect(201);
        assert_eq!((&rated["stars"], &rated["text"]), (&json!(4), &json!("等得有点久")));
        villager.post(&rate(&day), json!({"stars": 5})).await.problem("already_rated");
        app.villager("乙").await.post(&rate(&day), json!({"stars": 1})).await.problem("rating_not_open");
        app.villager("丁").await.post(&rate(&day), json!({"stars": 1})).await.problem("not_found");
        assert_eq!(app.number("SELECT count(*) FROM talk_rating WHERE text LIKE '%等得%'").await, 0, "words are sealed");
        app.advance(TimeDelta::days(15));
        app.villager("丙").await.post(&rate(&day), json!({"stars": 5})).await.problem("rating_not_open");
        app.drain_jobs().await;
    }

    async fn an_average_is_of_ten_at_least_and_so_is_their_number(app: TestApp) {
        let desk = app.staff("desk").await;
        let day = hosted(&app, &[], 10).await;
        let names: Vec<String> = (0..10).map(|n| format!("样例{n}")).collect();
        for name in &names {
            let booking = matter(&app.villager(name).await, &day, "public", "路灯").await;
            concluded(&app, &desk, &booking, answered()).await;
        }
        app.advance(TimeDelta::hours(30));
        let numbers = format!("/staff/divisions/{}/talk-numbers?period=2026-11", app.village().await);
        for (at, name) in names.iter().enumerate() {
            let stars = [5, 5, 4, 3, 1][at % 5];
            app.villager(name).await.post(&rate(&day), json!({"stars": stars})).await.expect(201);
            let ratings = app.staff("desk").await.get(&numbers).await.expect(200)["total"]["ratings"].clone();
            let (average, n) = if at < 9 { (Value::Null, Value::Null) } else { (json!(3.6), json!(10)) };
            assert_eq!(ratings, json!({"average": average, "n": n}));
        }
        app.drain_jobs().await;
    }
}
