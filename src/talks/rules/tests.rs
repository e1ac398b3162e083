use entity::id::{DivisionId, PersonId};
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
        joined: 0,
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
    let fresh = |days: usize| (0..days).map(|_| TalkDayId::fresh()).collect::<Vec<_>>();
    let held = |days: usize| Standing { held: fresh(days), ..Standing::default() };
    let day = TalkDayId::fresh();
    assert_eq!(has_room(&held(2), day), Ok(()));
    assert_eq!(has_room(&held(3), day), Err(Code::LimitReached));
    assert_eq!(has_room(&Standing { priority: true, ..held(30) }, day), Ok(()), "the old are never limited");
    let offer = |day| Offer { day, slot: SlotId::fresh(), wait: TalkWaitId::fresh() };
    let offered = Standing { offers: vec![offer(TalkDayId::fresh())], ..held(2) };
    assert_eq!(has_room(&offered, day), Err(Code::LimitReached), "what is held counts");
    assert!(!may_be_offered(&offered, day));
    let here = Standing { offers: vec![offer(day)], ..held(2) };
    assert_eq!(has_room(&here, day), Ok(()), "it is the place they would take");
    assert!(!may_be_offered(&here, day), "one place a day");
    assert!(may_be_offered(&held(2), day));
}

#[test]
fn who_was_missed_twice_is_asked_by_phone_and_may_object() {
    let missed = |missed| Standing { missed, ..Standing::default() };
    assert_eq!(first_state(&missed(1)), BookingState::Booked);
    assert_eq!(first_state(&missed(2)), BookingState::ToConfirm);
    assert_eq!(first_state(&Standing { priority: true, ..missed(5) }), BookingState::Booked);
    let day = day();
    let counts = |state, objection| counts_as_missed(state, objection, BookingChannel::App, None);
    assert!(counts(BookingState::Missed, None));
    assert!(counts(BookingState::Missed, Some(MissedObjection::Refused)));
    assert!(!counts(BookingState::Missed, Some(MissedObjection::Open)));
    assert!(!counts(BookingState::Missed, Some(MissedObjection::Upheld)));
    assert!(!counts(BookingState::Concluded, None));
    let came = Some(day.starts_at);
    assert!(!counts_as_missed(BookingState::Missed, None, BookingChannel::Phone, came), "they were there");
    assert!(!counts_as_missed(BookingState::Missed, None, BookingChannel::WalkIn, None));
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
    let whole = slot::Model {
        places: 6,
        public_places: 4,
        first_number: 7,
        ..slot(TalkDayId::fresh(), "2026-11-25T01:00:00Z")
    };
    assert_eq!(kept_number(&whole, &[7, 11]), 12);
    // It has shrunk since, and who has the places has the numbers of before.
    let shrunk = slot::Model { places: 3, public_places: 2, ..whole };
    assert_eq!(kept_number(&shrunk, &[8, 9]), 7);
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
