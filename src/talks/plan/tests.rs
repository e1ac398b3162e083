use entity::{
    id::{DivisionId, TalkRuleId},
    talk_day::{TalkFormat, TalkPurpose},
};

use super::*;
use crate::talks::{bodies::TalkMode, slots::Band};

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn now() -> Instant {
    "2026-11-23T02:00:00Z".parse().unwrap()
}

fn terms() -> Terms {
    let time = |text: &str| text.parse().unwrap();
    let (starts, ends) = (time("09:00:00"), time("11:00:00"));
    Terms {
        band: Band { starts, ends, slot_minutes: 30, capacity: 2, walk_in_share: 0.25 },
        hosts: vec![],
        place: "村委会".into(),
        modes: vec![TalkMode::InPerson],
        purpose: TalkPurpose::Talk,
        format: TalkFormat::PrivateSlots,
        video_url: None,
        opens_days_before: 7,
        closes_hours_before: 2,
    }
}

fn sitting(day: &str, from: Option<&str>) -> Sitting {
    let stands_for = [date(from.unwrap_or(day))].into();
    Sitting { date: date(day), stands_for, moved_from: from.map(date), provisional: false }
}

/// A day as these terms make it.
fn standing(terms: &Terms, day: &str) -> StandingDay {
    let dated = terms.on(date(day)).unwrap();
    let day = talk_day::Model {
        id: TalkDayId::fresh(),
        division_id: DivisionId::fresh(),
        rule_id: Some(TalkRuleId::fresh()),
        on_date: dated.on_date,
        state: TalkDayState::Planned,
        starts_at: dated.starts_at,
        ends_at: dated.ends_at,
        opens_at: dated.opens_at,
        closes_at: dated.closes_at,
        place: terms.place.clone(),
        hosts: json!(terms.hosts),
        modes: json!(terms.modes),
        cancel_reason: None,
        purpose: terms.purpose,
        format: terms.format,
        video_url: None,
        shifted_from: None,
        shifted_at: None,
        changed_at: None,
        line_version: 0,
        walk_ins: 0,
        version: 1,
        created_at: now(),
    };
    let slot = |cut: &crate::talks::slots::CutSlot| slot::Model {
        id: entity::id::SlotId::fresh(),
        talk_day_id: day.id,
        starts_at: clock::instant(dated.on_date, cut.starts),
        ends_at: clock::instant(dated.on_date, cut.ends),
        places: i32::try_from(cut.capacity).unwrap(),
        public_places: i32::try_from(cut.public).unwrap(),
        taken: 0,
        held: 0,
        reserve_taken: 0,
        waiting: 0,
        joined: 0,
        released: 0,
        first_number: 1,
    };
    StandingDay { slots: dated.slots.iter().map(slot).collect(), day, bookings: 0, waiting: 0, touched: false }
}

fn booked(terms: &Terms, day: &str) -> StandingDay {
    StandingDay { bookings: 1, touched: true, ..standing(terms, day) }
}

fn dates(days: &[(TalkDayId, NaiveDate)]) -> Vec<String> {
    days.iter().map(|(_, day)| day.to_string()).collect()
}

fn made(plan: &Plan) -> Vec<String> {
    plan.made.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_as_it_ought_to_be_is_left_alone() {
    let days = [standing(&terms(), "2026-11-25"), booked(&terms(), "2026-12-05")];
    let plan = Plan::of(&[sitting("2026-11-25", None), sitting("2026-12-05", None)], &terms(), &days, now());
    assert!(plan.is_done());
    assert_eq!(plan.kept.len(), 1);
    assert!(plan.kept[0].differs.is_empty() && plan.kept[0].still_of_rule);
}

#[test]
fn days_are_made_taken_away_replaced_or_kept() {
    let days = [
        standing(&terms(), "2026-11-25"),
        standing(&terms(), "2026-12-05"),
        booked(&terms(), "2026-12-15"),
        booked(&terms(), "2026-12-25"),
    ];
    let evening = Terms { place: "文化广场".into(), ..terms() };
    let wanted = ["2026-11-24", "2026-11-25", "2026-12-25"].map(|day| sitting(day, None));
    let plan = Plan::of(&wanted, &evening, &days, now());
    assert_eq!(made(&plan), ["2026-11-24"]);
    assert_eq!(dates(&plan.remade), ["2026-11-25"]);
    assert_eq!(dates(&plan.removed), ["2026-12-05"]);
    let kept: Vec<_> = plan.kept.iter().map(|day| (day.date.to_string(), day.still_of_rule)).collect();
    assert_eq!(kept, [("2026-12-15".to_owned(), false), ("2026-12-25".to_owned(), true)]);
    assert_eq!(plan.kept[1].differs, [Difference::Place]);
}

#[test]
fn people_who_wait_and_hands_that_changed_a_day_keep_it() {
    let wants_nothing = |day: StandingDay| Plan::of(&[], &terms(), &[day], now());
    let plain = standing(&terms(), "2026-12-05");
    assert_eq!(wants_nothing(plain.clone()).removed.len(), 1);
    let waited = StandingDay { waiting: 1, touched: true, ..plain.clone() };
    let mut stand_in = plain.clone();
    stand_in.day.version = 2;
    let mut shifted = plain;
    shifted.day.shifted_from = Some(date("2026-12-04"));
    for day in [waited, stand_in, shifted] {
        let told = wants_nothing(day);
        assert!(told.is_done() && told.kept.len() == 1);
    }
}

#[test]
fn days_that_have_begun_or_were_called_off_stay_and_are_not_made_again() {
    let mut off = standing(&terms(), "2026-11-25");
    off.day.state = TalkDayState::Cancelled;
    let today = standing(&terms(), "2026-11-23");
    let wanted = ["2026-11-23", "2026-11-25"].map(|day| sitting(day, None));
    assert_eq!(Plan::of(&wanted, &terms(), &[today.clone(), off.clone()], now()), Plan::default());
    assert_eq!(Plan::of(&[], &terms(), &[today, off], now()), Plan::default());
    // Today's would be over.
    let early = Plan::of(&wanted, &terms(), &[], "2026-11-23T03:00:00Z".parse().unwrap());
    assert_eq!(made(&early), ["2026-11-25"]);
}

#[test]
fn a_shifted_day_is_not_made_again_where_it_was() {
    let mut shifted = booked(&terms(), "2026-11-27");
    shifted.day.shifted_from = Some(date("2026-11-25"));
    let plan = Plan::of(&[sitting("2026-11-25", None)], &terms(), &[shifted], now());
    assert!(plan.is_done());
    assert!(plan.kept[0].still_of_rule);
}

#[test]
fn a_sitting_that_takes_place_on_its_holiday_is_not_held_twice() {
    let wanted = [sitting("2027-01-04", Some("2027-01-01"))];
    let plan = Plan::of(&wanted, &terms(), &[booked(&terms(), "2027-01-01")], now());
    assert!(plan.is_done());
    assert_eq!(plan.kept.len(), 1);
    let plan = Plan::of(&wanted, &terms(), &[standing(&terms(), "2027-01-01")], now());
    assert_eq!((made(&plan), dates(&plan.removed)), (vec!["2027-01-04".to_owned()], vec!["2027-01-01".to_owned()]));
    let mut off = booked(&terms(), "2027-01-01");
    off.day.state = TalkDayState::Cancelled;
    assert_eq!(made(&Plan::of(&wanted, &terms(), &[off], now())), ["2027-01-04"], "it was called off there");
}

#[test]
fn a_booked_day_that_is_moved_by_an_exception_is_not_held_twice() {
    let moved = Sitting {
        stands_for: [date("2026-12-06")].into(),
        moved_from: Some(date("2026-12-05")),
        ..sitting("2026-12-06", None)
    };
    let wanted = [moved];
    let plan = Plan::of(&wanted, &terms(), &[booked(&terms(), "2026-12-05")], now());
    assert!(plan.is_done(), "who has a place there keeps it until the day itself is shifted");
    assert_eq!(plan.kept.len(), 1);
    let plan = Plan::of(&wanted, &terms(), &[standing(&terms(), "2026-12-05")], now());
    assert_eq!((made(&plan), dates(&plan.removed)), (vec!["2026-12-06".to_owned()], vec!["2026-12-05".to_owned()]));
    // The desk has shifted it, as it ought to.
    let mut shifted = booked(&terms(), "2026-12-06");
    shifted.day.shifted_from = Some(date("2026-12-05"));
    assert!(Plan::of(&wanted, &terms(), &[shifted], now()).is_done());
    let mut off = booked(&terms(), "2026-12-05");
    off.day.state = TalkDayState::Cancelled;
    assert_eq!(made(&Plan::of(&wanted, &terms(), &[off], now())), ["2026-12-06"], "it was called off there");
}

#[test]
fn each_difference_is_named() {
    let day = standing(&terms(), "2026-12-05");
    let differs = |terms: &Terms| day.differences(terms, &terms.on(date("2026-12-05")).unwrap());
    assert_eq!(differs(&terms()), []);
    let later = Band { starts: "09:30:00".parse().unwrap(), ends: "11:30:00".parse().unwrap(), ..terms().band };
    // Booking closes two hours before the start.
    assert_eq!(differs(&Terms { band: later, ..terms() }), [Difference::Time, Difference::Booking]);
    assert_eq!(differs(&Terms { band: Band { capacity: 3, ..terms().band }, ..terms() }), [Difference::Slots]);
    assert_eq!(differs(&Terms { opens_days_before: 9, ..terms() }), [Difference::Booking]);
    assert_eq!(differs(&Terms { hosts: vec![entity::id::StaffId::fresh()], ..terms() }), [Difference::Hosts]);
    assert_eq!(differs(&Terms { modes: vec![TalkMode::Phone], ..terms() }), [Difference::Modes]);
    assert_eq!(differs(&Terms { video_url: Some("https://x".into()), ..terms() }), [Difference::VideoUrl]);
    assert_eq!(differs(&Terms { purpose: TalkPurpose::Counter, ..terms() }), [Difference::Purpose]);
    assert_eq!(differs(&Terms { format: TalkFormat::OpenMeeting, ..terms() }), [Difference::Format]);
}
