//! A place that the desk takes for somebody who called or came before the day.
//!
//! It comes out of the places kept for walk-ins and the phone; when these are gone, out of the public ones that are free.

use std::collections::BTreeSet;

use entity::{
    Instant, booking,
    booking::{BookingChannel, BookingPlace, BookingPrivacy},
    id::{PersonId, SlotId},
    slot, talk_day,
};
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    bookings::{Booked, telling},
    move_booking::Place,
    places::{self, Taker},
    round, standing, waits,
};
use crate::{
    app::App,
    auth::{Staff, duty::ManageTalks},
    cases::Principal,
    db::{Tx, again_on_unique},
    divisions, lists, notices, people,
    personal::{PersonName, Personal, PhoneNumber, PrivateText},
    problem::{Code, Problem},
    talks::{bodies::TalkMode, fresh::Fresh, holds, rules},
};

/// A place for somebody who called.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookForCaller {
    /// Who.
    for_person: Principal,
    /// A code of the list `topics`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    topic: String,
    /// What it is about.
    #[validate(length(min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    summary: String,
    /// Asked first: public or private.
    privacy: BookingPrivacy,
    /// How; the usual one of the day when it is not said.
    mode: Option<TalkMode>,
    /// Where the host is to come: for a home visit, and only then.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    address: Option<String>,
}

/// Takes the place; until the slot begins, whether or not the app may still book.
///
/// # Errors
/// `not_found`, `invalid` with a pointer, `already_booked`, `limit_reached`, `day_cancelled`, `booking_closed` once the
/// slot has begun, `slot_full` with `alternatives`.
pub async fn book_for_caller(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManageTalks>,
    id: SlotId,
    body: &BookForCaller,
    now: Instant,
) -> Result<Booked, Problem> {
    let days = round::lock_days(tx, &BTreeSet::from([id])).await?;
    let day = days.into_values().next().ok_or_else(Problem::not_found)?;
    divisions::reach(tx, staff, day.division_id).await?;
    if !lists::knows("topics", &body.topic) {
        return Err(Problem::field("/topic", "unknown"));
    }
    if body.summary.trim().is_empty() {
        return Err(Problem::field("/summary", "empty"));
    }
    round::check_privacy(body.privacy, &day)?;
    let mode = round::mode_of(body.mode, &day)?;
    round::check_address(body.address.as_deref(), mode)?;
    let person = principal(tx, app, staff, &body.for_person, now).await?;
    let standing = standing::lock_people(tx, [person].into(), now).await?.remove(&person);
    let standing = standing.ok_or_else(|| Problem::field("/for_person", "unknown"))?;
    let beside = standing.offered_beside(day.id, id).map(|offer| offer.slot);
    let slots = places::lock(tx, beside.chain([id]).collect()).await?;
    let slot = slots.into_iter().find(|slot| slot.id == id).ok_or_else(Problem::not_found)?;
    if standing.held.contains(&day.id) {
        return Err(Code::AlreadyBooked.into());
    }
    in_time(&day, &slot, now)?;
    rules::has_room(&standing, day.id)?;
    let taker =
        Taker { busy: standing.held.iter().copied().collect(), privacy: Some(body.privacy), mode: Some(mode.slug()) };
    let Place { slot, kind: place, number: number_in_line, was_held } =
        take_place(tx, slot, &day, person, &taker, now).await?;
    let fresh = Fresh {
        day: day.id,
        slot: slot.id,
        person,
        number_in_line,
        topic: body.topic.clone(),
        summary: body.summary.clone(),
        privacy: body.privacy,
        mode,
        now,
    };
    let address = body.address.clone().map(PrivateText::of_stored);
    let booking = booking::Model {
        place,
        channel: BookingChannel::Phone,
        entered_by: Some(staff.id()),
        address: address.map(|address| app.field_keys.close(&address)).transpose()?,
        ..fresh.row()
    };
    booking.clone().into_active_model().insert(tx).await.map_err(again_on_unique)?;
    if was_held {
        waits::serve(tx, places::lock_one(tx, slot.id).await?, &day, now).await?;
    }
    waits::let_go(tx, &day, &standing, slot.id, now).await?;
    notices::tell(tx, vec![telling(&booking, &slot, "booked")], now).await?;
    Ok(Booked { booking, slot, day })
}

/// Who is meant; somebody new is registered.
async fn principal(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManageTalks>,
    who: &Principal,
    now: Instant,
) -> Result<PersonId, Problem> {
    match who {
        Principal::Known { id } => {
            let known = people::within_reach(tx, staff, *id).await;
            Ok(known.map_err(|_| Problem::field("/for_person/id", "unknown"))?.id)
        }
        Principal::Named { name, phone } => {
            let name = PersonName::read(name).ok_or_else(|| Problem::field("/for_person/name", "format"))?;
            let phone = PhoneNumber::read(phone).ok_or_else(|| Problem::field("/for_person/phone", "format"))?;
            Ok(people::find_or_register(tx, app, &name, &phone, now).await?.id)
        }
    }
}

/// The desk books and changes until a slot begins, whether or not the app may still.
pub(super) fn in_time(day: &talk_day::Model, slot: &slot::Model, now: Instant) -> Result<(), Code> {
    match rules::bookable(day, now) {
        Err(Code::DayCancelled) => Err(Code::DayCancelled),
        _ if now >= slot.starts_at => Err(Code::BookingClosed),
        _ => Ok(()),
    }
}

/// What is held for them, else a kept place, else a free public one; with its number in line.
pub(super) async fn take_place(
    tx: &Tx,
    slot: slot::Model,
    day: &talk_day::Model,
    person: PersonId,
    taker: &Taker<'_>,
    now: Instant,
) -> Result<Place, Problem> {
    let used = places::numbers(tx, std::iter::once(slot.id)).await?.remove(&slot.id).unwrap_or_default();
    let held = slot.held;
    let slot = waits::use_up(tx, slot, person, now).await?;
    let was_held = slot.held < held;
    let (kind, number) = if !was_held && slot.reserve_taken < slot.places - slot.public_places {
        places::take_reserved(tx, slot.id, 1).await?;
        (BookingPlace::Reserve, rules::kept_number(&slot, &used))
    } else if holds::free(&slot) > 0 {
        places::take(tx, [(slot.id, 1)].into()).await?;
        (BookingPlace::Public, rules::lowest_free(slot.first_number, &used))
    } else {
        return Err(places::full(&slot, places::free_near(tx, day, now).await?.for_taker(taker)));
    };
    Ok(Place { slot: places::lock_one(tx, slot.id).await?, kind, number, was_held })
}
