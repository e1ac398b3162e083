//! Decisions about bookings: when one may book or cancel, which number one gets, which places are near.
//!
//! Pure: rows and instants in, an answer out. The facts come from [`super::ops`], which also makes them stick.

use chrono::{Datelike, NaiveDate, TimeDelta};
use entity::{
    Instant, booking,
    booking::{BookingState, MissedObjection},
    id::TalkDayId,
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

/// What a person's wish for a place is measured by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Days that have not ended on which they have a place.
    pub held: Vec<TalkDayId>,
    /// How often they were missed lately.
    pub missed: usize,
    /// 65 and over, disabled, pregnant: no limit binds them.
    pub priority: bool,
    /// Under 14.
    pub minor: bool,
}

/// Whether this person may have one more booking.
pub fn has_room(standing: &Standing) -> Result<(), Code> {
    if standing.priority || standing.held.len() < MOST_OPEN_BOOKINGS { Ok(()) } else { Err(Code::LimitReached) }
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

/// Whether a booking counts as missed: not while an objection is open, nor when it was upheld.
#[must_use]
pub fn counts_as_missed(state: BookingState, objection: Option<MissedObjection>) -> bool {
    state == BookingState::Missed && matches!(objection, None | Some(MissedObjection::Refused))
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

#[cfg(test)]
mod tests {
    use entity::id::{DivisionId, PersonId, SlotId};
    use serde_json::json;

    use super::*;
    use crate::talks::fresh::Fresh;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn day() -> talk_day::Model {
        talk_day::Model {
            id: TalkDayId::fresh(),
            division_id: DivisionId::fresh(),
            rule_id: None,
            on_date: "2026-11-25".parse().unwrap(),
            state: TalkDayState::Planned,
            starts_at: at("2026-11-25T01:00:00Z"),
            ends_at: at("2026-11-25T03:00:00Z"),
            opens_at: at("2026-11-17T16:00:00Z"),
            closes_at: at("2026-11-24T23:00:00Z"),
            place: "村委会".into(),
            hosts: json!([]),
            modes: json!(["in_person"]),
            cancel_reason: None,
            purpose: talk_day::TalkPurpose::Talk,
            format: talk_day::TalkFormat::PrivateSlots,
            video_url: None,
            shifted_from: None,
            shifted_at: None,
            changed_at: None,
            line_version: 0,
            walk_ins: 0,
            version: 1,
            created_at: at("2026-10-01T00:00:00Z"),
        }
    }

    fn booking(day: &talk_day::Model, state: BookingState) -> booking::Model {
        let fresh = Fresh {
            day: day.id,
            slot: SlotId::fresh(),
            person: PersonId::fresh(),
            number_in_line: 1,
            topic: "roads".into(),
            summary: "路".into(),
            privacy: booking::BookingPrivacy::Private,
            mode: TalkMode::InPerson,
            now: day.opens_at,
        };
        booking::Model { state, live: state != BookingState::Cancelled, ..fresh.row() }
    }

    fn slot(day: TalkDayId, starts: &str) -> slot::Model {
        let starts_at = at(starts);
        slot::Model {
            id: SlotId::fresh(),
            talk_day_id: day,
            starts_at,
            ends_at: starts_at + TimeDelta::minutes(15),
            places: 1,
            public_places: 1,
            taken: 0,
            held: 0,
            reserve_taken: 0,
            waiting: 0,
            released: 0,
            first_number: 1,
        }
    }

    #[test]
    fn booking_is_open_from_its_opening_to_its_closing_and_on_standing_days_only() {
        let day = day();
        assert_eq!(bookable(&day, at("2026-11-17T15:59:59.999Z")), Err(Code::BookingNotOpen));
        assert_eq!(bookable(&day, day.opens_at), Ok(()));
        assert_eq!(bookable(&day, at("2026-11-24T22:59:59.999Z")), Ok(()));
        assert_eq!(bookable(&day, day.closes_at), Err(Code::BookingClosed));
        let gone = talk_day::Model { state: TalkDayState::Cancelled, ..day };
        assert_eq!(bookable(&gone, gone.opens_at), Err(Code::DayCancelled));
    }

    #[test]
    fn the_fourth_open_booking_is_one_too_many() {
        let held = |days: usize| Standing { held: vec![TalkDayId::fresh(); days], ..Standing::default() };
        assert_eq!(has_room(&held(2)), Ok(()));
        assert_eq!(has_room(&held(3)), Err(Code::LimitReached));
        assert_eq!(has_room(&Standing { priority: true, ..held(30) }), Ok(()), "the old are never limited");
    }

    #[test]
    fn who_was_missed_twice_is_asked_by_phone_and_may_object() {
        let missed = |missed| Standing { missed, ..Standing::default() };
        assert_eq!(first_state(&missed(1)), BookingState::Booked);
        assert_eq!(first_state(&missed(2)), BookingState::ToConfirm);
        assert_eq!(first_state(&Standing { priority: true, ..missed(5) }), BookingState::Booked);
        assert!(counts_as_missed(BookingState::Missed, None));
        assert!(counts_as_missed(BookingState::Missed, Some(MissedObjection::Refused)));
        assert!(!counts_as_missed(BookingState::Missed, Some(MissedObjection::Open)));
        assert!(!counts_as_missed(BookingState::Missed, Some(MissedObjection::Upheld)));
        assert!(!counts_as_missed(BookingState::Concluded, None));
        let day = day();
        let row = booking(&day, BookingState::Missed);
        assert_eq!(may_object(&row, &day, day.ends_at), Ok(()));
        assert_eq!(may_object(&row, &day, day.ends_at + TimeDelta::days(31)), Err(Code::TooLate));
        let objected = booking::Model { objection: Some(MissedObjection::Open), ..row };
        assert_eq!(may_object(&objected, &day, day.ends_at), Err(Code::TransitionNotAllowed));
    }

    #[test]
    fn a_booking_is_cancelled_in_time_and_once() {
        let day = day();
        let booked = booking(&day, BookingState::Booked);
        assert_eq!(cancellable(&booked, &day, day.opens_at), Ok(()));
        assert_eq!(actions(&booked, &day, day.opens_at), ["cancel", "move"]);
        assert_eq!(cancellable(&booked, &day, day.closes_at), Err(Code::TooLate));
        assert!(actions(&booked, &day, day.closes_at).is_empty());
        let shifted = talk_day::Model { shifted_at: Some(day.closes_at), ..day.clone() };
        assert_eq!(cancellable(&booked, &shifted, day.closes_at), Ok(()), "the new time was not of their choosing");
        assert_eq!(cancellable(&booked, &shifted, day.starts_at), Err(Code::TooLate));
        let later = booking::Model { created_at: day.closes_at, ..booked };
        assert_eq!(cancellable(&later, &shifted, day.closes_at), Err(Code::TooLate), "they knew");
        let gone = booking(&day, BookingState::Cancelled);
        assert_eq!(cancellable(&gone, &day, day.opens_at), Err(Code::TransitionNotAllowed));
        assert_eq!(cancellable(&gone, &day, day.ends_at), Err(Code::TransitionNotAllowed));
    }

    #[test]
    fn a_number_given_up_is_given_out_again() {
        assert_eq!(lowest_free(4, &[]), 4);
        assert_eq!(lowest_free(4, &[4, 6]), 5);
        assert_eq!(lowest_free(4, &[5, 4, 6]), 7);
    }

    #[test]
    fn near_means_the_same_day_first() {
        let (today, later) = (TalkDayId::fresh(), TalkDayId::fresh());
        let wanted = slot(today, "2026-11-25T02:00:00Z");
        let free = [
            slot(later, "2026-12-05T01:00:00Z"),
            slot(today, "2026-11-25T02:45:00Z"),
            slot(today, "2026-11-25T02:15:00Z"),
            slot(today, "2026-11-25T01:45:00Z"),
            slot(later, "2026-12-05T00:45:00Z"),
            slot(later, "2026-12-15T01:00:00Z"),
        ];
        let order = [3, 2, 1, 4, 0].map(|at: usize| free[at].id);
        let near: Vec<SlotId> = nearest(&wanted, free.to_vec()).iter().map(|slot| slot.id).collect();
        assert_eq!(near, order);
    }

    #[test]
    fn a_list_asks_for_a_season_at_most() {
        let date = |text: &str| Some(text.parse::<NaiveDate>().unwrap());
        let today = date("2026-11-24").unwrap();
        assert_eq!(window(None, None, today).unwrap(), (today, date("2027-01-19").unwrap()));
        assert!(window(None, date("2027-02-24"), today).is_ok());
        for (from, to) in [
            (None, date("2027-02-25")),
            (None, date("2026-11-23")),
            (date("2026-11-24"), date("+262142-12-31")),
            (date("-262143-01-01"), None),
            (date("+262142-12-31"), None),
        ] {
            assert!(window(from, to, today).is_err(), "{from:?} {to:?}");
        }
    }

    #[test]
    fn codes_can_be_read_out_and_instants_are_local() {
        let code = fresh_code();
        assert_eq!(code.len(), CODE_LENGTH);
        assert!(code.bytes().all(|byte| CODE_ALPHABET.contains(&byte)));
        assert_eq!(spoken(at("2026-11-25T01:15:00Z")), "11月25日 09:15");
    }
}
