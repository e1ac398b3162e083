//! The line of a day: in which order people are called, and what the desk sees of it.

use chrono::TimeDelta;
use entity::{booking, id::BookingId, person};
use futures_util::future::join_all;
use sea_orm::{ActiveModelTrait, EntityTrait, Set};
use serde_json::{Value, json};
use shuoshi::{clock::local_day, db::Tx, personal::CitizenNumber};

use super::{booked, bookings, of_booking, of_day, this_afternoon, walk_in};
use crate::{
    people::CHILD,
    staffing::{COUNTY, TOWNSHIP, officer},
    support::{Actor, TestApp},
};

/// So many villagers, each in the slot of their number.
async fn booked_in_turn(app: &TestApp, day: &Value, most: usize) -> Vec<Value> {
    let mut all = Vec::new();
    for slot in &day["slots"].as_array().unwrap()[..most] {
        all.push(booked(&app.villager(&format!("村民{}", all.len())).await, slot).await);
    }
    all
}

async fn call_next(desk: &Actor, day: &Value) -> i64 {
    desk.post(&of_day(day, "call-next"), json!({})).await.expect(200)["number_in_line"].as_i64().unwrap()
}

/// Behind the program's back: that somebody was heard.
async fn heard(app: &TestApp, booking: &Value) {
    let (id, now) = (booking["booking"].as_str().unwrap().parse().unwrap(), app.now());
    app.db()
        .transact(async move |tx| {
            use entity::booking::{BookingState, Column, Entity};
            use sea_orm::{ColumnTrait, QueryFilter, sea_query::Expr};
            Entity::update_many()
                .col_expr(Column::State, BookingState::Concluded.into())
                .col_expr(Column::EndedAt, Expr::value(now))
                .filter(Column::Id.eq(entity::id::BookingId(id)))
                .exec(tx)
                .await?;
            Ok(())
        })
        .await
        .unwrap();
}

/// Entries of having read what is private, or a child's.
const READ: &str =
    "SELECT count(*) FROM audit_entry WHERE action LIKE 'read_private_matter%' OR action LIKE 'read_minor%'";

both_engines! {
    async fn a_whole_afternoon_of_ten_booked_and_five_who_walked_in(app: TestApp) {
        let day = this_afternoon(&app, 15, json!({})).await;
        let all = booked_in_turn(&app, &day, 10).await;
        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        for booking in &all {
            desk.post(&of_booking(booking, "check-in"), json!({})).await.expect(200);
        }
        for n in 0..5 {
            let entry = desk.post(&of_day(&day, "walk-ins"), walk_in(&format!("样例{}", ["甲", "乙", "丙", "丁", "戊"][n]))).await.expect(201);
            assert_eq!(entry["number_in_line"], 16 + n, "numbers follow those of all places");
        }
        let foretold = desk.get(&format!("{}?state=checked_in", of_day(&day, "line"))).await.expect(200);
        let mut foretold = foretold["items"].as_array().unwrap().clone();
        foretold.sort_by_key(|entry| entry["turn"].as_i64());
        let foretold: Vec<i64> = foretold.iter().map(|entry| entry["number_in_line"].as_i64().unwrap()).collect();
        let mut called = Vec::new();
        for _ in 0..15 {
            let desk = app.staff("desk").await;
            let entry = desk.post(&of_day(&day, "call-next"), json!({})).await.expect(200);
            assert_eq!((&entry["state"], &entry["turn"]), (&json!("called"), &Value::Null));
            called.push(entry["number_in_line"].as_i64().unwrap());
            app.advance(TimeDelta::minutes(10));
            heard(&app, &entry).await;
        }
        // Two who booked to one who walked in, as the places are shared out; nobody before their slot.
        assert_eq!(called, [1, 16, 2, 3, 17, 4, 5, 18, 6, 7, 19, 8, 9, 20, 10]);
        assert_eq!(called, foretold, "it came as it was foretold");
        let desk = app.staff("desk").await;
        desk.post(&of_day(&day, "call-next"), json!({})).await.problem("line_empty");
        app.drain_jobs().await;
    }

    async fn two_desks_that_call_at_once_never_call_one_person_twice(app: TestApp) {
        let (other, day) = (app.second_server().await, this_afternoon(&app, 6, json!({})).await);
        app.advance(TimeDelta::hours(3));
        let (one, two) = (app.staff("desk").await, app.staff("cadre").await.at(&other));
        for n in 0..8 {
            let name = format!("样例{}", ["甲", "乙", "丙", "丁", "戊", "己", "庚", "辛"][n]);
            one.post(&of_day(&day, "walk-ins"), walk_in(&name)).await.expect(201);
        }
        let path = of_day(&day, "call-next");
        let calls = (0..10).map(|n| if n % 2 == 0 { &one } else { &two }.post(&path, json!({})));
        let (called, none): (Vec<_>, Vec<_>) = join_all(calls).await.into_iter().partition(|answer| answer.status == 200);
        let mut numbers: Vec<i64> =
            called.into_iter().map(|answer| answer.expect(200)["number_in_line"].as_i64().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (7..15).collect::<Vec<_>>());
        for answer in none {
            answer.problem("line_empty");
        }
        assert_eq!(app.number("SELECT count(*) FROM booking_event WHERE action = 'call'").await, 8);
    }

    async fn who_is_early_lets_walk_ins_pass_and_is_told_their_own_time(app: TestApp) {
        let day = this_afternoon(&app, 6, json!({})).await;
        let late = booked(&app.villager("甲").await, &day["slots"][3]).await;
        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        let early = desk.post(&of_booking(&late, "check-in"), json!({})).await.expect(200);
        assert_eq!((&early["turn"], &early["estimated_at"]), (&json!(1), &json!("2026-11-23T05:30:00Z")));
        desk.post(&of_day(&day, "walk-ins"), walk_in("样例")).await.expect(201);
        let line = desk.get(&of_day(&day, "line")).await.expect(200);
        assert_eq!((&line["items"][0]["turn"], &line["items"][1]["turn"]), (&json!(2), &json!(1)));
        assert_eq!(line["items"][1]["estimated_at"], "2026-11-23T05:00:00Z");
        assert_eq!(call_next(&desk, &day).await, 7);
        assert_eq!(call_next(&desk, &day).await, 4, "nobody else waits: why should the host");
        app.drain_jobs().await;
    }

    async fn after_three_the_estimate_is_what_people_really_took(app: TestApp) {
        let day = this_afternoon(&app, 9, json!({})).await;
        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        for name in ["样例甲", "样例乙", "样例丙", "样例丁", "样例戊"] {
            desk.post(&of_day(&day, "walk-ins"), walk_in(name)).await.expect(201);
        }
        let last = |line: &Value| line["items"][4]["estimated_at"].as_str().unwrap().to_owned();
        assert_eq!(last(&desk.get(&of_day(&day, "line")).await.expect(200)), "2026-11-23T05:40:00Z", "ten minutes each");
        for _ in 0..3 {
            let entry = desk.post(&of_day(&day, "call-next"), json!({})).await.expect(200);
            app.advance(TimeDelta::minutes(4));
            heard(&app, &entry).await;
        }
        assert_eq!(last(&desk.get(&of_day(&day, "line")).await.expect(200)), "2026-11-23T05:16:00Z", "four minutes each");
    }

    async fn the_line_shows_what_may_be_done_and_nobody_s_name(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({"hosts": [app.staff("cadre").await.id()]})).await;
        let booking = booked(&app.villager("甲").await, &day["slots"][0]).await;
        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        let mut body = walk_in("慕容拂晓");
        body["summary"] = json!("和邻居的事");
        let entry = desk.post(&of_day(&day, "walk-ins"), body).await.expect(201);
        assert_eq!((&entry["name"], &entry["place"], &entry["channel"]), (&json!("慕**晓"), &json!("reserve"), &json!("walk_in")));
        assert_eq!((&entry["privacy"], &entry["summary"]), (&Value::Null, &Value::Null), "the desk does not host it");
        assert_eq!(entry["actions"], json!(["call", "park", "missed", "undo"]));
        let line = desk.get(&of_day(&day, "line")).await.expect(200);
        assert!(!line.to_string().contains("慕容拂晓") && !line.to_string().contains("和邻居的事"), "{line}");
        assert_eq!(line["items"][0]["actions"], json!(["check_in", "missed"]));
        let cadre = app.staff("cadre").await;
        let theirs = cadre.get(&of_day(&day, "line")).await.expect(200);
        assert_eq!((&theirs["items"][1]["privacy"], &theirs["items"][1]["summary"]), (&json!("private"), &json!("和邻居的事")), "private unless it is said");
        let only = desk.get(&format!("{}?state=booked&limit=1", of_day(&day, "line"))).await.expect(200);
        assert_eq!(only["items"][0]["booking"], booking["id"]);
        desk.get(&format!("{}?state=nonsense", of_day(&day, "line"))).await.problem("invalid");
        app.staff("neighbour").await.get(&of_day(&day, "line")).await.problem("not_found");
        app.drain_jobs().await;
    }

    async fn the_door_does_not_learn_which_matters_are_private(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({"hosts": [app.staff("cadre").await.id()]})).await;
        let open = booked(&app.villager("甲").await, &day["slots"][0]).await;
        let secret = json!({"topic": "dispute", "summary": "和邻居的事", "privacy": "private"});
        app.villager("乙").await.post(&bookings(&day["slots"][1]), secret).await.expect(201);
        let (desk, cadre) = (app.staff("desk").await, app.staff("cadre").await);
        let found = desk.post(&of_day(&day, "find"), json!({"code": open["code"]})).await.expect(200);
        let line = desk.get(&of_day(&day, "line")).await.expect(200);
        for row in line["items"].as_array().unwrap().iter().chain(found["items"].as_array().unwrap()) {
            assert_eq!((&row["privacy"], &row["topic"], &row["summary"]), (&Value::Null, &Value::Null, &Value::Null));
        }
        assert_eq!(app.number(READ).await, 0, "nothing was shown");
        let line = cadre.get(&of_day(&day, "line")).await.expect(200);
        assert_eq!((&line["items"][0]["privacy"], &line["items"][1]["privacy"]), (&json!("public"), &json!("private")));
        app.drain_jobs().await;
    }

    async fn who_reads_private_matters_or_children_s_is_entered(app: TestApp) {
        let cadre = app.staff("cadre").await;
        let day = this_afternoon(&app, 3, json!({"hosts": [cadre.id()]})).await;
        let open = booked(&app.villager("甲").await, &day["slots"][0]).await;
        cadre.get(&of_day(&day, "line")).await.expect(200);
        assert_eq!(app.number(READ).await, 0, "public matters of grown-ups leave no trace");
        let secret = json!({"topic": "dispute", "summary": "和邻居的事", "privacy": "private"});
        let secret = app.villager("乙").await.post(&bookings(&day["slots"][1]), secret).await.expect(201);
        cadre.get(&of_day(&day, "line")).await.expect(200);
        cadre.post(&of_day(&day, "find"), json!({"code": secret["code"]})).await.expect(200);
        cadre.post(&of_day(&day, "find"), json!({"code": open["code"]})).await.expect(200);
        assert_eq!(app.number(READ).await, 2);
        app.advance(TimeDelta::hours(3));
        let cadre = app.staff("cadre").await;
        cadre.post(&of_booking(&open, "check-in"), json!({})).await.expect(200);
        cadre.post(&of_booking(&secret, "check-in"), json!({})).await.expect(200);
        assert_eq!(app.number("SELECT count(*) FROM audit_entry WHERE action = 'read_private_matter'").await, 1);
        // Which matter it was the audit of the whole county does not tell.
        let shown = app.staff("admin").await.get("/staff/audit?action=read_private_matter").await.expect(200);
        assert_eq!((shown["items"].as_array().unwrap().len(), &shown["items"][0]["object"]), (1, &Value::Null));
        let body = walk_in("样例孩子");
        let child = cadre.post(&of_day(&day, "walk-ins"), body).await.expect(201);
        becomes_a_child(&app, &child).await;
        cadre.post(&of_booking(&child, "call"), json!({})).await.expect(200);
        cadre.get(&of_day(&day, "line")).await.expect(200);
        let of_children = "SELECT count(*) FROM audit_entry WHERE action IN ('read_minor_matter', 'read_minor_matters')";
        assert_eq!(app.number(of_children).await, 2);
        app.drain_jobs().await;
    }

    async fn where_no_host_is_named_the_hosts_of_the_place_read_and_none_from_above(app: TestApp) {
        let day = this_afternoon(&app, 3, json!({})).await;
        let secret = json!({"topic": "dispute", "summary": "和邻居的事", "privacy": "private"});
        app.villager("乙").await.post(&bookings(&day["slots"][1]), secret).await.expect(201);
        for (username, place) in [("town-host", TOWNSHIP), ("county-host", COUNTY)] {
            let above = officer(&app, username, place, &["host_talks"]).await;
            let line = above.get(&of_day(&day, "line")).await.expect(200);
            assert_eq!((line["items"].as_array().unwrap().len(), &line["items"][0]["summary"]), (1, &Value::Null), "{username}");
        }
        let line = app.staff("cadre").await.get(&of_day(&day, "line")).await.expect(200);
        assert_eq!(line["items"][0]["summary"], "和邻居的事");
        app.drain_jobs().await;
    }
}

/// Whose place it is turns out to be a child.
async fn becomes_a_child(app: &TestApp, entry: &Value) {
    let id = BookingId(entry["booking"].as_str().unwrap().parse().unwrap());
    let keys = app.app().field_keys.clone();
    let number = CitizenNumber::read(CHILD, local_day(app.now())).unwrap();
    let change = async move |tx: &Tx| {
        let row = booking::Entity::find_by_id(id).one(tx).await?.unwrap();
        let sealed = keys.close(&number)?;
        let person =
            person::ActiveModel { id: Set(row.person_id), citizen_no: Set(Some(sealed)), ..Default::default() };
        Ok(person.update(tx).await.map(drop)?)
    };
    app.db().transact(change).await.unwrap();
}
