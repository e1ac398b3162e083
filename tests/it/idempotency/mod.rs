//! `Idempotency-Key`: a call that is sent twice acts once.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;

use crate::support::a_booking;

const KEY: &str = "key-of-a-phone-1";

both_engines! {
    async fn a_repeat_gets_the_first_answer_and_makes_nothing(app: TestApp) {
        let (me, path) = (app.villager("甲").await, app.bookings_of_a_slot().await);
        let first = me.post_keyed(&path, KEY, a_booking()).await;
        assert_eq!(first.header("idempotency-replayed"), "");
        let again = me.post_keyed(&path, KEY, a_booking()).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!((again.status, &again.bytes), (201, &first.bytes));
        assert_eq!(app.number("SELECT COUNT(*) FROM booking").await, 1);
        app.drain_jobs().await;
    }

    async fn a_repeat_is_answered_as_before_even_when_the_slot_has_filled_up(app: TestApp) {
        let (me, path) = (app.villager("甲").await, app.bookings_of_a_slot().await);
        let mine = me.post_keyed(&path, KEY, a_booking()).await.expect(201);
        for number in 1..7 {
            app.villager(&format!("{number}")).await.post(&path, a_booking()).await.expect(201);
        }
        app.villager("late").await.post(&path, a_booking()).await.problem("slot_full");
        assert_eq!(me.post_keyed(&path, KEY, a_booking()).await.expect(201)["id"], mine["id"]);
        app.drain_jobs().await;
    }

    async fn the_same_key_with_another_body_or_address_is_a_mistake(app: TestApp) {
        let (me, path) = (app.villager("甲").await, app.bookings_of_a_slot().await);
        let booked = me.post_keyed(&path, KEY, a_booking()).await.expect(201);
        let mut other = a_booking();
        other["summary"] = json!("另一件事");
        me.post_keyed(&path, KEY, other).await.problem("idempotency_key_reused");
        let cancel = format!("/bookings/{}/cancel", booked["id"].as_str().unwrap());
        me.post_keyed(&cancel, KEY, a_booking()).await.problem("invalid");
        me.post_keyed(&cancel, KEY, json!({})).await.problem("idempotency_key_reused");
        app.drain_jobs().await;
    }

    async fn ten_repeats_at_once_make_one_thing(app: TestApp) {
        let (me, path) = (app.villager("甲").await, app.bookings_of_a_slot().await);
        let answers = join_all((0..10).map(|_| me.post_keyed(&path, KEY, a_booking()))).await;
        let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
        for answer in refused {
            answer.problem("idempotency_in_progress");
        }
        let ids: Vec<_> = made.iter().map(|answer| &answer.body["id"]).collect();
        assert!(!ids.is_empty() && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(made.iter().filter(|answer| answer.header("idempotency-replayed").is_empty()).count(), 1);
        assert_eq!(app.number("SELECT COUNT(*) FROM booking").await, 1);
        assert_eq!(app.number("SELECT CAST(SUM(taken) AS BIGINT) FROM slot").await, 1);
        app.drain_jobs().await;
    }

    async fn a_refused_call_may_be_tried_again_with_its_key(app: TestApp) {
        let (me, path) = (app.villager("甲").await, app.bookings_of_a_slot().await);
        let mut wrong = a_booking();
        wrong["privacy"] = json!("whispered");
        me.post_keyed(&path, KEY, wrong).await.invalid("/privacy", "unknown");
        me.post_keyed(&path, KEY, a_booking()).await.expect(201);
        app.drain_jobs().await;
    }

    async fn a_key_is_of_one_caller(app: TestApp) {
        let path = app.bookings_of_a_slot().await;
        let first = app.villager("甲").await.post_keyed(&path, KEY, a_booking()).await.expect(201);
        let second = app.villager("乙").await.post_keyed(&path, KEY, a_booking()).await.expect(201);
        assert_ne!(first["id"], second["id"]);
        app.drain_jobs().await;
    }

    async fn a_key_has_eight_to_sixty_four_visible_characters(app: TestApp) {
        let (me, path) = (app.villager("甲").await, app.bookings_of_a_slot().await);
        for key in ["seven77".to_owned(), "a".repeat(65), "with a space".to_owned(), String::new()] {
            me.post_keyed(&path, &key, a_booking()).await.invalid("header/Idempotency-Key", "format");
        }
        me.post_keyed(&path, &"a".repeat(64), a_booking()).await.expect(201);
        app.drain_jobs().await;
    }

    async fn a_key_is_forgotten_after_two_days(app: TestApp) {
        let (me, path) = (app.villager("甲").await, app.bookings_of_a_slot().await);
        me.post_keyed(&path, KEY, a_booking()).await.expect(201);
        app.advance(TimeDelta::hours(47));
        app.drain_jobs().await;
        assert_eq!(app.number("SELECT COUNT(*) FROM idempotent_answer").await, 1);
        app.advance(TimeDelta::hours(7));
        app.drain_jobs().await;
        assert_eq!(app.number("SELECT COUNT(*) FROM idempotent_answer").await, 0);
    }
}
