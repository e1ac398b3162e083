//! Talk days: rules become days, days have places, nobody gets a place that is not there.

mod agenda;
mod book_slot;
mod cancel_booking;
mod conclude_booking;
pub(super) mod hearing;
mod minutes;
mod numbers;
mod own_words;
mod ratings;
mod talk_rules;

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

/// Slots whose counter is not the number of their live bookings, or above their public places.
pub(super) async fn wrong_counts(app: &TestApp) -> i64 {
    let live = "(SELECT count(*) FROM booking b WHERE b.slot_id = slot.id AND b.live)";
    app.number(&format!("SELECT count(*) FROM slot WHERE taken <> {live} OR taken > public_places")).await
}

/// Books and answers the booking.
pub(super) async fn booked(villager: &Actor, slot: &Value) -> Value {
    villager.post(&bookings(slot), wish()).await.expect(201)
}
