//! Bringing a day to where people are heard: calling somebody, concluding, letting a day end.

use chrono::TimeDelta;
use entity::{
    booking,
    booking::BookingState,
    booking_event,
    id::{BookingEventId, BookingId, PersonId, TalkDayId},
    person, talk_day,
};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Set};
use serde_json::{Value, json};
use shuoshi::personal::{PersonName, PhoneNumber};

use super::{bookings, one_slot};
use crate::support::{Actor, TestApp};

/// The id of a thing.
pub(crate) fn id(thing: &Value) -> &str {
    thing["id"].as_str().unwrap()
}

/// A single day tomorrow with one slot, hosted by these; by whoever hosts there when none is said.
pub(crate) async fn hosted(app: &TestApp, hosts: &[&Actor], places: u32) -> Value {
    if hosts.is_empty() {
        return one_slot(app, places).await;
    }
    let body = json!({
        "date": "2026-11-24", "starts": "15:00", "ends": "15:30", "slot_minutes": 30, "capacity": places,
        "walk_in_share": 0.0, "place": "村委会", "hosts": hosts.iter().map(|host| host.id()).collect::<Vec<_>>(),
    });
    let desk = app.staff("desk").await;
    let day = desk.post(&format!("/staff/divisions/{}/talk-days", app.village().await), body).await.expect(201);
    app.nobody().get(&format!("/talk-days/{}", id(&day))).await.expect(200)
}

/// Books the first slot of a day for a matter.
pub(crate) async fn matter(villager: &Actor, day: &Value, privacy: &str, summary: &str) -> Value {
    let wish = json!({"topic": "roads", "summary": summary, "privacy": privacy});
    villager.post(&bookings(&day["slots"][0]), wish).await.expect(201)
}

/// Whose turn it is: checked in and called by the desk, some minutes after.
pub(crate) async fn called(app: &TestApp, booking: &Value) {
    called_after(app, booking, 0).await;
}

/// Likewise, having waited so many minutes.
pub(crate) async fn called_after(app: &TestApp, booking: &Value, minutes: i64) {
    let desk = app.staff("desk").await;
    let staff = serde_json::from_value(json!(desk.id())).unwrap();
    let (id, now): (BookingId, _) = (serde_json::from_value(booking["id"].clone()).unwrap(), app.now());
    let step = async move |tx: &shuoshi::db::Tx| {
        let row = booking::Entity::find_by_id(id).one(tx).await?.unwrap();
        let arrived = now - TimeDelta::minutes(minutes);
        for (action, at, from, to) in [
            ("check_in", arrived, BookingState::Booked, BookingState::CheckedIn),
            ("call", now, BookingState::CheckedIn, BookingState::Called),
        ] {
            let event = booking_event::Model {
                id: BookingEventId::fresh(),
                booking_id: id,
                talk_day_id: row.talk_day_id,
                action: action.to_owned(),
                from_state: from,
                to_state: to,
                by_kind: "staff".to_owned(),
                staff_id: Some(staff),
                person_id: None,
                at,
                acted_at: at,
                booking_version: row.version + 1,
                line_version: 0,
                key: None,
                fingerprint: None,
                before: None,
                undone_at: None,
            };
            booking_event::Entity::insert(event.into_active_model().reset_all()).exec_without_returning(tx).await?;
        }
        let version = row.version + 2;
        let mut row = row.into_active_model();
        row.state = Set(BookingState::Called);
        row.arrived_at = Set(Some(arrived));
        row.called_at = Set(Some(now));
        row.version = Set(version);
        row.update(tx).await?;
        Ok(())
    };
    app.db().transact(step).await.unwrap();
}

/// Calls somebody and concludes their matter.
pub(crate) async fn concluded(app: &TestApp, host: &Actor, booking: &Value, body: Value) -> Value {
    called(app, booking).await;
    host.post(&conclude(booking), body).await.expect(200)
}

/// The address at which a matter is concluded.
pub(crate) fn conclude(booking: &Value) -> String {
    format!("/staff/bookings/{}/conclude", id(booking))
}

/// Answered on the spot.
pub(crate) fn answered() -> Value {
    json!({"record": "当面说清了，月底前修好", "public_text": "月底前修好路灯", "outcome": "answered"})
}

/// The day is over: it ended just now.
pub(crate) async fn over(app: &TestApp, day: &str) {
    let (day, now): (TalkDayId, _) = (serde_json::from_value(json!(day)).unwrap(), app.now());
    let end = async move |tx: &shuoshi::db::Tx| {
        let row = talk_day::ActiveModel { id: Set(day), ends_at: Set(now), ..Default::default() };
        row.update(tx).await?;
        Ok(())
    };
    app.db().transact(end).await.unwrap();
}

/// Somebody who lives in the village and whom the desk knows by name and phone: they may sign minutes.
pub(crate) async fn lives_here(app: &TestApp, name: &str, phone: &str) -> PersonId {
    let keys = &app.app().field_keys;
    let (name, phone) = (PersonName::read(name).unwrap(), PhoneNumber::read(phone).unwrap());
    let row = person::ActiveModel {
        name: Set(Some(keys.close(&name).unwrap())),
        name_hash: Set(Some(keys.hash_of(&name).unwrap())),
        phone: Set(Some(keys.close(&phone).unwrap())),
        phone_hash: Set(Some(keys.hash_of(&phone).unwrap())),
        village_id: Set(Some(app.village().await)),
        verified: Set(true),
        ..person::ActiveModel::of_nobody_yet(app.now())
    };
    app.db().transact(async move |tx| Ok(row.clone().insert(tx).await?.id)).await.unwrap()
}
