//! What a rule will do is shown before it does it: its dates, and what a change does to days people have to do with.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{booked, days};
use crate::support::{Actor, TestApp};

fn body(recurrence: Value) -> Value {
    json!({"recurrence": recurrence, "starts": "09:00", "ends": "11:30", "place": "村委会", "opens_days_before": 14})
}

/// Dates and lunar days that are shown of a rule, which writes nothing.
async fn shown(app: &TestApp, body: Value) -> Vec<Value> {
    let counted = "SELECT (SELECT count(*) FROM talk_day) + (SELECT count(*) FROM talk_rule)";
    let before = app.number(counted).await;
    let path = format!("/staff/divisions/{}/talk-rules/preview", app.village().await);
    let answer = app.staff("desk").await.post(&path, body).await.expect(200);
    assert_eq!(app.number(counted).await, before, "a question makes nothing");
    answer["items"].as_array().unwrap().clone()
}

fn dates(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["date"].as_str().unwrap()).collect()
}

fn listed(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|date| date.as_str().unwrap().to_owned()).collect()
}

async fn the_rule(app: &TestApp, desk: &Actor) -> Value {
    let rules = desk.get(&format!("/staff/divisions/{}/talk-rules", app.village().await)).await.expect(200);
    rules["items"][0].clone()
}

/// Id and date of the village's days.
async fn days_by_id(app: &TestApp) -> BTreeSet<(String, String)> {
    let told = |day: &Value| (day["id"].as_str().unwrap().to_owned(), day["date"].as_str().unwrap().to_owned());
    days(app).await.iter().map(told).collect()
}

both_engines! {
    async fn preview_talk_rule_shows_the_next_dates_of_each_kind(app: TestApp) {
        let twelve = shown(&app, body(json!({"kind": "monthly_days", "days": [5, 15, 25]}))).await;
        assert_eq!(twelve.len(), 12);
        let first = json!({
            "date": "2026-11-25", "weekday": 3, "lunar": "十月十七", "holiday": null, "moved_from": null,
            "provisional": false,
        });
        assert_eq!(twelve[0], first);
        for (recurrence, first) in [
            (json!({"kind": "weekly", "weekdays": [6]}), ["2026-11-28", "2026-12-05", "2026-12-12"]),
            (json!({"kind": "nth_weekday", "nth": -1, "weekday": 5}), ["2026-11-27", "2026-12-25", "2027-01-29"]),
            (json!({"kind": "lunar_days", "days": [1, 15]}), ["2026-11-23", "2026-12-09", "2026-12-23"]),
            (json!({"kind": "market_days", "calendar": "solar", "digits": [1, 4, 7]}), ["2026-11-24", "2026-11-27", "2026-12-01"]),
            (json!({"kind": "market_days", "calendar": "lunar", "digits": [0]}), ["2026-11-28", "2026-12-08", "2026-12-18"]),
        ] {
            let mut body = body(recurrence);
            body["count"] = json!(3);
            assert_eq!(dates(&shown(&app, body.clone()).await), first, "{body}");
        }
        // Today counts while somebody can still come.
        let mut today = body(json!({"kind": "weekly", "weekdays": [1]}));
        assert_eq!(shown(&app, today.clone()).await[0]["date"], "2026-11-23");
        today["ends"] = json!("09:59");
        assert_eq!(shown(&app, today).await[0]["date"], "2026-11-30");
    }

    async fn preview_talk_rule_shows_holidays_moves_and_what_may_still_change(app: TestApp) {
        // In 2026 the calendar is known, in 2027 it is not.
        let mut body = body(json!({"kind": "monthly_days", "days": [31, 1]}));
        body["count"] = json!(4);
        body["holiday_policy"] = json!("next_working_day");
        body["exceptions"] = json!([{"kind": "move", "date": "2026-12-01", "to": "2026-12-02"}]);
        let items = shown(&app, body).await;
        assert_eq!(dates(&items), ["2026-12-02", "2026-12-31", "2027-01-01", "2027-01-31"]);
        assert_eq!(items[0]["moved_from"], "2026-12-01");
        assert_eq!(items[1]["provisional"], false);
        assert_eq!(items[2]["provisional"], true);
    }

    async fn preview_talk_rule_checks_what_making_checks(app: TestApp) {
        let path = format!("/staff/divisions/{}/talk-rules/preview", app.village().await);
        let desk = app.staff("desk").await;
        for (field, value, pointer) in [
            ("recurrence", json!({"kind": "lunar_days", "days": [31]}), "/recurrence/days/0"),
            ("recurrence", json!({"kind": "nth_weekday", "nth": 5, "weekday": 1}), "/recurrence/nth"),
            ("recurrence", json!({"kind": "nth_weekday", "nth": 1, "weekday": 8}), "/recurrence/weekday"),
            ("recurrence", json!({"kind": "market_days", "calendar": "lunar", "digits": [1, 10]}), "/recurrence/digits/1"),
            ("count", json!(61), "/count"),
            ("count", json!(0), "/count"),
            ("hosts", json!([uuid::Uuid::now_v7()]), "/hosts/0"),
        ] {
            let mut wrong = body(json!({"kind": "weekly", "weekdays": [6]}));
            wrong[field] = value;
            let told = desk.post(&path, wrong).await.problem("invalid");
            assert_eq!(told["errors"][0]["pointer"], pointer, "{told}");
        }
        let right = body(json!({"kind": "weekly", "weekdays": [6]}));
        app.staff("neighbour").await.post(&path, right.clone()).await.problem("not_found");
        app.staff("cadre").await.post(&path, right).await.problem("not_your_duty");
    }

    async fn preview_talk_rule_change_says_what_the_change_then_does(app: TestApp) {
        let desk = app.staff("desk").await;
        let before = days(&app).await;
        booked(&app.villager("甲").await, &before[0]["slots"][0]).await;
        let cancelled = booked(&app.villager("乙").await, &before[1]["slots"][0]).await;
        let path = format!("/bookings/{}/cancel", cancelled["id"].as_str().unwrap());
        app.villager("乙").await.post(&path, json!({})).await.expect(200);
        let rule = the_rule(&app, &desk).await;
        let path = format!("/staff/talk-rules/{}", rule["id"].as_str().unwrap());

        // From the 25th to the 20th, and half an hour later.
        let mut change = rule.clone();
        for field in ["id", "division", "created_at"] {
            change.as_object_mut().unwrap().remove(field);
        }
        change["recurrence"] = json!({"kind": "monthly_days", "days": [5, 15, 20]});
        change["starts"] = json!("09:30");
        let old = days_by_id(&app).await;
        let told = desk.post(&format!("{path}/preview"), change.clone()).await.expect(200);
        assert_eq!(days_by_id(&app).await, old, "a question changes nothing");
        assert_eq!(listed(&told["made"]), ["2026-12-20"]);
        assert_eq!(listed(&told["removed"]), ["2026-12-25"]);
        assert_eq!(listed(&told["remade"]), ["2026-12-15", "2027-01-05", "2027-01-15"]);
        let kept = told["kept"].as_array().unwrap();
        let first = json!({
            "talk_day": before[0]["id"], "date": "2026-11-25", "bookings": 1, "waiting": 0,
            "differs": ["time", "booking", "slots"], "still_of_rule": false,
        });
        assert_eq!(kept[0], first);
        assert_eq!((&kept[1]["date"], &kept[1]["bookings"]), (&json!("2026-12-05"), &json!(0)), "a place was had on it");
        assert_eq!(kept[1]["still_of_rule"], true);
        assert_eq!(kept.len(), 2);
        assert_eq!(told["next"].as_array().unwrap().len(), 12);
        assert_eq!(told["next"][0]["date"], "2026-12-05");

        desk.put(&path, change.clone()).await.expect(200);
        let new = days_by_id(&app).await;
        let came: Vec<String> = new.difference(&old).map(|(_, date)| date.clone()).collect();
        let went: Vec<String> = old.difference(&new).map(|(_, date)| date.clone()).collect();
        let of = |lists: [&str; 2]| -> BTreeSet<String> { lists.iter().flat_map(|list| listed(&told[*list])).collect() };
        assert_eq!(came.into_iter().collect::<BTreeSet<_>>(), of(["made", "remade"]));
        assert_eq!(went.into_iter().collect::<BTreeSet<_>>(), of(["removed", "remade"]));
        for day in kept {
            assert!(new.contains(&(day["talk_day"].as_str().unwrap().to_owned(), day["date"].as_str().unwrap().to_owned())));
        }
        desk.post(&format!("{path}/preview"), change.clone()).await.problem("stale");
        change["version"] = Value::Null;
        let again = desk.post(&format!("{path}/preview"), change).await.expect(200);
        for list in ["made", "remade", "removed"] {
            assert_eq!(again[list], json!([]), "done once, there is nothing left to do");
        }
        assert_eq!(again["kept"], told["kept"]);
        app.drain_jobs().await;
        assert_eq!(days_by_id(&app).await, new, "the sweep agrees");
    }

    async fn preview_talk_rule_change_exists_only_where_one_manages_talks(app: TestApp) {
        let desk = app.staff("desk").await;
        let path = format!("/staff/talk-rules/{}/preview", the_rule(&app, &desk).await["id"].as_str().unwrap());
        let change = body(json!({"kind": "weekly", "weekdays": [6]}));
        app.staff("neighbour").await.post(&path, change.clone()).await.problem("not_found");
        app.staff("cadre").await.post(&path, change.clone()).await.problem("not_your_duty");
        app.staff("town").await.post(&path, change.clone()).await.expect(200);
        let nowhere = format!("/staff/talk-rules/{}/preview", uuid::Uuid::now_v7());
        desk.post(&nowhere, change).await.problem("not_found");
    }

    async fn preview_talk_rule_change_names_those_who_wait(app: TestApp) {
        let desk = app.staff("desk").await;
        let day = days(&app).await[1].clone();
        let villager = app.villager("丙").await;
        let slot = day["slots"].as_array().unwrap().iter().rev().find(|slot| slot["capacity"] != 0).unwrap();
        villager.post(&format!("/slots/{}/waits", slot["id"].as_str().unwrap()), json!({})).await.expect(201);
        let rule = the_rule(&app, &desk).await;
        let path = format!("/staff/talk-rules/{}", rule["id"].as_str().unwrap());
        let change = body(json!({"kind": "weekly", "weekdays": [7]}));
        let told = desk.post(&format!("{path}/preview"), change.clone()).await.expect(200);
        assert_eq!(told["kept"].as_array().unwrap().len(), 1);
        assert_eq!((&told["kept"][0]["waiting"], &told["kept"][0]["date"]), (&json!(1), &day["date"]));
        desk.put(&path, change).await.expect(200);
        assert!(days(&app).await.iter().any(|one| one["id"] == day["id"]), "who waits, waits for that day");
        assert_eq!(desk.delete(&path).await.status, 204);
        assert!(days(&app).await.iter().any(|one| one["id"] == day["id"]));
        app.drain_jobs().await;
    }
}
