//! Decisions about bookings: when one may book or cancel, which number one gets, which places are near.
//!
//! Pure: rows and instants in, an answer out. The facts come from [`super::ops`], which also makes them stick.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate, TimeDelta};
use entity::{
    Instant, booking,
    booking::{BookingChannel, BookingState, MissedObjection},
    id::{SlotId, TalkDayId, TalkWaitId},
    slot, talk_day,
    talk_day::TalkDayState,
};

use crate::{
    clock::{china, local_day},
    problem::{Code, Problem},
    talks::bodies::TalkMode,
};

/// Live bookings one person may have on days that have not ended.
pub const MOST_OPEN_BOOKINGS: usize = 3;
/// Why a booking is lost: its day was called off.
pub const DAY_CANCELLED: &str = "day_cancelled";
/// Why a booking is lost: a host left and nobody took their place.
pub const HOST_LEFT: &str = "host_left";
/// How long a missed day counts; then it is forgotten.
pub const MISSED_COUNTS_FOR: TimeDelta = TimeDelta::days(30);
/// Missed so often, the desk confirms by phone first.
pub const MISSED_BEFORE_ASKING: usize = 2;
/// Places offered to somebody whose slot is full.
pub const MOST_ALTERNATIVES: usize = 5;
/// Days are made so far ahead.
pub const AHEAD: TimeDelta = TimeDelta::weeks(8);

/// Where to meet by video is told so long before.
const MEETS_BEFORE: TimeDelta = TimeDelta::minutes(30);

/// Letters and digits that are not mistaken for one another, read or heard: no 0 O, 1 I L, 2 Z, 5 S, 8 B.
const CODE_ALPHABET: &[u8] = b"34679ACDEFGHJKMNPQRTUVWXY";
/// Length of a booking code.
const CODE_LENGTH: usize = 6;

/// A fresh booking code, one of some 240 million.
#[must_use]
pub fn fresh_code() -> String {
    let letter = || CODE_ALPHABET.get(rand::random_range(0..CODE_ALPHABET.len())).copied().unwrap_or(b'X');
    (0..CODE_LENGTH).map(|_| char::from(letter())).collect()
}

/// Whether the day takes bookings now.
pub fn bookable(day: &talk_day::Model, now: Instant) -> Result<(), Code> {
    match day.state {
        TalkDayState::Cancelled => Err(Code::DayCancelled),
        TalkDayState::Planned if now < day.opens_at => Err(Code::BookingNotOpen),
        TalkDayState::Planned if now >= day.closes_at => Err(Code::BookingClosed),
        TalkDayState::Planned => Ok(()),
    }
}

/// Whether somebody may know by now where those meet who are heard by video: from so long before their slot until its
/// day is over. Sooner, or once they have been heard, they would walk into what others tell the host.
#[must_use]
pub fn may_meet(booking: &booking::Model, slot: &slot::Model, day: &talk_day::Model, now: Instant) -> bool {
    let comes = matches!(
        booking.state,
        BookingState::Booked | BookingState::CheckedIn | BookingState::Called | BookingState::Parked
    );
    let in_time = now >= slot.starts_at - MEETS_BEFORE && local_day(now) <= day.on_date;
    booking.mode == TalkMode::Video.slug() && comes && in_time
}

/// A place that is held for somebody who waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// On which day.
    pub day: TalkDayId,
    /// In which slot.
    pub slot: SlotId,
    /// For which entry of its list.
    pub wait: TalkWaitId,
}

/// What a person's wish for a place is measured by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Days that have not ended on which they have a place.
    pub held: Vec<TalkDayId>,
    /// How often they were missed lately.
    pub missed: usize,
    /// Places that are held for them.
    pub offers: Vec<Offer>,
    /// 65 and over, disabled, pregnant: no limit binds them.
    pub priority: bool,
    /// Under 14.
    pub minor: bool,
}

impl Standing {
    /// Slots of a day, other than this one, in which a place is held for them: with a booking it ends.
    pub fn offered_beside(&self, day: TalkDayId, but: SlotId) -> impl Iterator<Item = &Offer> {
        self.offers.iter().filter(move |offer| offer.day == day && offer.slot != but)
    }
}

/// Whether this person may have a place on this day besides those they have on others. What is held for them counts as
/// a booking, or lists would be a way to keep more places than anybody may book.
pub fn has_room(standing: &Standing, day: TalkDayId) -> Result<(), Code> {
    let offered = standing.offers.iter().map(|offer| offer.day).filter(|other| *other != day);
    let open: BTreeSet<TalkDayId> = standing.held.iter().copied().chain(offered).collect();
    if standing.priority || open.len() < MOST_OPEN_BOOKINGS { Ok(()) } else { Err(Code::LimitReached) }
}

/// Whether a place of this day can be held for this person who waits for it: not while they have one there or one is
/// held for them, and not beyond the limit of bookings.
#[must_use]
pub fn may_be_offered(standing: &Standing, day: TalkDayId) -> bool {
    let has_one = standing.held.contains(&day) || standing.offers.iter().any(|offer| offer.day == day);
    !has_one && has_room(standing, day).is_ok()
}

/// Where a fresh booking begins: who was missed twice lately is asked by phone first, and not turned away.
#[must_use]
pub fn first_state(standing: &Standing) -> BookingState {
    if !standing.priority && standing.missed >= MISSED_BEFORE_ASKING {
        BookingState::ToConfirm
    } else {
        BookingState::Booked
    }
}

/// Whether a booking counts as missed: not of somebody who walked in, nor of somebody who came and was not there when
/// they were called; not while an objection is open, nor when it was upheld.
#[must_use]
pub fn counts_as_missed(
    state: BookingState,
    objection: Option<MissedObjection>,
    channel: BookingChannel,
    arrived_at: Option<Instant>,
) -> bool {
    let never_came = channel != BookingChannel::WalkIn && arrived_at.is_none();
    state == BookingState::Missed && never_came && matches!(objection, None | Some(MissedObjection::Refused))
}

/// Whether the person may object to being counted as missed now.
pub fn may_object(row: &booking::Model, day: &talk_day::Model, now: Instant) -> Result<(), Code> {
    match (row.state, row.objection) {
        (BookingState::Missed, None) if now - day.ends_at <= MISSED_COUNTS_FOR => Ok(()),
        (BookingState::Missed, None) => Err(Code::TooLate),
        _ => Err(Code::TransitionNotAllowed),
    }
}

/// Whether the booking may be cancelled by its person now: as long as booking is open, and until the day starts when it
/// was shifted after they booked.
pub fn cancellable(row: &booking::Model, day: &talk_day::Model, now: Instant) -> Result<(), Code> {
    // The new time was not of their choosing.
    let shifted_since = day.shifted_at.is_some_and(|at| row.created_at < at);
    let until = if shifted_since { day.starts_at } else { day.closes_at };
    match row.state {
        BookingState::Booked | BookingState::ToConfirm if now < until => Ok(()),
        BookingState::Booked | BookingState::ToConfirm => Err(Code::TooLate),
        _ => Err(Code::TransitionNotAllowed),
    }
}

/// Whether the booking was lost without the person's doing, so that another place may be had in one call.
pub fn rebookable(row: &booking::Model) -> Result<(), Code> {
    let lost = matches!(row.cancel_reason.as_deref(), Some(DAY_CANCELLED | HOST_LEFT));
    if row.state == BookingState::Cancelled && lost { Ok(()) } else { Err(Code::TransitionNotAllowed) }
}

/// What the person may do with the booking now.
#[must_use]
pub fn actions(row: &booking::Model, day: &talk_day::Model, now: Instant) -> Vec<&'static str> {
    let mut actions = Vec::new();
    if cancellable(row, day, now).is_ok() {
        actions.extend(["cancel", "move"]);
    }
    if rebookable(row).is_ok() {
        actions.push("rebook");
    }
    if may_object(row, day, now).is_ok() {
        actions.push("object");
    }
    actions
}

/// The lowest number from `first` on that is not in use.
#[must_use]
pub fn lowest_free(first: i32, used: &[i32]) -> i32 {
    // Among one number more than are in use, one is free.
    (first..).take(used.len() + 1).find(|number| !used.contains(number)).unwrap_or(first)
}

/// The number of a kept place of a slot: the lowest free one after those of its public places, else any of the slot. It
/// never runs into the numbers of the next slot, whatever the slot has shrunk to.
#[must_use]
pub fn kept_number(slot: &slot::Model, used: &[i32]) -> i32 {
    let mut kept = slot.first_number + slot.public_places..slot.first_number + slot.places;
    kept.find(|number| !used.contains(number)).unwrap_or_else(|| lowest_free(slot.first_number, used))
}

/// The free slots nearest to the wanted one: of the same day by distance, earlier first when even, then later days.
#[must_use]
pub fn nearest(wanted: &slot::Model, mut free: Vec<slot::Model>) -> Vec<slot::Model> {
    free.sort_by_key(|slot| {
        let same_day = slot.talk_day_id == wanted.talk_day_id;
        let distance = if same_day { (slot.starts_at - wanted.starts_at).abs() } else { TimeDelta::zero() };
        (!same_day, distance, slot.starts_at, slot.id)
    });
    free.truncate(MOST_ALTERNATIVES);
    free
}

/// The longest span of days one list may ask for.
const LONGEST_WINDOW: TimeDelta = TimeDelta::days(92);

/// The days a list asks for: from today for eight weeks unless it says otherwise.
pub fn window(
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    today: NaiveDate,
) -> Result<(NaiveDate, NaiveDate), Problem> {
    // Years that both engines store alike, with room for what is added.
    let sane = |date: &NaiveDate| (1900..=2999).contains(&date.year());
    if !from.iter().all(sane) {
        return Err(Problem::field("?from", "range"));
    }
    let from = from.unwrap_or(today);
    let to = to.unwrap_or(from + AHEAD);
    if !sane(&to) || to < from || to - from > LONGEST_WINDOW {
        return Err(Problem::field("?to", "range"));
    }
    Ok((from, to))
}

/// An instant as it is said: 11月25日 09:15.
#[must_use]
pub fn spoken(at: Instant) -> String {
    at.with_timezone(&china()).format("%-m月%-d日 %H:%M").to_string()
}
