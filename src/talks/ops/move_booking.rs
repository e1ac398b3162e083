//! Moving a booking to another slot: the old place is given up in the transaction that takes the new one.

use std::collections::BTreeSet;

use entity::{
    Instant, booking,
    booking::BookingPlace,
    booking_event,
    id::{BookingId, SlotId, TalkDayId},
    slot, talk_day,
};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Set};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    bookings::{self, Booked, telling},
    places::{self, Taker},
    round, standing,
    step::{self, Acting},
    waits,
};
use crate::{
    app::App,
    auth::Villager,
    clock::local_day,
    db::{Tx, again_on_unique},
    notices,
    problem::{Code, Problem},
    talks::{
        holds,
        rules::{self, Standing},
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
/// `already_booked`, `booking_not_open`, `booking_closed`, `day_cancelled`, 422 where it does not hear such a matter.
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
    let moving = Moving::open(tx, &seen, body, now).await?;
    rules::cancellable(&moving.booking, &moving.from_day, now)?;
    moving.check(body)?;
    rules::bookable(&moving.day, now)?;
    let place = public_place(tx, &moving, now).await?;
    let agent = moving.booking.person_id != me.person();
    let by = |event| booking_event::Model {
        by_kind: if agent { "agent" } else { "villager" }.to_owned(),
        person_id: Some(me.person()),
        ..event
    };
    let booked = moving.finish(tx, place, by, now).await?;
    bookings::note_use(tx, app, grant.as_ref(), "move_booking", Some(booked.booking.id), now).await?;
    Ok(booked)
}

/// A booking on its way, with its person, both days and both slots locked.
pub(super) struct Moving {
    pub(super) booking: booking::Model,
    pub(super) from_day: talk_day::Model,
    pub(super) from: slot::Model,
    pub(super) day: talk_day::Model,
    pub(super) to: slot::Model,
    standing: Standing,
}

/// A place of the new slot that was taken.
pub(super) struct Place {
    pub(super) slot: slot::Model,
    pub(super) kind: BookingPlace,
    pub(super) number: i32,
    /// Their party may have left some of what was held for it: to be offered on once the booking is written.
    pub(super) was_held: bool,
}

impl Moving {
    pub(super) async fn open(
        tx: &Tx,
        seen: &booking::Model,
        body: &MoveBooking,
        now: Instant,
    ) -> Result<Self, Problem> {
        let both = BTreeSet::from([seen.slot_id, body.slot]);
        let days = round::lock_days(tx, &both).await?;
        let mut standing = standing::lock_people(tx, [seen.person_id].into(), now).await?;
        let standing = standing.remove(&seen.person_id).unwrap_or_default();
        let held = days.keys().flat_map(|day| standing.offered_beside(*day, body.slot)).map(|offer| offer.slot);
        let slots = places::lock(tx, both.into_iter().chain(held).collect()).await?;
        let booking = bookings::locked(tx, seen).await?;
        let slot = |id: SlotId| slots.iter().find(|slot| slot.id == id).cloned();
        let day = |slot: &slot::Model| days.get(&slot.talk_day_id).cloned().ok_or_else(Problem::not_found);
        let from = slot(seen.slot_id).ok_or_else(Problem::not_found)?;
        let to = slot(body.slot).ok_or_else(|| Problem::field("/slot", "unknown"))?;
        Ok(Self { booking, from_day: day(&from)?, from, day: day(&to)?, to, standing })
    }

    /// Other days on which the person has a place.
    pub(super) fn busy(&self) -> BTreeSet<TalkDayId> {
        self.standing.held.iter().copied().filter(|day| *day != self.from_day.id).collect()
    }

    /// Whether the booking may go to the new slot, whoever moves it and when.
    pub(super) fn check(&self, body: &MoveBooking) -> Result<(), Problem> {
        bookings::check_version(&self.booking, body.version)?;
        if self.to.id == self.from.id {
            return Err(Code::TransitionNotAllowed.into());
        }
        if self.day.id != self.from_day.id && self.standing.held.contains(&self.day.id) {
            return Err(Code::AlreadyBooked.into());
        }
        // A private matter is not read out among many because its time does not suit any more.
        round::check_privacy(self.booking.privacy, &self.day).map_err(|_| Problem::field("/slot", "not_offered"))?;
        let modes = terms::modes_of(&self.day)?;
        if modes.iter().any(|mode| mode.slug() == self.booking.mode) {
            Ok(())
        } else {
            Err(Problem::field("/slot", "mode_not_offered"))
        }
    }

    /// Writes the booking with its new place and gives the old one back; the person is told.
    pub(super) async fn finish(
        self,
        tx: &Tx,
        place: Place,
        by: impl FnOnce(booking_event::Model) -> booking_event::Model + Send,
        now: Instant,
    ) -> Result<Booked, Problem> {
        let (from, kind) = (self.from.id, self.booking.place);
        let event = Acting::clock(now).trace(&self.day, &self.booking, "move", self.booking.state);
        // It is no step of the line, which stays as it is.
        let event = booking_event::Model { line_version: self.day.line_version, ..event };
        let booking = rewrite(tx, self.booking, &self.day, &place, now).await?;
        step::write(tx, by(event)).await?;
        if place.was_held {
            waits::serve(tx, places::lock_one(tx, place.slot.id).await?, &self.day, now).await?;
        }
        waits::let_go(tx, &self.day, &self.standing, place.slot.id, now).await?;
        match kind {
            BookingPlace::Public => {
                waits::give_back(tx, &self.from_day, from, 1, now).await?;
            }
            BookingPlace::Reserve => {
                places::take_reserved(tx, from, -1).await?;
            }
            BookingPlace::Line => {}
        }
        notices::tell(tx, vec![telling(&booking, &place.slot, "booking_moved")], now).await?;
        Ok(Booked { booking, slot: place.slot, day: self.day })
    }
}

/// Takes a public place of the slot: one that is held for them, or a free one; the number in line there.
async fn public_place(tx: &Tx, moving: &Moving, now: Instant) -> Result<Place, Problem> {
    let Moving { booking, day, .. } = moving;
    let held = moving.to.held;
    let to = waits::use_up(tx, moving.to.clone(), booking.person_id, now).await?;
    if holds::free(&to) == 0 {
        let near = places::free_near(tx, day, now).await?;
        return Err(places::full(&to, near.for_taker(&Taker::with(booking, moving.busy()))));
    }
    let used = places::numbers(tx, std::iter::once(to.id)).await?.remove(&to.id).unwrap_or_default();
    let number = rules::lowest_free(to.first_number, &used);
    places::take(tx, [(to.id, 1)].into()).await?;
    let was_held = to.held < held;
    Ok(Place { slot: places::lock_one(tx, to.id).await?, kind: BookingPlace::Public, number, was_held })
}

async fn rewrite(
    tx: &Tx,
    row: booking::Model,
    day: &talk_day::Model,
    place: &Place,
    now: Instant,
) -> Result<booking::Model, Problem> {
    let version = row.version + 1;
    let mut row = row.into_active_model();
    row.slot_id = Set(place.slot.id);
    row.talk_day_id = Set(day.id);
    row.number_in_line = Set(place.number);
    row.place = Set(place.kind);
    // A new day, a new look: what was said of it for the old one does not hold.
    row.screened = Set(None);
    row.agenda_title = Set(None);
    row.route_order = Set(None);
    row.changed_at = Set(Some(now));
    row.version = Set(version);
    row.update(tx).await.map_err(again_on_unique)
}
