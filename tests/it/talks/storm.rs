//! A storm of calls by many people at once: whatever they do, every counter counts what it should.

use std::collections::BTreeSet;

use chrono::{NaiveTime, TimeDelta, Utc};
use entity::{
    booking,
    id::{PersonId, TalkDayId},
    talk_wait,
    talk_wait::WaitState,
};
use futures_util::future::join_all;
use sea_orm::{EntityTrait, QueryOrder, QuerySelect};
use serde_json::{Value, json};
use shuoshi::{db::Db, demo};
use tokio::sync::Semaphore;

use super::{WRONG_COUNTS, lets_act, of_day, walk_in, wish, wrong_counts};
use crate::support::{Actor, Engine, TestDatabase, app::http_client, database::config_on, process::Server};

/// Villagers in the storm.
const PEOPLE: usize = 200;
/// What each of them does, one after another.
const CALLS: usize = 6;
/// Calls on their way at the same moment.
const AT_ONCE: usize = 64;
/// Every so many of them brings somebody of the household.
const FAMILIES: usize = 10;

/// Where the storm rages.
struct Field {
    /// The first may be today: there people walk in.
    days: Vec<Value>,
    slots: Vec<Value>,
}

/// A few small days, so that everybody is in everybody's way.
async fn days(desk: &Actor, village: &str, first: chrono::NaiveDate) -> Field {
    let (mut days, mut slots) = (Vec::new(), Vec::new());
    for day in 0..3 {
        let body = json!({
            "date": first + TimeDelta::days(day), "starts": "22:00", "ends": "23:00", "slot_minutes": 15, "capacity": 6,
            "walk_in_share": 0.3, "place": "村委会", "opens_days_before": 30,
        });
        let made = desk.post(&format!("/staff/divisions/{village}/talk-days"), body).await.expect(201);
        slots.extend(made["slots"].as_array().unwrap().clone());
        days.push(made);
    }
    Field { days, slots }
}

/// The next of a row of numbers that looks random and is the same each time.
fn draw(seed: &mut u64, below: usize) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*seed >> 33).unwrap() % below
}

fn slot<'a>(slots: &'a [Value], seed: &mut u64) -> &'a str {
    slots[draw(seed, slots.len())]["id"].as_str().unwrap()
}

/// Somebody's latest thing of a list in one of these states.
async fn latest(who: &Actor, list: &str, states: &[&str]) -> Option<String> {
    let items = who.get(list).await.expect(200)["items"].as_array().unwrap().clone();
    let found = items.iter().find(|item| states.contains(&item["state"].as_str().unwrap()))?;
    Some(found["id"].as_str().unwrap().to_owned())
}

/// One call; what may be answered is yes or a reasoned no, and nothing else.
async fn act(who: &Actor, with: Option<&Actor>, desk: &Actor, field: &Field, seed: &mut u64) {
    let at = slot(&field.slots, seed).to_owned();
    let answer = match draw(seed, 13) {
        0..4 => who.post(&format!("/slots/{at}/bookings"), wish()).await,
        4 | 5 => who.post(&format!("/slots/{at}/waits"), json!({})).await,
        6 | 7 => match latest(who, "/bookings", &["booked"]).await {
            Some(booking) => who.post(&format!("/bookings/{booking}/move"), json!({"slot": at})).await,
            None => return,
        },
        8 | 9 => match latest(who, "/bookings", &["booked"]).await {
            Some(booking) => who.post(&format!("/bookings/{booking}/cancel"), json!({})).await,
            None => return,
        },
        10 => match (latest(who, "/waits", &["waiting", "held"]).await, with) {
            (Some(wait), _) => who.delete(&format!("/waits/{wait}")).await,
            (None, Some(other)) => {
                let mut body = wish();
                body["persons"] = json!([who.id(), other.id()]);
                who.post(&format!("/slots/{at}/household-bookings"), body).await
            }
            (None, None) => return,
        },
        11 => {
            let name = format!("样例{}", ["甲", "乙", "丙", "丁"][draw(seed, 4)]);
            desk.post(&of_day(&field.days[0], "walk-ins"), walk_in(&name)).await
        }
        _ => {
            let mut body = wish();
            let phone = format!("1380000{:04}", draw(seed, 10_000));
            body["for_person"] = json!({"name": "样例来电", "phone": phone});
            desk.post(&format!("/staff/slots/{at}/bookings"), body).await
        }
    };
    assert!(matches!(answer.status, 200 | 201 | 204 | 409), "{}", answer.text());
}

async fn storm(people: &[Actor], families: &[Actor], desk: &Actor, field: &Field) {
    let lines = Semaphore::new(AT_ONCE);
    let each = people.iter().enumerate().map(async |(at, who)| {
        let mut seed = 2026 + at as u64;
        for _ in 0..CALLS {
            let _line = lines.acquire().await.unwrap();
            let with = at.is_multiple_of(FAMILIES).then(|| &families[at / FAMILIES]);
            act(who, with, desk, field, &mut seed).await;
        }
    });
    join_all(each).await;
}

/// Whoever still waits, alone, and never had a place was passed over by nobody who joined later.
async fn waits_are_in_order(db: &Db) {
    let waits = talk_wait::Entity::find().order_by_asc(talk_wait::Column::Turn).all(db.read()).await.unwrap();
    assert!(waits.iter().any(|wait| wait.held_at.is_some()), "nobody was served");
    let booked = booking::Entity::find().select_only().column(booking::Column::PersonId).into_tuple();
    let booked: BTreeSet<PersonId> = booked.all(db.read()).await.unwrap().into_iter().collect();
    // One place a day is held for each: who had theirs on another list of the day is rightly passed over.
    let offered: BTreeSet<(TalkDayId, PersonId)> =
        waits.iter().filter(|wait| wait.held_at.is_some()).map(|wait| (wait.talk_day_id, wait.person_id)).collect();
    for (at, later) in waits.iter().enumerate().filter(|(_, later)| later.held_at.is_some()) {
        let passed_over = |earlier: &&talk_wait::Model| {
            let could = !booked.contains(&earlier.person_id)
                && !offered.contains(&(earlier.talk_day_id, earlier.person_id))
                && earlier.places == 1;
            earlier.slot_id == later.slot_id && could && earlier.state == WaitState::Waiting
        };
        let earlier = waits.iter().take(at).find(passed_over);
        assert!(earlier.is_none(), "{} was served before {}", later.id, earlier.unwrap().id);
    }
}

/// Numbers that two of a day bear, or that two walk-ins ever bore.
const TWICE: &str = "
    SELECT count(*) FROM (
        SELECT 1 FROM booking WHERE live GROUP BY talk_day_id, number_in_line HAVING count(*) > 1
        UNION ALL
        SELECT 1 FROM booking WHERE channel = 'walk_in' GROUP BY talk_day_id, number_in_line HAVING count(*) > 1
    ) twice";
const WALKED_IN: &str = "SELECT count(*) FROM booking WHERE channel = 'walk_in'";

both_engines! {
    async fn after_a_storm_every_slot_counts_its_live_bookings(app: TestApp) {
        let other = app.second_server().await;
        let desk = app.staff("desk").await;
        let field = days(&desk, &app.village().await.to_string(), "2026-11-23".parse().unwrap()).await;
        let (mut people, mut families) = (Vec::new(), Vec::new());
        for number in 0..PEOPLE {
            let villager = app.villager(&format!("村民{number}")).await;
            let villager = if number % 2 == 0 { villager } else { villager.at(&other) };
            if number.is_multiple_of(FAMILIES) {
                let member = app.villager(&format!("家人{number}")).await;
                lets_act(&member, &villager).await;
                families.push(member);
            }
            people.push(villager);
        }
        storm(&people, &families, &desk, &field).await;
        assert_eq!((wrong_counts(&app).await, app.number(TWICE).await), (0, 0));
        assert!(app.number(WALKED_IN).await > 20);
        assert!(app.number("SELECT count(*) FROM booking WHERE live").await > 20);
        waits_are_in_order(app.db()).await;
        // Holds run out, lists move on, and it still adds up.
        app.advance(TimeDelta::hours(3));
        app.drain_jobs().await;
        assert_eq!(wrong_counts(&app).await, 0);
        waits_are_in_order(app.db()).await;
    }
}

/// The storm through two processes on one `PostgreSQL`.
async fn two_processes() {
    let database = TestDatabase::filled(Engine::Postgres).await;
    let client = http_client();
    let (one, two) = (Server::start(&database).await, Server::start(&database).await);
    let nobody = Actor::nobody(client.clone(), &one.address);
    let said = json!({"username": "desk", "password": demo::PASSWORD});
    let desk = nobody.clone().signed_in("desk", nobody.post("/auth/staff", said).await.expect(200));
    let village = nobody.get(&format!("/divisions?code={}", demo::VILLAGE)).await.expect(200)["items"][0]["id"].clone();
    #[allow(clippy::disallowed_methods, reason = "the processes under test run on the machine's clock")]
    let now = Utc::now();
    // Who books needs two hours before 22:00; late in the evening nobody walks in.
    let early = shuoshi::clock::local_time(now) < NaiveTime::from_hms_opt(19, 30, 0).unwrap();
    let first = shuoshi::clock::local_day(now) + TimeDelta::days(i64::from(!early));
    let field = days(&desk, village.as_str().unwrap(), first).await;
    let (mut people, mut families) = (Vec::new(), Vec::new());
    for number in 0..PEOPLE {
        let at = if number % 2 == 0 { &one } else { &two };
        let villager = nobody.clone().at_address(&at.address);
        let session = at.villager(&client).await;
        let villager = villager.signed_in(&format!("村民{number}"), session);
        if number.is_multiple_of(FAMILIES) {
            let member = nobody.clone().at_address(&at.address).signed_in("家人", at.villager(&client).await);
            lets_act(&member, &villager).await;
            families.push(member);
        }
        people.push(villager);
    }
    storm(&people, &families, &desk, &field).await;
    drop((one, two));
    let db = Db::connect(&config_on(&database.url).database).await.unwrap();
    for counts in [WRONG_COUNTS, TWICE] {
        assert_eq!(crate::support::database::number(&db, counts).await, 0, "{counts}");
    }
    assert_eq!(crate::support::database::number(&db, WALKED_IN).await > 20, early);
    waits_are_in_order(&db).await;
    db.close().await;
    database.remove().await;
}

#[test]
fn after_a_storm_through_two_processes_every_slot_counts_its_live_bookings() {
    actix_web::rt::System::new().block_on(two_processes());
}
