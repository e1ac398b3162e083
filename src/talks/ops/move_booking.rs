//! Moving a booking to another slot: the old place is given up in the transaction that takes the new one.

use std::collections::BTreeSet;

use entity::{
    Instant, booking,
    booking::{BookingPlace, BookingState},
    booking_event,
    id::{BookingEventId, BookingId, SlotId},
    slot, talk_day,
};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QuerySelect, Set, sea_query::LockType};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    bookings::{self, Booked},
    places, round, waits,
};
use crate::{
    app::App,
    auth::Villager,
    clock::local_day,
    db::{Tx, again_on_unique},
    notices::{self, About, Telling},
    problem::{Code, Problem},
    talks::{
        holds,
        rules::{self, Standing, spoken},
        terms,
    },
};

/// Where a booking is to move.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveBooking {
    /// A slot of the same day or of another.
    slot: SlotId,
    /// The version that was looked at; 409 `stale` when it is another by now.
    version: Option<i32>,
}

/// Moves a booking; it keeps its code and what it is about.
///
/// # Errors
/// `not_found`, `too_late`, `transition_not_allowed`, `stale`; of the new slot: `slot_full` with `alternatives`,
/// `already_booked`, `booking_not_open`, `booking_closed`, `day_cancelled`.
pub async fn move_booking(
    tx: &Tx,
    app: &App,
    me: &Villager,
    id: BookingId,
    body: &MoveBooking,
    now: Instant,
) -> Result<Booked, Problem> {
    let seen = booking::Entity::find_by_id(id).one(tx).await?;
    let (seen, grant) = bookings::reach(tx, me, seen, local_day(now)).await?;
    let both = BTreeSet::from([seen.slot_id, body.slot]);
    let days = round::lock_days(tx, &both).await?;
    let mut standing = round::lock_people(tx, [seen.person_id].into(), now).await?;
    let standing = standing.remove(&seen.person_id).unwrap_or_default();
    let slots = places::lock(tx, both).await?;
    let row = booking::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(tx).await?;
    let row = row.filter(|row| row.slot_id == seen.slot_id);
    let row = row.ok_or_else(|| Problem::try_again("a booking was moved meanwhile"))?;
    let old_day = days.get(&row.talk_day_id).ok_or_else(Problem::not_found)?;
    rules::cancellable(&row, old_day, now)?;
    bookings::check_version(&row, body.version)?;
    if body.slot == row.slot_id {
        return Err(Code::TransitionNotAllowed.into());
    }
    let to = slots.into_iter().find(|slot| slot.id == body.slot).ok_or_else(|| Problem::field("/slot", "unknown"))?;
    let day = days.get(&to.talk_day_id).ok_or_else(Problem::not_found)?;
    check_day(&row, day, &standing, now)?;
    let (slot, number) = take_place(tx, &row, to, day, now).await?;
    let (from, place) = (row.slot_id, row.place);
    let booking = rewrite(tx, row, day, &slot, number, now).await?;
    note(tx, me, day, &booking, now).await?;
    match place {
        BookingPlace::Public => {
            waits::give_back(tx, old_day, from, 1, now).await?;
        }
        BookingPlace::Reserve => {
            places::take_reserved(tx, from, -1).await?;
        }
        BookingPlace::Line => {}
    }
    let params = json!({"when": spoken(slot.starts_at)});
    let about = About::Booking(booking.id);
    notices::tell(tx, vec![Telling { person: booking.person_id, kind: "booking_moved", about, params }], now).await?;
    bookings::note_use(tx, app, grant.as_ref(), "move_booking", Some(booking.id), now).await?;
    Ok(Booked { booking, slot, day: day.clone() })
}

/// Whether the booking may go to this day.
fn check_day(row: &booking::Model, day: &talk_day::Model, standing: &Standing, now: Instant) -> Result<(), Problem> {
    if day.id != row.talk_day_id && standing.held.contains(&day.id) {
        return Err(Code::AlreadyBooked.into());
    }
    rules::bookable(day, now)?;
    let modes = terms::modes_of(day)?;
    if modes.iter().any(|mode| mode.slug() == row.mode) {
        Ok(())
    } else {
        Err(Problem::field("/slot", "mode_not_offered"))
    }
}

/// Takes a public place of the slot: one that is held for them, or a free one; the number in line there.
async fn take_place(
    tx: &Tx,
    row: &booking::Model,
    to: slot::Model,
    day: &talk_day::Model,
    now: Instant,
) -> Result<(slot::Model, i32), Problem> {
    let mut to = to;
    if to.held > 0 {
        let held = waits::holds_of(tx, &[to.id], &[row.person_id]).await?;
        let freed = waits::used(tx, held.into_values().collect(), now).await?;
        for (slot, places) in freed {
            to = places::hold(tx, slot, -places).await?;
        }
    }
    if holds::free(&to) == 0 {
        return Err(places::full(&to, places::free_near(tx, day, now).await?));
    }
    let used = places::numbers(tx, std::iter::once(to.id)).await?.remove(&to.id).unwrap_or_default();
    let number = rules::lowest_free(to.first_number, &used);
    places::take(tx, [(to.id, 1)].into()).await?;
    let to = waits::serve(tx, places::lock_one(tx, to.id).await?, day, now).await?;
    Ok((to, number))
}

async fn rewrite(
    tx: &Tx,
    row: booking::Model,
    day: &talk_day::Model,
    slot: &slot::Model,
    number: i32,
    now: Instant,
) -> Result<booking::Model, Problem> {
    let version = row.version + 1;
    let mut row = row.into_active_model();
    row.slot_id = Set(slot.id);
    row.talk_day_id = Set(day.id);
    row.number_in_line = Set(number);
    row.place = Set(BookingPlace::Public);
    // A new day, a new look: what was said of it for the old one does not hold.
    row.screened = Set(None);
    row.agenda_title = Set(None);
    row.route_order = Set(None);
    row.changed_at = Set(Some(now));
    row.version = Set(version);
    row.update(tx).await.map_err(again_on_unique)
}

async fn note(
    tx: &Tx,
    me: &Villager,
    day: &talk_day::Model,
    booking: &booking::Model,
    now: Instant,
) -> Result<(), Problem> {
    let agent = booking.person_id != me.person();
    let event = booking_event::ActiveModel {
        id: Set(BookingEventId::fresh()),
        booking_id: Set(booking.id),
        talk_day_id: Set(booking.talk_day_id),
        action: Set("move".to_owned()),
        from_state: Set(BookingState::Booked),
        to_state: Set(booking.state),
        by_kind: Set(if agent { "agent" } else { "villager" }.to_owned()),
        staff_id: Set(None),
        person_id: Set(Some(me.person())),
        at: Set(now),
        acted_at: Set(now),
        booking_version: Set(booking.version),
        // It is no step of the line, which stays as it is.
        line_version: Set(day.line_version),
        key: Set(None),
        fingerprint: Set(None),
        before: Set(None),
        undone_at: Set(None),
    };
    event.insert(tx).await?;
    Ok(())
}
