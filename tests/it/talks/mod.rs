//! Talk days: rules become days, days have places, nobody gets a place that is not there.

mod book_household;
mod book_slot;
mod cancel_booking;
mod desk_bookings;
mod missed;
mod move_booking;
mod rebook_booking;
mod storm;
mod talk_rules;
mod waits;

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::support::{Actor, TestApp};

/// The next talk days of the demonstration village.
pub(super) async fn days(app: &TestApp) -> Vec<Value> {
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
pub(super) async fn one_slot(app: &TestApp, places: u32) -> Value {
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

/// Books and answers the booking.
pub(super) async fn booked(villager: &Actor, slot: &Value) -> Value {
    villager.post(&bookings(slot), wish()).await.expect(201)
}
