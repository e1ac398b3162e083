//! People who just come: a number at once, nobody sent away, no place given twice.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{booked, of_booking, of_day, this_afternoon, walk_in, wish};
use crate::{
    rosters::{Resident, citizen_no},
    support::TestApp,
};

/// Slots whose count of kept places is not the number of those who hold one.
async fn wrong_reserves(app: &TestApp) -> i64 {
    let held = "(SELECT count(*) FROM booking b WHERE b.slot_id = slot.id AND b.live AND b.place = 'reserve')";
    app.number(&format!("SELECT count(*) FROM slot WHERE reserve_taken <> {held}")).await
}

both_engines! {
    async fn the_places_kept_are_taken_first_then_the_line_is_as_long_as_it_is(app: TestApp) {
        // Of six places two are kept: those of 13:40 and 13:50.
        let day = this_afternoon(&app, 6, json!({})).await;
        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        let mut places = Vec::new();
        for name in ["样例甲", "样例乙", "样例丙", "样例丁"] {
            let entry = desk.post(&of_day(&day, "walk-ins"), walk_in(name)).await.expect(201);
            places.push((entry["place"].as_str().unwrap().to_owned(), entry["slot"].clone(), entry["number_in_line"].as_i64().unwrap()));
        }
        let slots = |n: usize| day["slots"][n]["id"].clone();
        assert_eq!(places, [
            ("reserve".to_owned(), slots(4), 7), ("reserve".to_owned(), slots(5), 8),
            ("line".to_owned(), slots(0), 9), ("line".to_owned(), slots(0), 10),
        ]);
        assert_eq!(wrong_reserves(&app).await, 0);
        assert_eq!(app.number("SELECT CAST(SUM(taken) AS BIGINT) FROM slot").await, 0);
    }

    async fn a_crowd_at_two_doors_gets_as_many_numbers(app: TestApp) {
        let (other, day) = (app.second_server().await, this_afternoon(&app, 9, json!({})).await);
        app.advance(TimeDelta::hours(3));
        let (one, two) = (app.staff("desk").await, app.staff("desk").await.at(&other));
        let names: Vec<String> = "甲乙丙丁戊己庚辛壬癸子丑".chars().map(|letter| format!("样例{letter}")).collect();
        let path = of_day(&day, "walk-ins");
        let calls = names.iter().enumerate().map(|(n, name)| if n % 2 == 0 { &one } else { &two }.post(&path, walk_in(name)));
        let mut numbers = Vec::new();
        for answer in join_all(calls).await {
            numbers.push(answer.expect(201)["number_in_line"].as_i64().unwrap());
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (10..22).collect::<Vec<_>>());
        assert_eq!(wrong_reserves(&app).await, 0);
        assert_eq!(app.number("SELECT count(*) FROM booking WHERE place = 'reserve'").await, 3);
    }

    async fn while_the_day_runs_nobody_is_refused_before_and_after_everybody(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({"date": "2026-11-24"})).await;
        let path = of_day(&day, "walk-ins");
        app.staff("desk").await.post(&path, walk_in("样例")).await.problem("day_not_running");
        // From midnight on it is the day.
        app.advance(TimeDelta::hours(14));
        app.staff("desk").await.post(&path, walk_in("样例甲")).await.expect(201);
        app.advance(TimeDelta::minutes(13 * 60 + 29));
        app.staff("desk").await.post(&path, walk_in("样例乙")).await.expect(201);
        app.advance(TimeDelta::minutes(1));
        let desk = app.staff("desk").await;
        desk.post(&path, walk_in("样例丙")).await.problem("day_not_running");
        app.staff("neighbour").await.post(&path, walk_in("样例")).await.problem("not_found");
        let off = this_afternoon(&app, 3, json!({"date": "2026-11-25"})).await;
        desk.post(&of_day(&off, "cancel"), json!({"reason": "下雨"})).await.expect(200);
        desk.post(&of_day(&off, "walk-ins"), walk_in("样例丁")).await.problem("day_cancelled");
        app.drain_jobs().await;
    }

    async fn a_resident_the_desk_knows_has_one_place_a_day(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({})).await;
        let resident = Resident::new("张一", &citizen_no(1)).of(app.village().await).register(&app).await;
        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        let with = |person: &Value, name: Value| json!({"person": person, "name": name, "topic": "roads", "summary": "路"});
        let path = of_day(&day, "walk-ins");
        let person = json!(resident);
        desk.post(&path, with(&person, json!("张二"))).await.invalid("/name", "somebody_else");
        assert_eq!(desk.post(&path, with(&person, Value::Null)).await.expect(201)["name"], "张*");
        desk.post(&path, with(&person, json!("张一"))).await.problem("already_booked");
        desk.post(&path, with(&json!(uuid::Uuid::now_v7()), Value::Null)).await.invalid("/person", "unknown");
        assert_eq!(wrong_reserves(&app).await, 0);
    }

    async fn an_entry_is_checked_field_by_field(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({})).await;
        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        for (field, value, fault) in [
            ("topic", json!("no_such_topic"), "unknown"), ("summary", json!(" "), "empty"),
            ("summary", json!("字".repeat(501)), "length"), ("name", json!("陈1"), "format"),
            ("name", Value::Null, "required"), ("mode", json!("video"), "not_offered"), ("colour", json!(1), "unknown_field"),
        ] {
            let mut body = walk_in("样例");
            body[field] = value;
            desk.post(&of_day(&day, "walk-ins"), body).await.invalid(&format!("/{field}"), fault);
        }
        assert_eq!(app.number("SELECT count(*) FROM booking").await, 0);
    }

    async fn numbers_are_given_once_whatever_a_host_who_leaves_takes_along(app: TestApp) {
        let (cadre, desk) = (app.staff("cadre").await, app.staff("desk").await);
        let hosts = json!([cadre.id(), desk.id()]);
        let day = this_afternoon(&app, 1, json!({"capacity": 6, "hosts": hosts})).await;
        let slot = &day["slots"][0];
        for name in ["甲", "乙", "丙", "丁"] {
            booked(&app.villager(name).await, slot).await;
        }
        for number in 0..2 {
            let mut body = wish();
            body["for_person"] = json!({"name": "样例来电", "phone": format!("1390000000{number}")});
            desk.post(&format!("/staff/slots/{}/bookings", slot["id"].as_str().unwrap()), body).await.expect(201);
        }
        let gone = json!({"host": cadre.id(), "reason": "去镇上开会"});
        desk.post(&of_day(&day, "withdraw-host"), gone).await.expect(200);
        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        let mut numbers = Vec::new();
        for name in ["样例甲", "样例乙"] {
            let entry = desk.post(&of_day(&day, "walk-ins"), walk_in(name)).await.expect(201);
            numbers.push(entry["number_in_line"].as_i64().unwrap());
        }
        assert_eq!(numbers, [7, 8]);
        let twice = "SELECT count(*) FROM (SELECT number_in_line FROM booking GROUP BY number_in_line HAVING count(*) > 1) t";
        assert_eq!(app.number(twice).await, 0);
        assert_eq!(wrong_reserves(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn somebody_entered_by_mistake_is_taken_out_with_their_place(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({})).await;
        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        let entry = desk.post(&of_day(&day, "walk-ins"), walk_in("样例甲")).await.expect(201);
        assert_eq!(entry["place"], "reserve");
        app.advance(TimeDelta::seconds(59));
        assert_eq!(desk.post(&of_booking(&entry, "undo"), json!({})).await.expect(200)["state"], "cancelled");
        desk.post(&of_booking(&entry, "undo"), json!({})).await.problem("transition_not_allowed");
        assert_eq!(wrong_reserves(&app).await, 0);
        let next = desk.post(&of_day(&day, "walk-ins"), walk_in("样例乙")).await.expect(201);
        assert_eq!((&next["place"], &next["number_in_line"]), (&json!("reserve"), &json!(5)), "a number is given once");
        assert_eq!(desk.get(&of_day(&day, "line")).await.expect(200)["items"].as_array().unwrap().len(), 1);
    }
}
