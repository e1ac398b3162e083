//! Steps at the desk: who may be moved where, what is found, what is taken back.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{booked, of_booking, of_day, this_afternoon, walk_in};

both_engines! {
    async fn somebody_comes_is_called_again_set_aside_and_comes_back(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({})).await;
        let booking = booked(&app.villager("甲").await, &day["slots"][0]).await;
        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        desk.post(&of_booking(&booking, "call"), json!({})).await.problem("transition_not_allowed");
        let here = desk.post(&of_booking(&booking, "check-in"), json!({"version": 1})).await.expect(200);
        assert_eq!((&here["state"], &here["arrived_at"]), (&json!("checked_in"), &json!("2026-11-23T05:00:00Z")));
        desk.post(&of_booking(&booking, "call"), json!({"version": 1})).await.problem("stale");
        for (step, state) in [
            ("call", "called"), ("recall", "called"), ("park", "parked"), ("call", "called"), ("missed", "missed"),
            ("check-in", "checked_in"), ("park", "parked"), ("missed", "missed"),
        ] {
            assert_eq!(desk.post(&of_booking(&booking, step), json!({})).await.expect(200)["state"], state, "{step}");
        }
        app.staff("neighbour").await.post(&of_booking(&booking, "check-in"), json!({})).await.problem("not_found");
        app.villager("甲").await.post(&of_booking(&booking, "check-in"), json!({})).await.problem("not_your_duty");
        assert_eq!(app.number("SELECT count(*) FROM booking_event").await, 9);
        app.drain_jobs().await;
    }

    async fn people_come_on_the_day_and_are_missed_when_it_was_their_time(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({"date": "2026-11-24"})).await;
        let booking = booked(&app.villager("甲").await, &day["slots"][1]).await;
        let desk = app.staff("desk").await;
        desk.post(&of_booking(&booking, "check-in"), json!({})).await.problem("day_not_running");
        desk.post(&of_booking(&booking, "missed"), json!({})).await.problem("day_not_running");
        app.advance(TimeDelta::hours(27) + TimeDelta::minutes(9));
        let desk = app.staff("desk").await;
        desk.post(&of_booking(&booking, "missed"), json!({})).await.problem("day_not_running");
        app.advance(TimeDelta::minutes(1));
        desk.post(&of_booking(&booking, "missed"), json!({})).await.expect(200);
        app.drain_jobs().await;
    }

    async fn a_repeat_after_a_lost_answer_moves_nobody_twice(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({})).await;
        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        for name in ["样例甲", "样例乙"] {
            desk.post(&of_day(&day, "walk-ins"), walk_in(name)).await.expect(201);
        }
        let first = desk.post_keyed(&of_day(&day, "call-next"), "button-0001", json!({})).await.expect(200);
        let again = desk.post_keyed(&of_day(&day, "call-next"), "button-0001", json!({})).await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.expect(200), first);
        assert_eq!(app.number("SELECT count(*) FROM booking WHERE state = 'called'").await, 1);
    }

    async fn whoever_stands_there_is_found_by_code_phone_or_name(app: TestApp) {
        let day = this_afternoon(&app, 6, json!({})).await;
        let me = app.villager_with_phone("甲", "13812345678").await;
        me.put("/me", json!({"name": "样例甲"})).await.expect(200);
        let mine = booked(&me, &day["slots"][0]).await;
        booked(&app.villager("乙").await, &day["slots"][1]).await;
        let desk = app.staff("desk").await;
        let find = async |body: Value| desk.post(&of_day(&day, "find"), body).await;
        for body in [
            json!({"code": mine["code"]}), json!({"code": mine["code"].as_str().unwrap().to_lowercase()}),
            json!({"phone_tail": "5678"}), json!({"name": "样 例 甲"}),
        ] {
            let found = find(body.clone()).await.expect(200);
            assert_eq!(found["items"].as_array().unwrap().len(), 1, "{body} {found}");
            assert_eq!((&found["items"][0]["booking"], &found["items"][0]["name"]), (&mine["id"], &json!("样*甲")));
            assert!(!found.to_string().contains("13812345678") && !found.to_string().contains("样例甲"), "{found}");
        }
        for body in [json!({"code": "XXXXXX"}), json!({"phone_tail": "0000"}), json!({"name": "样例"})] {
            assert_eq!(find(body).await.expect(200)["items"], json!([]));
        }
        find(json!({})).await.invalid("/code", "required");
        find(json!({"code": "XXXXXX", "name": "样例"})).await.invalid("/code", "one_of");
        find(json!({"phone_tail": "12a4"})).await.invalid("/phone_tail", "format");
        find(json!({"phone_tail": "12345"})).await.invalid("/phone_tail", "length");
        app.staff("neighbour").await.post(&of_day(&day, "find"), json!({"phone_tail": "5678"})).await.problem("not_found");
        app.drain_jobs().await;
    }

    async fn a_slip_of_the_finger_is_taken_back_within_a_minute(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({})).await;
        let booking = booked(&app.villager("甲").await, &day["slots"][0]).await;
        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        let undo = of_booking(&booking, "undo");
        desk.post(&undo, json!({})).await.problem("transition_not_allowed");
        let here = desk.post(&of_booking(&booking, "check-in"), json!({})).await.expect(200);
        app.advance(TimeDelta::seconds(30));
        desk.post(&of_booking(&booking, "call"), json!({})).await.expect(200);
        app.advance(TimeDelta::seconds(60));
        desk.post(&undo, json!({"version": 1})).await.problem("stale");
        let back = desk.post(&undo, json!({})).await.expect(200);
        assert_eq!((&back["state"], &back["called_at"], &back["arrived_at"]), (&json!("checked_in"), &Value::Null, &here["arrived_at"]));
        assert_eq!(back["actions"], json!(["call", "park", "missed"]), "the step before is too long ago");
        desk.post(&undo, json!({})).await.problem("undo_too_late");
        desk.post(&of_booking(&booking, "missed"), json!({})).await.expect(200);
        app.staff("neighbour").await.post(&undo, json!({})).await.problem("not_found");
        app.advance(TimeDelta::seconds(61));
        desk.post(&undo, json!({})).await.problem("undo_too_late");
        app.drain_jobs().await;
    }

    async fn one_s_own_last_step_of_the_day_is_taken_back_not_another_s(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({})).await;
        app.advance(TimeDelta::hours(3));
        let (desk, cadre) = (app.staff("desk").await, app.staff("cadre").await);
        let undo = of_day(&day, "undo");
        desk.post(&undo, json!({})).await.problem("transition_not_allowed");
        let first = desk.post(&of_day(&day, "walk-ins"), walk_in("样例甲")).await.expect(201);
        let second = cadre.post(&of_day(&day, "walk-ins"), walk_in("样例乙")).await.expect(201);
        let gone = desk.post(&undo, json!({})).await.expect(200);
        assert_eq!((&gone["booking"], &gone["state"]), (&first["booking"], &json!("cancelled")));
        assert_eq!(cadre.post(&of_booking(&second, "call"), json!({})).await.expect(200)["state"], "called");
        assert_eq!(cadre.post(&undo, json!({})).await.expect(200)["state"], "checked_in");
        assert_eq!(cadre.post(&undo, json!({})).await.expect(200)["state"], "cancelled");
        assert_eq!(app.number("SELECT CAST(SUM(reserve_taken) AS BIGINT) FROM slot").await, 0);
    }
}
