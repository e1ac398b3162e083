//! Days are made by the clock: once, whole, by the newest calendar, for whatever purpose.

use std::time::Duration;

use chrono::{NaiveDate, TimeDelta};
use entity::{id::TalkRuleId, talk_rule};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, Set, Statement};
use serde_json::{Value, json};
use shuoshi::{
    calendar::{self, CalendarRow, DayKind},
    db::Db,
    jobs::sweeps::{self, Sweep},
    lists,
};

use super::{booked, bookings, days, wish};
use crate::support::{Engine, TestApp, TestDatabase, database::config_on, process::Server};

async fn make(app: &TestApp, who: &str, place: &str, changes: Value) -> Value {
    let mut body = json!({
        "recurrence": {"kind": "monthly_days", "days": [1]}, "starts": "19:00", "ends": "20:00", "place": "村委会",
        "opens_days_before": 60,
    });
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    app.staff(who).await.post(&format!("/staff/divisions/{place}/talk-rules"), body).await.expect(201)
}

/// Evening days of the village, which no other rule makes.
async fn evenings(app: &TestApp) -> Vec<Value> {
    let evening = |day: &Value| day["starts_at"].as_str().unwrap().contains("T11:00");
    days(app).await.into_iter().filter(evening).collect()
}

fn dates(days: &[Value]) -> Vec<&str> {
    days.iter().map(|day| day["date"].as_str().unwrap()).collect()
}

/// Publishes what the calendar says so far, and New Year of 2027.
async fn publish_2027(app: &TestApp) {
    let file = include_bytes!("../../../config/calendar/holidays-cn.csv");
    let mut rows = calendar::parse(file.as_slice()).unwrap();
    for day in 1..=3 {
        let date = NaiveDate::from_ymd_opt(2027, 1, day).unwrap();
        rows.push(CalendarRow { date, kind: DayKind::Holiday, name: "元旦".into() });
    }
    calendar::publish(app.db(), rows, "test", app.now() + TimeDelta::seconds(1)).await.unwrap();
}

both_engines! {
    async fn materialise_follows_a_calendar_that_is_published_later(app: TestApp) {
        let (village, other) = (app.village().await.to_string(), app.second_server().await);
        make(&app, "desk", &village, json!({"holiday_policy": "next_working_day"})).await;
        make(&app, "desk", &village, json!({"holiday_policy": "skip", "place": "祠堂"})).await;
        make(&app, "desk", &village, json!({"holiday_policy": "keep", "place": "学校"})).await;
        let new_year = |days: Vec<Value>| -> Vec<(String, String)> {
            let late = days.iter().filter(|day| day["date"].as_str().unwrap() > "2026-12-31");
            let mut told: Vec<_> = late.map(|day| (day["place"].as_str().unwrap().to_owned(), day["date"].as_str().unwrap().to_owned())).collect();
            told.sort();
            told
        };
        let told = |place: &str, date: &str| (place.to_owned(), date.to_owned());
        let all = [told("学校", "2027-01-01"), told("村委会", "2027-01-01"), told("祠堂", "2027-01-01")];
        assert_eq!(new_year(evenings(&app).await), all);
        publish_2027(&app).await;
        sweeps::run(app.app(), Sweep::MaterialiseTalkDays).await.unwrap();
        sweeps::run(other.app(), Sweep::MaterialiseTalkDays).await.unwrap();
        let after = [told("学校", "2027-01-01"), told("村委会", "2027-01-04")];
        assert_eq!(new_year(evenings(&app).await), after);
        app.drain_jobs().await;
        assert_eq!(new_year(evenings(&app).await), after);
    }

    async fn materialise_leaves_a_booked_day_where_it_is_and_names_it(app: TestApp) {
        let village = app.village().await.to_string();
        let rule = make(&app, "desk", &village, json!({"holiday_policy": "next_working_day"})).await;
        let new_year = evenings(&app).await.into_iter().find(|day| day["date"] == "2027-01-01").unwrap();
        let booking = booked(&app.villager("甲").await, &new_year["slots"][0]).await;
        publish_2027(&app).await;
        sweeps::run(app.app(), Sweep::MaterialiseTalkDays).await.unwrap();
        let after = evenings(&app).await;
        assert_eq!(dates(&after), ["2026-12-01", "2027-01-01"], "it is not held a second time either");
        assert_eq!(after[1]["id"], new_year["id"]);
        let mut same = rule.clone();
        for field in ["id", "division", "created_at"] {
            same.as_object_mut().unwrap().remove(field);
        }
        let path = format!("/staff/talk-rules/{}/preview", rule["id"].as_str().unwrap());
        let told = app.staff("desk").await.post(&path, same).await.expect(200);
        let kept = json!({
            "talk_day": booking["talk_day"], "date": "2027-01-01", "bookings": 1, "waiting": 0, "differs": [],
            "still_of_rule": false,
        });
        assert_eq!(told["kept"], json!([kept]));
        assert_eq!(told["next"][1]["date"], "2027-01-04");
        assert_eq!(told["next"][1]["moved_from"], "2027-01-01");
        app.drain_jobs().await;
    }

    async fn two_servers_follow_a_new_calendar_at_once(app: TestApp) {
        let (village, other) = (app.village().await.to_string(), app.second_server().await);
        for number in 0..5 {
            let changes = json!({"holiday_policy": "next_working_day", "place": format!("第{number}组")});
            make(&app, "desk", &village, changes).await;
        }
        publish_2027(&app).await;
        app.advance(TimeDelta::days(7));
        let sweep = Sweep::MaterialiseTalkDays;
        let (one, two) = tokio::join!(sweeps::run(app.app(), sweep), sweeps::run(other.app(), sweep));
        one.unwrap();
        two.unwrap();
        let on = |date: &str| format!("SELECT count(*) FROM talk_day WHERE on_date = '{date}' AND place LIKE '第%'");
        assert_eq!(app.number(&on("2027-01-01")).await, 0);
        assert_eq!(app.number(&on("2027-01-04")).await, 5);
        let slots = "SELECT count(*) FROM talk_day d WHERE place LIKE '第%' AND (SELECT count(*) FROM slot s WHERE s.talk_day_id = d.id) <> 4";
        assert_eq!(app.number(slots).await, 0);
        app.drain_jobs().await;
    }

    async fn a_legal_adviser_of_the_township_is_booked_like_any_other_day(app: TestApp) {
        let township = app.division("511702108000").await.to_string();
        let recurrence = json!({"recurrence": {"kind": "nth_weekday", "nth": 1, "weekday": 4}, "purpose": "legal_advice", "place": "镇司法所"});
        make(&app, "town", &township, recurrence).await;
        let of = async |purpose: &str| -> Vec<Value> {
            let path = format!("/divisions/{township}/talk-days?purpose={purpose}");
            app.nobody().get(&path).await.expect(200)["items"].as_array().unwrap().clone()
        };
        let advice = of("legal_advice").await;
        assert_eq!(dates(&advice), ["2026-12-03", "2027-01-07"]);
        assert_eq!((&advice[0]["purpose"], &advice[0]["format"]), (&json!("legal_advice"), &json!("private_slots")));
        assert_eq!(of("talk").await.len(), 0);
        app.nobody().get(&format!("/divisions/{township}/talk-days?purpose=karaoke")).await.problem("invalid");
        let villager = app.villager("甲").await;
        let booking = booked(&villager, &advice[0]["slots"][0]).await;
        assert_eq!((&booking["date"], &booking["place"]), (&json!("2026-12-03"), &json!("镇司法所")));
        villager.post(&bookings(&advice[0]["slots"][1]), wish()).await.problem("already_booked");
        // The same limits: with two days of the village it is the third, and there is no fourth.
        for day in days(&app).await.iter().take(2) {
            booked(&villager, &day["slots"][0]).await;
        }
        villager.post(&bookings(&advice[1]["slots"][0]), wish()).await.problem("limit_reached");
        app.drain_jobs().await;
    }

    async fn purposes_and_formats_are_published_lists(app: TestApp) {
        let document = shuoshi::openapi::document();
        for (list, schema) in [("talk_purposes", "TalkPurpose"), ("talk_formats", "TalkFormat")] {
            let listed = app.nobody().get(&format!("/lists/{list}")).await.expect(200);
            let codes: Vec<&Value> = listed["items"].as_array().unwrap().iter().map(|entry| &entry["code"]).collect();
            let known: Vec<&Value> = document["components"]["schemas"][schema]["enum"].as_array().unwrap().iter().collect();
            assert_eq!(codes, known, "every code that is answered has a label, and no other");
            assert!(lists::entries(list).unwrap().iter().all(|entry| !entry.zh.is_empty()));
        }
    }
}

/// Rules that have made no day yet.
const RULES: usize = 60;
/// Slots of each of their days.
const SLOTS: usize = 40;

async fn number(db: &Db, sql: &str) -> i64 {
    let statement = Statement::from_string(db.read().get_database_backend(), sql);
    db.read().query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

/// Copies the rule of the demonstration village, to sit every day.
async fn add_rules(db: &Db) {
    let model = talk_rule::Entity::find().one(db.read()).await.unwrap().unwrap();
    db.transact(async move |tx| {
        for _ in 0..RULES {
            let rule = talk_rule::ActiveModel {
                id: Set(TalkRuleId::fresh()),
                division_id: Set(model.division_id),
                recurrence: Set(json!({"kind": "weekly", "weekdays": [1, 2, 3, 4, 5, 6, 7]})),
                exceptions: Set(json!([])),
                starts: Set("08:00:00".parse().unwrap()),
                ends: Set("11:20:00".parse().unwrap()),
                slot_minutes: Set(5),
                capacity: Set(1),
                walk_in_share: Set(0.3),
                hosts: Set(json!([])),
                place: Set("被杀".into()),
                modes: Set(json!(["in_person"])),
                opens_days_before: Set(7),
                closes_hours_before: Set(2),
                purpose: Set(model.purpose),
                format: Set(model.format),
                holiday_policy: Set(model.holiday_policy),
                video_url: Set(None),
                version: Set(1),
                created_at: Set(model.created_at),
                ended_at: Set(None),
            };
            rule.insert(tx).await?;
        }
        // Due at once, for whichever process comes.
        Ok(tx.execute_unprepared("DELETE FROM sweep WHERE name = 'materialise_talk_days'").await?)
    })
    .await
    .unwrap();
}

/// kill -9 while days are being made: what is there is whole, and the next process makes the rest, nothing twice.
async fn killed_while_making_days(engine: Engine) {
    let database = TestDatabase::filled(engine).await;
    let db = Db::connect(&config_on(&database.url).database).await.unwrap();
    add_rules(&db).await;
    let made = "SELECT count(*) FROM talk_day WHERE place = '被杀'";
    let rules = "SELECT count(DISTINCT rule_id) FROM talk_day WHERE place = '被杀'";
    let torn = format!(
        "SELECT count(*) FROM talk_day d WHERE place = '被杀' AND (SELECT count(*) FROM slot s WHERE s.talk_day_id = d.id) <> {SLOTS}"
    );
    let mut server = Server::start(&database).await;
    while number(&db, made).await == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    server.kill();
    let first = number(&db, rules).await;
    assert!(0 < first && first < i64::try_from(RULES).unwrap(), "the end came in the middle: {first}");
    assert_eq!(number(&db, &torn).await, 0, "no day lacks a slot");

    // The dead server's lease would hold the next one up for minutes.
    let free = "UPDATE sweep SET leased_until = NULL WHERE name = 'materialise_talk_days'";
    db.transact(async move |tx| Ok(tx.execute_unprepared(free).await?)).await.unwrap();
    let again = Server::start(&database).await;
    for _ in 0..600 {
        if number(&db, "SELECT count(*) FROM sweep WHERE name = 'materialise_talk_days' AND last_run_at IS NOT NULL")
            .await
            == 1
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(again);
    assert_eq!(number(&db, rules).await, i64::try_from(RULES).unwrap());
    let each = "SELECT count(*) FROM (SELECT rule_id, count(DISTINCT on_date) d, count(*) n FROM talk_day WHERE place = '被杀' GROUP BY rule_id) r WHERE d <> n OR n NOT IN (56, 57)";
    assert_eq!(number(&db, each).await, 0, "eight weeks, and today while it lasts, each day once");
    assert_eq!(number(&db, &torn).await, 0);
    db.close().await;
    database.remove().await;
}

#[test]
fn kill_while_days_are_made_tears_none_and_loses_none_sqlite() {
    actix_web::rt::System::new().block_on(killed_while_making_days(Engine::Sqlite));
}

#[test]
fn kill_while_days_are_made_tears_none_and_loses_none_postgres() {
    actix_web::rt::System::new().block_on(killed_while_making_days(Engine::Postgres));
}
