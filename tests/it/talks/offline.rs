//! The desk without its line: what was done meanwhile counts once, in order, with the time at which it was done.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{booked, of_booking, of_day, this_afternoon, walk_in};
use crate::support::{Actor, TestApp};

async fn replay(desk: &Actor, day: &Value, actions: Value) -> Vec<Value> {
    let answer = desk.post(&of_day(day, "queue"), json!({"actions": actions})).await.expect(200);
    answer["items"].as_array().unwrap().clone()
}

fn outcomes(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["outcome"].as_str().unwrap()).collect()
}

/// A quarter of an hour at the door, from 13:00 on.
fn a_quarter_of_an_hour(booking: &Value) -> Value {
    let at = |minute: u32| format!("2026-11-23T13:{minute:02}:00+08:00");
    json!([
        {"key": "desk-1-0001", "at": at(0), "action": "check_in", "booking": booking["id"]},
        {"key": "desk-1-0002", "at": at(1), "action": "walk_in", "name": "样例甲", "topic": "roads", "summary": "路"},
        {"key": "desk-1-0003", "at": at(2), "action": "walk_in", "name": "样例乙", "topic": "no_such_topic", "summary": "路"},
        {"key": "desk-1-0004", "at": at(3), "action": "call", "booking": booking["id"]},
        {"key": "desk-1-0005", "at": at(9), "action": "call", "walk_in": "desk-1-0002"},
        {"key": "desk-1-0006", "at": at(10), "action": "park", "walk_in": "desk-1-0002"},
        {"key": "desk-1-0007", "at": at(11), "action": "call_next"},
        {"key": "desk-1-0008", "at": at(12), "action": "walk_in", "name": "样例丙", "topic": "roads", "summary": "路"},
        {"key": "desk-1-0009", "at": at(13), "action": "call_next"},
        {"key": "desk-1-0010", "at": at(14), "action": "recall", "walk_in": "desk-1-0008"},
        {"key": "desk-1-0011", "at": at(14), "action": "undo", "walk_in": "desk-1-0008"},
    ])
}

async fn events(app: &TestApp) -> i64 {
    app.number("SELECT count(*) FROM booking_event").await
}

both_engines! {
    async fn a_quarter_of_an_hour_without_a_line_counts_as_it_happened(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({})).await;
        let booking = booked(&app.villager("甲").await, &day["slots"][0]).await;
        app.advance(TimeDelta::hours(3) + TimeDelta::minutes(15));
        let desk = app.staff("desk").await;
        let items = replay(&desk, &day, a_quarter_of_an_hour(&booking)).await;
        assert_eq!(outcomes(&items), ["done", "done", "refused", "done", "done", "done", "refused", "done", "done", "done", "done"], "{items:?}");
        assert_eq!((&items[2]["code"], &items[6]["code"]), (&json!("invalid"), &json!("line_empty")));
        assert_eq!((&items[1]["number"], &items[8]["booking"]), (&json!(4), &items[7]["booking"]));
        let line = desk.get(&of_day(&day, "line")).await.expect(200);
        let seen: Vec<_> = line["items"].as_array().unwrap().iter().map(|entry| {
            (entry["state"].as_str().unwrap(), entry["arrived_at"].as_str().unwrap(), entry["called_at"].as_str().unwrap())
        }).collect();
        assert_eq!(seen, [
            ("called", "2026-11-23T05:00:00Z", "2026-11-23T05:03:00Z"),
            ("parked", "2026-11-23T05:01:00Z", "2026-11-23T05:09:00Z"),
            ("called", "2026-11-23T05:12:00Z", "2026-11-23T05:13:00Z"),
        ]);
        app.drain_jobs().await;
    }

    async fn a_queue_sent_twice_or_cut_in_the_middle_acts_once(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({})).await;
        let booking = booked(&app.villager("甲").await, &day["slots"][0]).await;
        app.advance(TimeDelta::hours(3) + TimeDelta::minutes(15));
        let desk = app.staff("desk").await;
        let whole = a_quarter_of_an_hour(&booking);
        let cut = json!(whole.as_array().unwrap()[..5]);
        let first = replay(&desk, &day, cut).await;
        let (path, body) = (of_day(&day, "queue"), json!({"actions": whole}));
        // Twice at once, by two servers.
        let other = app.second_server().await;
        let elsewhere = desk.clone().at(&other);
        let (one, two) = futures_util::future::join(desk.post(&path, body.clone()), elsewhere.post(&path, body)).await;
        let (one, two) = (one.expect(200)["items"].clone(), two.expect(200)["items"].clone());
        for at in [0, 1, 3, 4] {
            assert_eq!((&one[at]["outcome"], &one[at]["booking"], &one[at]["number"]), (&json!("repeated"), &first[at]["booking"], &first[at]["number"]));
        }
        for at in [5, 7, 8, 9, 10] {
            let mut both = [one[at]["outcome"].as_str().unwrap(), two[at]["outcome"].as_str().unwrap()];
            both.sort_unstable();
            assert_eq!(both, ["done", "repeated"], "{} {}", one[at], two[at]);
        }
        assert_eq!((events(&app).await, app.number("SELECT count(*) FROM booking").await), (9, 3));
        let again = replay(&desk, &day, a_quarter_of_an_hour(&booking)).await;
        assert!(!outcomes(&again).contains(&"done"), "{again:?}");
        assert_eq!(events(&app).await, 9);
        app.drain_jobs().await;
    }

    async fn a_clock_that_cannot_be_right_is_not_believed(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({})).await;
        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        let items = replay(&desk, &day, json!([
            {"key": "desk-1-0001", "at": "2020-01-01T00:00:00Z", "action": "walk_in", "name": "样例甲", "topic": "roads", "summary": "路"},
            {"key": "desk-1-0002", "at": "2030-01-01T00:00:00Z", "action": "call", "walk_in": "desk-1-0001"},
        ])).await;
        assert_eq!(outcomes(&items), ["done", "done"]);
        let line = desk.get(&of_day(&day, "line")).await.expect(200);
        assert_eq!((&line["items"][0]["arrived_at"], &line["items"][0]["called_at"]), (&json!("2026-11-23T05:00:00Z"), &json!("2026-11-23T05:00:00Z")));
    }

    async fn single_calls_count_from_when_they_came_whatever_the_desk_s_clock_says(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({})).await;
        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        let entry = desk.post(&of_day(&day, "walk-ins"), walk_in("样例")).await.expect(201);
        app.advance(TimeDelta::minutes(5));
        let said = async |call: &str, at: &str| {
            let path = format!("/api/v1{}", of_booking(&entry, call));
            desk.call(reqwest::Method::POST, &path).header("X-Client-Time", at).json(json!({})).send().await
        };
        let called = said("call", "2026-11-23T13:02:00+08:00").await.expect(200);
        assert_eq!(called["called_at"], "2026-11-23T05:05:00Z");
        app.advance(TimeDelta::seconds(61));
        said("undo", "2026-11-23T13:05:10+08:00").await.problem("undo_too_late");
    }

    async fn an_absurd_time_is_as_none(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({})).await;
        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        for (at, time) in ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "+262142-12-31T00:00:00Z"].iter().enumerate() {
            let step = json!([{"key": format!("desk-1-{at:04}"), "at": time, "action": "walk_in", "name": "样例甲", "topic": "roads", "summary": "路"}]);
            assert_eq!(outcomes(&replay(&desk, &day, step).await), ["done"], "{time}");
        }
        assert_eq!(app.number("SELECT count(*) FROM booking WHERE client_time IS NULL").await, 3);
    }

    async fn a_key_is_good_for_whoever_used_it_and_for_one_step(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({})).await;
        app.advance(TimeDelta::hours(3));
        let (desk, cadre) = (app.staff("desk").await, app.staff("cadre").await);
        let step = |name: &str| json!([{"key": "desk-1-0001", "at": "2026-11-23T13:00:00+08:00", "action": "walk_in", "name": name, "topic": "roads", "summary": "路"}]);
        assert_eq!(outcomes(&replay(&desk, &day, step("样例甲")).await), ["done"]);
        assert_eq!(outcomes(&replay(&cadre, &day, step("样例乙")).await), ["done"], "another desk counts from one, too");
        assert_eq!(outcomes(&replay(&desk, &day, step("样例甲")).await), ["repeated"]);
        let other = replay(&desk, &day, step("样例丙")).await;
        assert_eq!((&other[0]["outcome"], &other[0]["code"]), (&json!("refused"), &json!("idempotency_key_reused")));
        let call = json!([{"key": "desk-1-0002", "at": "2026-11-23T13:00:00+08:00", "action": "call", "walk_in": "desk-1-0001"}]);
        let called = replay(&cadre, &day, call).await;
        assert_eq!(called[0]["number"], 5, "their own walk-in");
        assert_eq!(app.number("SELECT count(*) FROM booking").await, 2);
    }

    async fn a_queue_is_of_its_day_and_for_those_who_have_a_part_in_it(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({})).await;
        let other = this_afternoon(&app, 3, json!({"date": "2026-11-24"})).await;
        let booking = booked(&app.villager("甲").await, &other["slots"][0]).await;
        let actions = json!([{"key": "desk-1-0001", "at": "2026-11-23T10:00:00+08:00", "action": "check_in", "booking": booking["id"]}]);
        let desk = app.staff("desk").await;
        assert_eq!(replay(&desk, &day, actions.clone()).await[0]["code"], "not_found");
        assert_eq!(replay(&desk, &other, actions.clone()).await[0]["code"], "day_not_running");
        let queue = json!({"actions": actions});
        app.staff("neighbour").await.post(&of_day(&day, "queue"), queue).await.problem("not_found");
        for (key, fault) in [("short", "format"), ("has a space", "format"), ("中文中文中文中文", "format")] {
            let body = json!({"actions": [{"key": key, "at": "2026-11-23T10:00:00+08:00", "action": "call_next"}]});
            desk.post(&of_day(&day, "queue"), body).await.invalid("/actions/0/key", fault);
        }
        let many: Vec<Value> = (0..201).map(|n| json!({"key": format!("desk-{n:05}"), "at": "2026-11-23T10:00:00Z", "action": "call_next"})).collect();
        desk.post(&of_day(&day, "queue"), json!({"actions": many})).await.invalid("/actions", "length");
        assert_eq!(events(&app).await, 0);
        app.drain_jobs().await;
    }
}
