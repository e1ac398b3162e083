//! What the desk does for somebody who phones and has a place already: giving it up, and moving it.

use entity::{Instant, booking, booking::BookingState, booking_event, id::BookingId, slot};
use sea_orm::EntityTrait;

use super::{
    bookings::{self, Booked, CancelBooking, telling},
    desk_booking,
    move_booking::{MoveBooking, Moving},
    places::{self, Taker},
    standing,
    step::{self, Acting},
};
use crate::{
    auth::{Staff, duty::ManageTalks},
    db::Tx,
    divisions, notices,
    problem::{Code, Problem},
};

/// Gives a place up for its person; until the slot begins, whether or not the app may still.
///
/// # Errors
/// `not_found`, `stale`, `too_late` once the slot has begun, `transition_not_allowed` when they have come or it is no
/// booking any more.
pub async fn cancel(
    tx: &Tx,
    staff: &Staff<ManageTalks>,
    id: BookingId,
    body: &CancelBooking,
    now: Instant,
) -> Result<booking::Model, Problem> {
    let seen = seen(tx, staff, id).await?;
    let day = super::round::lock_day(tx, seen.talk_day_id).await?;
    standing::lock_people(tx, [seen.person_id].into(), now).await?;
    let slot = places::lock_one(tx, seen.slot_id).await?;
    let booking = bookings::locked(tx, &seen).await?;
    changeable(&booking, &slot, now)?;
    bookings::check_version(&booking, body.version)?;
    let acting = Acting::call(staff.id(), None, now);
    let event = acting.trace(&day, &booking, "cancel", BookingState::Cancelled);
    let booking = bookings::lose(tx, booking, body.reason.clone(), now).await?;
    step::write(tx, by_phone(event)).await?;
    let slot = bookings::give_back(tx, &day, &booking, now).await?;
    notices::tell(tx, vec![telling(&booking, &slot, "booking_cancelled")], now).await?;
    Ok(booking)
}

/// Moves a place for its person, to a kept place of the new slot or a free public one.
///
/// # Errors
/// As [`cancel`]; of the new slot those of a booking by phone.
pub async fn move_booking(
    tx: &Tx,
    staff: &Staff<ManageTalks>,
    id: BookingId,
    body: &MoveBooking,
    now: Instant,
) -> Result<Booked, Problem> {
    let seen = seen(tx, staff, id).await?;
    let moving = Moving::open(tx, &seen, body, now).await?;
    divisions::reach(tx, staff, moving.day.division_id).await?;
    changeable(&moving.booking, &moving.from, now)?;
    moving.check(body)?;
    desk_booking::in_time(&moving.day, &moving.to, now)?;
    let busy = moving.busy();
    let taker = Taker::with(&moving.booking, busy);
    let (to, person) = (moving.to.clone(), moving.booking.person_id);
    let place = desk_booking::take_place(tx, to, &moving.day, person, &taker, now).await?;
    let by = |event| booking_event::Model { by_kind: "staff".to_owned(), staff_id: Some(staff.id()), ..event };
    moving.finish(tx, place, by, now).await
}

/// What is not a step of the line moves nobody's screen.
fn by_phone(event: booking_event::Model) -> booking_event::Model {
    booking_event::Model { line_version: event.line_version - 1, ..event }
}

/// The booking, where these staff manage talk days; else 404.
async fn seen(tx: &Tx, staff: &Staff<ManageTalks>, id: BookingId) -> Result<booking::Model, Problem> {
    let seen = booking::Entity::find_by_id(id).one(tx).await?.ok_or_else(Problem::not_found)?;
    let day = entity::talk_day::Entity::find_by_id(seen.talk_day_id).one(tx).await?.ok_or_else(Problem::not_found)?;
    divisions::reach(tx, staff, day.division_id).await?;
    Ok(seen)
}

/// Whether the desk may change it: nobody has come, and the slot has not begun.
fn changeable(row: &booking::Model, slot: &slot::Model, now: Instant) -> Result<(), Code> {
    match row.state {
        BookingState::Booked | BookingState::ToConfirm if now < slot.starts_at => Ok(()),
        BookingState::Booked | BookingState::ToConfirm => Err(Code::TooLate),
        _ => Err(Code::TransitionNotAllowed),
    }
}
