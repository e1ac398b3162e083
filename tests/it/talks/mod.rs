//! Talk days: rules become days, days have places, nobody gets a place that is not there.

mod agenda;
mod book_household;
mod book_slot;
mod calendar;
mod cancel_booking;
mod cancel_talk_day;
mod closing;
mod conclude_booking;
mod desk;
mod desk_bookings;
mod fair_waits;
pub(super) mod hearing;
mod joined_people;
mod line;
mod materialise;
mod minutes;
mod missed;
mod move_booking;
mod numbers;
mod offline;
mod own_words;
mod preview_talk_rule;
mod ratings;
mod rebook_booking;
mod route;
mod screen;
mod shift_talk_day;
mod slip;
mod storm;
mod talk_rules;
mod waits;
mod walk_in;
mod whole_day;
mod withdraw_host;

use entity::{
    id::{PersonId, SlotId, TalkWaitId, TalkWaiterId},
    slot, talk_wait,
    talk_wait::WaitState,
    talk_waiter,
};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, Set};
use serde::Deserialize;
use serde_json::{Value, json};
use shuoshi::db::Tx;

use crate::support::{Actor, TestApp};

/// The next talk days of the demonstration village.
pub(crate) async fn days(app: &TestApp) -> Vec<Value> {
    let path = format!("/divisions/{}/talk-days", app.village().await);
    app.nobody().get(&path).await.expect(200)["items"].as_array().unwrap().clone()
}

/// The address at which a slot is booked.
pub(super) fn bookings(slot: &Value) -> String {
    format!("/slots/{}/bookings", slot["id"].as_str().unwrap())
}

/// A wish for a place.
pub(super) fn wish() -> Value {
    json!({"topic": "roads", "summary": "村口的路坏了", "privacy": "public"})
}

/// A single day tomorrow with one slot of so many public places.
pub(crate) async fn one_slot(app: &TestApp, places: u32) -> Value {
    let desk = app.staff("desk").await;
    let body = json!({
        "date": "2026-11-24", "starts": "15:00", "ends": "15:30", "slot_minutes": 30, "capacity": places,
        "walk_in_share": 0.0, "place": "村委会",
    });
    let day = desk.post(&format!("/staff/divisions/{}/talk-days", app.village().await), body).await.expect(201);
    let day = app.nobody().get(&format!("/talk-days/{}", day["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(day["slots"][0]["free"], places);
    day
}

/// Slots of which a counter is not what it counts, or above its bound.
pub(super) const WRONG_COUNTS: &str = "
    SELECT count(*) FROM slot
    WHERE taken <> (SELECT count(*) FROM booking b WHERE b.slot_id = slot.id AND b.live AND b.place = 'public')
       OR reserve_taken <> (SELECT count(*) FROM booking b WHERE b.slot_id = slot.id AND b.live AND b.place = 'reserve')
       OR held <> (SELECT COALESCE(sum(places), 0) FROM talk_wait w WHERE w.slot_id = slot.id AND w.state = 'held')
       OR waiting <> (SELECT count(*) FROM talk_wait w WHERE w.slot_id = slot.id AND w.state = 'waiting')
       OR taken + held > public_places OR reserve_taken > places - public_places";

/// How many there are.
pub(super) async fn wrong_counts(app: &TestApp) -> i64 {
    app.number(WRONG_COUNTS).await
}

/// Lets somebody see to another's talk days.
pub(super) async fn lets_act(principal: &Actor, agent: &Actor) {
    let body = json!({
        "agent": agent.id(), "agent_name": "样例侄", "scope": ["talk"], "until": "2027-11-23",
        "evidence": {"kind": "in_person", "text": "二人到村便民服务室当面说明"},
    });
    agent.put("/me", json!({"name": "样例侄"})).await.expect(200);
    principal.post("/me/authorisations", body).await.expect(201);
}

/// Puts a booking in a state that only time and the line bring about.
pub(super) async fn put_in_state(app: &TestApp, booking: &Value, state: &str) {
    let code = booking["code"].as_str().unwrap();
    let sql = format!("UPDATE booking SET state = '{state}' WHERE code = '{code}'");
    app.db().transact(async move |tx| Ok(tx.execute_unprepared(&sql).await.map(drop)?)).await.unwrap();
}

/// A talk day of the village as everybody sees it, made by the desk from these fields.
pub(crate) async fn single_day(app: &TestApp, fields: Value) -> Value {
    let mut body = json!({"date": "2026-11-25", "starts": "15:00", "ends": "16:00", "place": "村委会"});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let (desk, path) = (app.staff("desk").await, format!("/staff/divisions/{}/talk-days", app.village().await));
    seen(app, &desk.post(&path, body).await.expect(201)).await
}

/// A talk day as it is now.
pub(super) async fn seen(app: &TestApp, day: &Value) -> Value {
    app.nobody().get(&format!("/talk-days/{}", day["id"].as_str().unwrap())).await.expect(200)
}

/// What somebody was last told: kind and sentence.
pub(super) async fn last_told(app: &TestApp, who: &Actor) -> (String, String) {
    app.drain_jobs().await;
    let told = who.get("/inbox").await.expect(200)["items"][0].clone();
    (told["kind"].as_str().unwrap().to_owned(), told["text"].as_str().unwrap().to_owned())
}

/// Writes an entry of the waiting list: the table is what calling off, shifting and shrinking act on.
pub(super) async fn waits(app: &TestApp, slot: &Value, who: &Actor, held: bool) -> TalkWaitId {
    let (slot, person) = (SlotId::deserialize(&slot["id"]).unwrap(), PersonId::deserialize(json!(who.id())).unwrap());
    let of = slot::Entity::find_by_id(slot).one(app.db().read()).await.unwrap().unwrap();
    let id = TalkWaitId::fresh();
    let state = if held { WaitState::Held } else { WaitState::Waiting };
    let row = talk_wait::ActiveModel {
        id: Set(id),
        slot_id: Set(slot),
        talk_day_id: Set(of.talk_day_id),
        turn: Set(of.joined + 1),
        person_id: Set(person),
        agent_id: Set(None),
        authorisation_id: Set(None),
        party: Set(json!([person])),
        places: Set(1),
        state: Set(state),
        held_at: Set(held.then(|| app.now())),
        held_until: Set(held.then(|| app.now() + chrono::TimeDelta::hours(2))),
        created_at: Set(app.now()),
        ended_at: Set(None),
    };
    let waiter = talk_waiter::ActiveModel { id: Set(TalkWaiterId::fresh()), wait_id: Set(id), person_id: Set(person) };
    let counted = slot::ActiveModel {
        id: Set(slot),
        held: Set(of.held + i32::from(held)),
        waiting: Set(of.waiting + i32::from(!held)),
        joined: Set(of.joined + 1),
        ..Default::default()
    };
    let write = async move |tx: &Tx| {
        row.clone().insert(tx).await?;
        waiter.clone().insert(tx).await?;
        counted.clone().update(tx).await?;
        Ok(())
    };
    app.db().transact(write).await.unwrap();
    id
}

/// Books and answers the booking.
pub(super) async fn booked(villager: &Actor, slot: &Value) -> Value {
    villager.post(&bookings(slot), wish()).await.expect(201)
}

/// A day this afternoon from 13:00 on: so many slots of ten minutes and one place, a third of them kept.
pub(crate) async fn this_afternoon(app: &TestApp, slots: u32, more: Value) -> Value {
    let desk = app.staff("desk").await;
    let ends = 13 * 60 + slots * 10;
    let mut body = json!({
        "date": "2026-11-23", "starts": "13:00", "ends": format!("{:02}:{:02}", ends / 60, ends % 60),
        "slot_minutes": 10, "capacity": 1, "walk_in_share": 0.34, "place": "村委会",
    });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let day = desk.post(&format!("/staff/divisions/{}/talk-days", app.village().await), body).await.expect(201);
    app.nobody().get(&format!("/talk-days/{}", day["id"].as_str().unwrap())).await.expect(200)
}

/// The address of a call of staff with a day.
pub(crate) fn of_day(day: &Value, call: &str) -> String {
    format!("/staff/talk-days/{}/{call}", day["id"].as_str().unwrap())
}

/// The address of a call of staff with a booking, or with an entry of the line.
pub(crate) fn of_booking(booking: &Value, call: &str) -> String {
    let id = booking["id"].as_str().or(booking["booking"].as_str()).unwrap();
    format!("/staff/bookings/{id}/{call}")
}

/// Somebody who has come without a booking.
pub(crate) fn walk_in(name: &str) -> Value {
    json!({"name": name, "topic": "roads", "summary": "村口的路坏了"})
}

/// As a day may have been left by whoever changed duties since.
pub(super) async fn name_hosts(app: &TestApp, day: &Value, hosts: Value) {
    let row = entity::talk_day::ActiveModel {
        id: Set(entity::id::TalkDayId::deserialize(&day["id"]).unwrap()),
        hosts: Set(hosts),
        ..Default::default()
    };
    app.db().transact(async move |tx| Ok(row.clone().update(tx).await.map(drop)?)).await.unwrap();
}

/// Records that a villager is near to staff, or is they themselves.
pub(super) async fn near(app: &TestApp, staff: &Actor, villager: &Actor, kind: &str) {
    let path = format!("/staff/accounts/{}/conflicts", staff.id());
    let body = json!({"with_person": villager.id(), "kind": kind});
    app.staff("admin").await.post(&path, body).await.expect(201);
}
