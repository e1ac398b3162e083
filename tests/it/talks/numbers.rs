//! Numbers: what the queries say is what somebody who reads the rows one by one finds.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use entity::{
    booking,
    booking::{BookingOutcome, BookingState},
    case, talk_day,
    talk_day::TalkDayState,
    talk_rating,
};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use super::hearing::{answered, called_after, conclude, hosted, id, matter};
use crate::{cases, support::TestApp};

/// Books, waits so many minutes, is heard.
async fn heard(app: &TestApp, day: &Value, name: &str, minutes: i64, body: Value) -> Value {
    let privacy = if name == "戊" { "private" } else { "public" };
    let booking = matter(&app.villager(name).await, day, privacy, "来说一件事").await;
    called_after(app, &booking, minutes).await;
    app.staff("desk").await.post(&conclude(&booking), body).await.expect(200)
}

/// Two days of matters of every outcome, one of them called off, a person who comes twice, one who does not come.
async fn a_month(app: &TestApp) {
    let (first, second) = (hosted(app, &[], 9).await, hosted(app, &[], 9).await);
    let case = || json!({"record": "转办", "outcome": "case"});
    heard(app, &first, "甲", 0, answered()).await;
    heard(app, &first, "乙", 7, json!({"record": "商量", "outcome": "council", "council_title": "修桥"})).await;
    let done = heard(app, &first, "丙", 7, case()).await;
    heard(app, &first, "丁", 31, case()).await;
    heard(app, &first, "戊", 2, case()).await;
    heard(app, &second, "甲", 12, answered()).await;
    let missed = matter(&app.villager("己").await, &second, "public", "没有来").await;
    miss(app, &missed).await;
    let third = hosted(app, &[], 1).await;
    let desk = app.staff("desk").await;
    desk.post(&format!("/staff/talk-days/{}/cancel", id(&third)), json!({"reason": "下雨"})).await.expect(200);
    let confirmed = json!({"id": done["case"]});
    cases::answered(app, &confirmed).await;
    app.villager("丙")
        .await
        .post(&format!("{}/actions", cases::own(&confirmed)), json!({"action": "confirm"}))
        .await
        .expect(200);
    app.advance(TimeDelta::hours(30));
    app.villager("甲").await.post(&format!("/talk-days/{}/ratings", id(&first)), json!({"stars": 5})).await.expect(201);
}

async fn miss(app: &TestApp, booking: &Value) {
    use sea_orm::{ActiveModelTrait, Set};
    let id = serde_json::from_value(booking["id"].clone()).unwrap();
    let miss = async move |tx: &shuoshi::db::Tx| {
        let row = booking::ActiveModel { id: Set(id), state: Set(BookingState::Missed), ..Default::default() };
        row.update(tx).await?;
        Ok(())
    };
    app.db().transact(miss).await.unwrap();
}

/// The numbers of November, read row by row.
async fn recomputed(app: &TestApp) -> Value {
    let db = app.db().read();
    let november = |day: &talk_day::Model| day.on_date.to_string().starts_with("2026-11");
    let days: Vec<talk_day::Model> =
        talk_day::Entity::find().all(db).await.unwrap().into_iter().filter(november).collect();
    let of_days = |id| days.iter().any(|day| day.id == id);
    let bookings: Vec<booking::Model> =
        booking::Entity::find().all(db).await.unwrap().into_iter().filter(|row| of_days(row.talk_day_id)).collect();
    let cases = case::Entity::find().all(db).await.unwrap();
    let ratings = talk_rating::Entity::find().all(db).await.unwrap();
    let heard: Vec<&booking::Model> = bookings.iter().filter(|row| row.state == BookingState::Concluded).collect();
    let outcome = |outcome| heard.iter().filter(|row| row.outcome == Some(outcome)).count();
    let held = |day: &&talk_day::Model| {
        day.state == TalkDayState::Planned && heard.iter().any(|row| row.talk_day_id == day.id)
    };
    let confirmed = heard.iter().filter(|row| {
        row.case_id.is_some_and(|id| cases.iter().any(|case| case.id == id && case.confirmed == Some(true)))
    });
    let missed = bookings.iter().filter(|row| row.state == BookingState::Missed).count();
    let mut waits: Vec<i64> =
        bookings.iter().filter_map(|row| Some((row.called_at? - row.arrived_at?).num_minutes())).collect();
    waits.sort_unstable();
    let rank = |percent: usize| waits[(waits.len() * percent).div_ceil(100) - 1];
    let share = |of: usize, all: usize| {
        (f64::from(u32::try_from(of).unwrap()) / f64::from(u32::try_from(all).unwrap()) * 100.0).round() / 100.0
    };
    let solved = outcome(BookingOutcome::Answered) + confirmed.count();
    json!({
        "days": {
            "planned": days.len(), "held": days.iter().filter(held).count(),
            "cancelled": days.iter().filter(|day| day.state == TalkDayState::Cancelled).count(),
        },
        "people": heard.iter().map(|row| row.person_id).collect::<BTreeSet<_>>().len(),
        "matters": heard.len(), "answered": outcome(BookingOutcome::Answered), "cases": outcome(BookingOutcome::Case),
        "council": outcome(BookingOutcome::Council),
        "solved": {"share": share(solved, heard.len()), "n": heard.len()},
        "waiting_minutes": {"median": rank(50), "p90": rank(90), "n": waits.len()},
        "no_show": {"share": share(missed, missed + heard.len()), "n": missed + heard.len()},
        "ratings": {"average": null, "n": if ratings.len() < 10 { Value::Null } else { json!(ratings.len()) }},
    })
}

fn without_place(numbers: &Value) -> Value {
    let mut numbers = numbers.clone();
    let members = numbers.as_object_mut().unwrap();
    members.remove("division");
    members.remove("name");
    numbers
}

both_engines! {
    async fn the_numbers_are_those_of_the_rows(app: TestApp) {
        a_month(&app).await;
        let rows = recomputed(&app).await;
        assert_eq!((&rows["days"]["held"], &rows["days"]["cancelled"]), (&json!(2), &json!(1)), "{rows}");
        assert_eq!((&rows["people"], &rows["matters"], &rows["cases"]), (&json!(5), &json!(6), &json!(3)));
        assert_eq!(rows["waiting_minutes"], json!({"median": 7, "p90": 31, "n": 6}));
        let desk = app.staff("desk").await;
        let village = format!("/staff/divisions/{}/talk-numbers", app.village().await);
        for period in ["2026-11", "2026-11..2026-11", ""] {
            let query = if period.is_empty() { String::new() } else { format!("?period={period}") };
            let numbers = desk.get(&format!("{village}{query}")).await.expect(200);
            assert_eq!((&numbers["from"], &numbers["to"], &numbers["villages"]), (&json!("2026-11-01"), &json!("2026-11-30"), &Value::Null));
            assert_eq!(without_place(&numbers["total"]), rows, "{period}");
        }
        let text = desk.get(&format!("{village}?period=2026")).await.expect(200).to_string();
        assert!(!text.contains("来说一件事") && !text.contains("修桥"), "{text}");
        app.drain_jobs().await;
    }

    async fn a_place_counts_what_is_below_it_and_village_by_village(app: TestApp) {
        a_month(&app).await;
        let rows = recomputed(&app).await;
        let town = app.staff("town").await;
        let path = format!("/staff/divisions/{}/talk-numbers?period=2026-11&by=village", app.division("511702108000").await);
        let (mut villages, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = town.get(&format!("{path}&limit=7{cursor}")).await.expect(200);
            assert_eq!(without_place(&page["total"]), rows, "the total is that of the whole place on every page");
            villages.extend(page["villages"]["items"].as_array().unwrap().clone());
            match page["villages"]["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert!(villages.len() > 7, "{}", villages.len());
        for village in villages {
            if village["name"] == "石笋村" {
                assert_eq!(without_place(&village), rows);
            } else {
                assert_eq!((&village["days"]["planned"], &village["matters"], &village["solved"]["share"]), (&json!(0), &json!(0), &Value::Null));
            }
        }
        app.drain_jobs().await;
    }

    async fn what_is_no_period_is_refused_and_an_empty_one_is_nought(app: TestApp) {
        let desk = app.staff("desk").await;
        let village = format!("/staff/divisions/{}/talk-numbers", app.village().await);
        for (period, fault) in [("2026-13", "format"), ("x", "format"), ("2026-12..2026-11", "range"), ("2000-01..2026-12", "range")] {
            desk.get(&format!("{village}?period={period}")).await.invalid("?period", fault);
        }
        desk.get(&format!("{village}?by=street")).await.problem("invalid");
        let numbers = desk.get(&format!("{village}?period=2020")).await.expect(200)["total"].clone();
        assert_eq!((&numbers["days"]["planned"], &numbers["people"], &numbers["waiting_minutes"]["median"]), (&json!(0), &json!(0), &Value::Null));
        for (who, problem) in [("neighbour", "not_found"), ("discipline", "not_your_duty"), ("admin", "not_your_duty")] {
            app.staff(who).await.get(&village).await.problem(problem);
        }
        app.staff("county").await.get(&village).await.expect(200);
    }
}
