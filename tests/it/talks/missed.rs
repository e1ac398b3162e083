//! Missed days: asked by phone after two, an objection that counts, limits that do not bind the old.

use chrono::TimeDelta;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use super::{booked, bookings, name_hosts, near, put_in_state, wish};
use crate::{
    people::{ANOTHER, GROWN_UP, resident},
    support::{Actor, TestApp},
};

/// A day with room for many; `on` is a date of November 2026.
async fn day(app: &TestApp, on: &str) -> Value {
    let body = json!({
        "date": on, "starts": "15:00", "ends": "16:00", "slot_minutes": 30, "capacity": 5, "place": "村委会",
        "opens_days_before": 30, "walk_in_share": 0.0,
    });
    let desk = app.staff("desk").await;
    desk.post(&format!("/staff/divisions/{}/talk-days", app.village().await), body).await.expect(201)
}

async fn misses(app: &TestApp, who: &Actor, dates: &[&str]) -> Vec<Value> {
    let mut bookings = Vec::new();
    for date in dates {
        let day = day(app, date).await;
        let booking = booked(who, &day["slots"][0]).await;
        put_in_state(app, &booking, "missed").await;
        bookings.push(booking);
    }
    bookings
}

both_engines! {
    async fn who_was_missed_twice_is_asked_by_phone_first(app: TestApp) {
        let villager = app.villager("甲").await;
        misses(&app, &villager, &["2026-11-24", "2026-11-26"]).await;
        app.advance(TimeDelta::days(4));
        app.drain_jobs().await;
        let villager = app.villager("甲").await;
        let third = villager.post(&bookings(&day(&app, "2026-11-28").await["slots"][0]), wish()).await.expect(201);
        assert_eq!(third["state"], "to_confirm", "not turned away");
        let desk_lists = format!("/staff/divisions/{}/bookings?waiting_for=confirmation", app.village().await);
        let desk = app.staff("desk").await;
        assert_eq!(desk.get(&desk_lists).await.expect(200)["items"][0]["id"], third["id"]);
        let path = format!("/staff/bookings/{}/confirm", third["id"].as_str().unwrap());
        app.staff("neighbour").await.post(&path, json!({})).await.problem("not_found");
        assert_eq!(desk.post(&path, json!({})).await.expect(200)["state"], "booked");
        desk.post(&path, json!({})).await.problem("transition_not_allowed");
        assert_eq!(desk.get(&desk_lists).await.expect(200)["items"], json!([]));
        app.drain_jobs().await;
    }

    async fn who_came_and_was_not_there_when_called_has_not_missed_the_day(app: TestApp) {
        let villager = app.villager("甲").await;
        misses(&app, &villager, &["2026-11-24", "2026-11-26"]).await;
        let came = "UPDATE booking SET arrived_at = created_at WHERE number_in_line = 1";
        app.db().transact(async move |tx| Ok(tx.execute_unprepared(came).await.map(drop)?)).await.unwrap();
        app.advance(TimeDelta::days(4));
        app.drain_jobs().await;
        let at = day(&app, "2026-11-28").await;
        let third = app.villager("甲").await.post(&bookings(&at["slots"][0]), wish()).await.expect(201);
        assert_eq!(third["state"], "booked");
        let path = format!("/staff/divisions/{}/talk-numbers?period=2026-11", app.village().await);
        let numbers = app.staff("town").await.get(&path).await.expect(200);
        assert_eq!(numbers["total"]["no_show"]["n"], 0, "{numbers}");
        app.drain_jobs().await;
    }

    async fn an_objection_takes_it_back_and_time_forgets_it(app: TestApp) {
        let villager = app.villager("甲").await;
        let gone = misses(&app, &villager, &["2026-11-24", "2026-11-26"]).await;
        app.advance(TimeDelta::days(4));
        app.drain_jobs().await;
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let own = format!("/bookings/{}", gone[0]["id"].as_str().unwrap());
        assert_eq!(villager.get(&own).await.expect(200)["actions"], json!(["object"]));
        app.villager("乙").await.post(&format!("{own}/object"), json!({"text": "我在"})).await.problem("not_found");
        let objected = villager.post(&format!("{own}/object"), json!({"text": "我到了，没人叫我"})).await.expect(200);
        assert_eq!(objected["objection"], "open");
        villager.post(&format!("{own}/object"), json!({"text": "再说"})).await.problem("transition_not_allowed");
        let at = day(&app, "2026-11-28").await;
        let next = villager.post(&bookings(&at["slots"][0]), wish()).await.expect(201);
        assert_eq!(next["state"], "booked", "what is objected to does not count meanwhile");
        let list = format!("/staff/divisions/{}/bookings?waiting_for=objection", app.village().await);
        assert_eq!(desk.get(&list).await.expect(200)["items"][0]["text"], "我到了，没人叫我");
        let settle = format!("/staff/bookings/{}/settle-missed", gone[0]["id"].as_str().unwrap());
        assert_eq!(desk.post(&settle, json!({"upheld": false})).await.expect(200)["objection"], "refused");
        desk.post(&settle, json!({"upheld": true})).await.problem("transition_not_allowed");
        let after = day(&app, "2026-11-29").await;
        assert_eq!(villager.post(&bookings(&after["slots"][0]), wish()).await.expect(201)["state"], "to_confirm");
        app.drain_jobs().await;
        assert!(villager.get("/inbox").await.expect(200).to_string().contains("missed_refused"));
        // Nobody marked the others, which were missed by the clock then: on the 28th and the 29th.
        app.advance(TimeDelta::days(33));
        app.drain_jobs().await;
        let villager = app.villager("甲").await;
        let long_after = day(&app, "2027-01-05").await;
        assert_eq!(villager.post(&bookings(&long_after["slots"][0]), wish()).await.expect(201)["state"], "booked");
        app.drain_jobs().await;
    }

    async fn no_limit_binds_who_is_65_or_whom_the_desk_exempts(app: TestApp) {
        let (old, young) = (resident(&app, "样例老人", ANOTHER).await, resident(&app, "样例侄", GROWN_UP).await);
        let dates = ["2026-11-24", "2026-11-26", "2026-11-27", "2026-11-28"];
        for (at, date) in dates.iter().enumerate() {
            let day = day(&app, date).await;
            booked(&old, &day["slots"][0]).await;
            let answer = young.post(&bookings(&day["slots"][0]), wish()).await;
            if at < 3 { answer.expect(201) } else { answer.problem("limit_reached") };
        }
        let desk = app.staff("desk").await;
        let path = format!("/staff/people/{}/priority", young.id());
        desk.post(&path, json!({"until": "2029-11-23", "reason": "残疾证已核实"})).await.invalid("/until", "range");
        app.staff("neighbour").await.post(&path, json!({"until": null, "reason": "残疾证已核实"})).await.problem("not_found");
        desk.post(&path, json!({"until": "2027-06-30", "reason": "残疾证已核实"})).await.expect(200);
        let day = day(&app, "2026-11-29").await;
        booked(&young, &day["slots"][0]).await;
        app.drain_jobs().await;
    }

    async fn the_65th_birthday_is_worked_out_for_who_was_confirmed_before(app: TestApp) {
        let old = resident(&app, "样例老人", ANOTHER).await;
        let db = app.db();
        let forget = "UPDATE person SET priority_from = NULL".to_owned();
        db.transact(async move |tx| Ok(tx.execute_unprepared(&forget).await.map(drop)?)).await.unwrap();
        app.advance(TimeDelta::hours(24));
        app.drain_jobs().await;
        let known = "SELECT count(*) FROM person WHERE priority_from = '2011-11-24'";
        assert_eq!(app.number(known).await, 1, "{}", old.id());
    }

    async fn what_the_desk_sets_says_nothing_of_the_day_of_birth(app: TestApp) {
        let (old, young) = (resident(&app, "样例老人", ANOTHER).await, resident(&app, "样例侄", GROWN_UP).await);
        let desk = app.staff("desk").await;
        for (who, until, priority) in [(&old, Value::Null, true), (&young, json!("2027-06-30"), true), (&young, Value::Null, false)] {
            let path = format!("/staff/people/{}/priority", who.id());
            let set = desk.post(&path, json!({"until": until, "reason": "残疾证已核实"})).await.expect(200);
            assert_eq!(set, json!({"person": who.id(), "priority": priority, "until": until}));
        }
        app.drain_jobs().await;
    }

    async fn words_of_a_private_matter_are_for_its_hosts_and_nobody_near_settles_it(app: TestApp) {
        let (villager, cadre, desk) = (app.villager("甲").await, app.staff("cadre").await, app.staff("desk").await);
        let body = json!({"date": "2026-11-24", "starts": "15:00", "ends": "16:00", "place": "村委会", "hosts": [cadre.id()]});
        let day = desk.post(&format!("/staff/divisions/{}/talk-days", app.village().await), body).await.expect(201);
        let secret = json!({"topic": "dispute", "summary": "和邻居的事", "privacy": "private"});
        let booking = villager.post(&bookings(&day["slots"][0]), secret).await.expect(201);
        put_in_state(&app, &booking, "missed").await;
        app.advance(TimeDelta::days(1) + TimeDelta::hours(6));
        let (villager, desk) = (app.villager("甲").await, app.staff("desk").await);
        let id = booking["id"].as_str().unwrap();
        villager.post(&format!("/bookings/{id}/object"), json!({"text": "邻居拦着我"})).await.expect(200);
        let list = format!("/staff/divisions/{}/bookings?waiting_for=objection", app.village().await);
        let seen = desk.get(&list).await.expect(200);
        assert_eq!((&seen["items"][0]["id"], &seen["items"][0]["text"]), (&booking["id"], &Value::Null));
        let read = "SELECT count(*) FROM audit_entry WHERE action = 'read_private_objections'";
        assert_eq!(app.number(read).await, 0);
        name_hosts(&app, &day, json!([desk.id()])).await;
        assert_eq!(desk.get(&list).await.expect(200)["items"][0]["text"], "邻居拦着我");
        assert_eq!(app.number(read).await, 1);
        let settle = format!("/staff/bookings/{id}/settle-missed");
        near(&app, &desk, &villager, "relative").await;
        desk.post(&settle, json!({"upheld": false})).await.problem("conflict_of_interest");
        app.staff("town").await.post(&settle, json!({"upheld": true})).await.expect(200);
        app.drain_jobs().await;
    }
}
