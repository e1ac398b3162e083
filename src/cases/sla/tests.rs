//! Clocks against the vectors of the rules, and against another way of reckoning that shares no code with them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock},
};

use chrono::{Datelike, Days, NaiveTime};
use entity::id::{DivisionId, StaffId, UnitId};
use proptest::prelude::*;

use super::*;
use crate::{
    calendar::{self, CalendarRow, DayKind},
    cases::{
        advance::{Act, By},
        effects::{self, Detail},
        fresh,
        workflow::Action,
    },
    clock,
};

const OFFICIAL: &[u8] = include_bytes!("../../../config/calendar/holidays-cn.csv");

static CALENDAR: LazyLock<Calendar> = LazyLock::new(|| Calendar::new("official", calendar::parse(OFFICIAL).unwrap()));

fn clocks(extra: impl IntoIterator<Item = CalendarRow>) -> Clocks {
    Clocks { terms: Terms::default(), calendar: Arc::new(CALENDAR.with("more", extra)) }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(day: NaiveDate, hour: u32) -> Instant {
    clock::instant(day, NaiveTime::from_hms_opt(hour, 0, 0).unwrap())
}

fn row(promised: Option<i32>, statutory: Option<i32>) -> case::Model {
    let long_ago = at(day("2020-01-02"), 9);
    let place = DivisionId::fresh();
    let unit = UnitId::fresh();
    case::Model {
        kind: CaseKind::Proxy,
        promised_days: promised,
        statutory_days: statutory,
        village_id: place,
        township_id: place,
        county_id: place,
        unit_id: unit,
        first_unit_id: unit,
        due_on: day("2020-01-03"),
        ..fresh::untouched(long_ago)
    }
}

fn step(case: &case::Model, action: Action, detail: Option<Detail>, now: Instant, clocks: &Clocks) -> case::Model {
    let by = By::staff(StaffId::fresh(), None);
    let act = Act { detail, ..Act::plain(action) };
    let step = workflow::find(action, case.state).unwrap();
    effects::after(case, step, &act, &by, Reckoning { now, clocks })
}

fn accepted(on: &str, promised: Option<i32>, statutory: Option<i32>) -> case::Model {
    step(&row(promised, statutory), Action::Accept, None, at(day(on), 10), &clocks([]))
}

fn in_progress(on: &str, days: i32) -> case::Model {
    let case = accepted(on, Some(days), None);
    let case = step(&case, Action::Assign, None, at(day(on), 10), &clocks([]));
    step(&case, Action::Sign, None, at(day(on), 10), &clocks([]))
}

#[test]
fn due_days_follow_the_official_calendar_with_its_make_up_days() {
    for (on, days, due) in [
        ("2026-09-30", 3, "2026-10-10"),
        ("2026-09-30", 5, "2026-10-13"),
        ("2026-02-13", 3, "2026-02-25"),
        ("2026-02-13", 15, "2026-03-12"),
        ("2026-09-18", 1, "2026-09-20"),
        ("2026-04-30", 5, "2026-05-11"),
        ("2025-12-31", 3, "2026-01-06"),
    ] {
        let case = accepted(on, Some(days), None);
        assert_eq!(case.promised_due_on, Some(day(due)), "{on} +{days}");
        assert_eq!((case.statutory_due_on, case.due_on), (None, day(due)));
    }
}

#[test]
fn no_promised_days_at_all_means_the_same_working_day() {
    assert_eq!(accepted("2026-11-23", Some(0), None).promised_due_on, Some(day("2026-11-23")));
}

#[test]
fn a_year_without_a_notice_is_marked() {
    assert!(accepted("2026-12-30", Some(5), None).provisional);
    assert!(!accepted("2026-11-23", Some(5), None).provisional);
}

#[test]
fn silence_accepts_at_the_close_of_the_next_working_day() {
    let filed = case::Model { since_at: at(day("2026-11-27"), 15), ..row(None, None) };
    let now = filed.since_at;
    let acts = step_due_at(&filed, Reckoning { now, clocks: &clocks([]) });
    assert_eq!(acts, Some(at(day("2026-11-30"), 17)));
}

#[test]
fn half_a_working_day_is_left_to_dispatch_and_a_reminder_comes_once() {
    let case = accepted("2026-11-23", Some(7), None);
    assert_eq!(case.step_due_at, Some(at(day("2026-11-23"), 14)));
    let reminded = step(&case, Action::Remind, None, at(day("2026-11-23"), 14), &clocks([]));
    assert_eq!(reminded.step_due_at, None);
}

#[test]
fn papers_are_asked_for_ten_working_days_with_reminders_at_five_and_one() {
    let monday = at(day("2026-11-23"), 10);
    let asked = step(&row(None, None), Action::RequestSupplement, None, monday, &clocks([]));
    assert_eq!(asked.until_on, Some(day("2026-12-07")));
    assert_eq!(asked.step_due_at, Some(at(day("2026-11-30"), 9)), "five working days left");
    let again = step(&asked, Action::Remind, None, at(day("2026-11-30"), 9), &clocks([]));
    assert_eq!(again.step_due_at, Some(at(day("2026-12-04"), 9)), "one left");
    let last = step(&again, Action::Remind, None, at(day("2026-12-04"), 9), &clocks([]));
    assert_eq!(last.step_due_at, Some(at(day("2026-12-07"), 17)), "then it lapses");
}

#[test]
fn the_villager_is_spoken_to_within_a_working_day_and_within_half_an_hour_when_it_is_urgent() {
    let friday = at(day("2026-11-27"), 16);
    let reckoning = clocks([]);
    let reckoning = Reckoning { now: friday, clocks: &reckoning };
    let normal = row(None, None);
    assert_eq!(contact_due_at(&normal, reckoning), at(day("2026-11-30"), 17));
    let urgent = case::Model { urgency: CaseUrgency::Urgent, ..normal };
    assert_eq!(contact_due_at(&urgent, reckoning), friday + TimeDelta::minutes(30));
}

#[test]
fn lights_turn_with_the_working_days_left() {
    let clocks = clocks([]);
    let lit = |today: &str, limit| light(&clocks, day(today), day("2026-11-27"), limit);
    assert_eq!(lit("2026-11-23", 7), DueLight::Green);
    assert_eq!(lit("2026-11-24", 7), DueLight::Yellow);
    assert_eq!(lit("2026-11-25", 5), DueLight::Green);
    assert_eq!(lit("2026-11-26", 5), DueLight::Yellow);
    assert_eq!(lit("2026-11-27", 5), DueLight::Yellow);
    assert_eq!(lit("2026-11-28", 5), DueLight::Red);
}

#[test]
fn supervision_climbs_on_working_days_at_the_opening_of_the_desk() {
    let clocks = clocks([]);
    // Seven working days after Wednesday 2026-11-18: Friday 2026-11-27.
    let mut case = accepted("2026-11-18", Some(7), None);
    for (alarm, on) in [
        (Alarm::Yellow, "2026-11-24"),
        (Alarm::Overdue, "2026-11-30"),
        (Alarm::Township, "2026-12-03"),
        (Alarm::County, "2026-12-07"),
    ] {
        assert_eq!(Alarm::next(&case, &clocks), Some((alarm, at(day(on), 9))));
        assert_eq!(case.alarm_at, Some(at(day(on), 9)));
        case = effects::alarmed(&case, alarm, Reckoning { now: at(day(on), 9), clocks: &clocks });
    }
    assert_eq!((case.alarm_at, Alarm::next(&case, &clocks)), (None, None));
}

#[test]
fn a_comment_does_not_put_supervision_off_and_a_pause_does() {
    let clocks = clocks([]);
    let case = in_progress("2026-11-18", 7);
    let noted = step(&case, Action::Note, None, at(day("2026-11-26"), 10), &clocks);
    assert_eq!((noted.alarm_at, noted.due_on), (case.alarm_at, case.due_on));
    let decided = |until: &str| {
        let until = Some(day(until));
        Some(Detail::Decided { request: CaseRequest::Pause, granted: true, until, working_days: None })
    };
    let paused = case::Model { pending: Some(CaseRequest::Pause), ..case };
    let paused = step(&paused, Action::Approve, decided("2026-12-04"), at(day("2026-11-23"), 10), &clocks);
    assert_eq!((paused.state, paused.alarm_at), (CaseState::Paused, None));
    assert_eq!(paused.step_due_at, Some(at(day("2026-12-04"), 9)), "time resumes it");
    let resumed = step(&paused, Action::Resume, None, at(day("2026-11-26"), 10), &clocks);
    // The working days after Monday up to and including Thursday: three.
    assert_eq!((resumed.paused_days, resumed.due_on), (3, day("2026-12-02")));
    assert!(resumed.alarm_at.is_some());
}

/// The official days and others, read by hand: what is not named follows the weekday.
struct ByHand(HashMap<NaiveDate, bool>);

static NAMED: LazyLock<HashMap<NaiveDate, bool>> = LazyLock::new(|| {
    let text = std::str::from_utf8(OFFICIAL).unwrap();
    let rows = text.lines().skip(1).map(|line| line.split(',').take(2).collect::<Vec<_>>());
    rows.map(|columns| (columns[0].parse().unwrap(), columns[1] == "workday")).collect()
});

impl ByHand {
    fn new(extra: &[CalendarRow]) -> Self {
        let mut days = NAMED.clone();
        days.extend(extra.iter().map(|row| (row.date, row.kind == DayKind::Workday)));
        Self(days)
    }

    fn works(&self, date: NaiveDate) -> bool {
        self.0.get(&date).copied().unwrap_or_else(|| date.weekday().num_days_from_monday() < 5)
    }

    fn add(&self, from: NaiveDate, days: i64) -> NaiveDate {
        let (mut date, mut left) = (from, days);
        while left > 0 || !self.works(date) {
            date = date + Days::new(1);
            left -= i64::from(self.works(date));
        }
        date
    }

    fn between(&self, after: NaiveDate, until: NaiveDate) -> i64 {
        let mut count = 0;
        let mut date = after;
        while date < until {
            date = date + Days::new(1);
            count += i64::from(self.works(date));
        }
        count
    }
}

/// What happens to a case, in days.
#[derive(Clone, Debug)]
enum Happening {
    Pause { after: u64, days: u64 },
    Extend { days: i32 },
    Reopen { after: u64 },
    Publish { days: Vec<(u64, bool)> },
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let one = prop_oneof![
        4 => (0..20_u64, 1..40_u64).prop_map(|(after, days)| Happening::Pause { after, days }),
        2 => (1..10_i32).prop_map(|days| Happening::Extend { days }),
        1 => (1..15_u64).prop_map(|after| Happening::Reopen { after }),
        2 => prop::collection::vec((0..200_u64, any::<bool>()), 0..12).prop_map(|days| Happening::Publish { days }),
    ];
    prop::collection::vec(one, 0..6)
}

#[test]
fn what_was_said_on_a_talk_day_is_due_by_the_next_one_or_sooner() {
    let due = |accepted: &str, next: Option<&str>| {
        let case = case::Model { next_talk_on: next.map(day), ..row(Some(7), None) };
        due_dates(&clocks([]), &case, day(accepted)).promised.unwrap().to_string()
    };
    assert_eq!(due("2026-11-25", None), "2026-12-04");
    assert_eq!(due("2026-11-25", Some("2026-12-05")), "2026-12-04", "seven working days are over before");
    assert_eq!(due("2026-11-23", Some("2026-11-25")), "2026-11-25");
    assert_eq!(due("2026-11-26", Some("2026-11-28")), "2026-11-30", "a Saturday moves on to Monday");
    assert_eq!(due("2026-11-25", Some("2026-11-25")), "2026-12-04", "it was accepted on that very day");
    let off = clocks([CalendarRow { date: day("2026-11-24"), kind: DayKind::Holiday, name: "样例".into() }]);
    let case = case::Model { next_talk_on: Some(day("2026-11-25")), ..row(Some(7), None) };
    assert_eq!(due_dates(&off, &case, day("2026-11-23")).promised, Some(day("2026-11-25")), "still by that day");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn due_days_agree_with_reckoning_by_hand(
        start in 0..2_300_u64,
        promised in prop::option::of(0..60_i32),
        statutory in prop::option::of(0..90_i32),
        happens in happenings(),
    ) {
        let first = day("2020-01-02") + Days::new(start);
        let mut extra: BTreeMap<NaiveDate, CalendarRow> = BTreeMap::new();
        let mut now = first;
        let filed = case::Model { since_at: at(first, 10), step_due_at: None, ..row(promised, statutory) };
        let mut case = step(&filed, Action::Accept, None, at(first, 10), &clocks([]));
        case = step(&case, Action::Assign, None, at(first, 10), &clocks([]));
        case = step(&case, Action::Sign, None, at(first, 10), &clocks([]));
        // By hand: what was paused in working days as they were then, what was added, and from when it was reopened.
        let (mut paused, mut extended, mut reopened) = (0_i64, 0_i64, None);
        for happening in happens {
            let rows: Vec<CalendarRow> = extra.values().cloned().collect();
            let holds = clocks(rows.clone());
            let by_hand = ByHand::new(&rows);
            match happening {
                Happening::Pause { after, days } => {
                    let from = now + Days::new(after);
                    now = from + Days::new(days);
                    let asked = case::Model { pending: Some(CaseRequest::Pause), ..case.clone() };
                    let detail = Detail::Decided {
                        request: CaseRequest::Pause, granted: true, until: Some(now), working_days: None,
                    };
                    case = step(&asked, Action::Approve, Some(detail), at(from, 10), &holds);
                    case = step(&case, Action::Resume, None, at(now, 11), &holds);
                    paused += by_hand.between(from, now);
                }
                Happening::Extend { days } if case.extended_days == 0 => {
                    let asked = case::Model { pending: Some(CaseRequest::Extension), ..case.clone() };
                    let detail = Detail::Decided {
                        request: CaseRequest::Extension, granted: true, until: None, working_days: Some(days),
                    };
                    case = step(&asked, Action::Approve, Some(detail), at(now, 12), &holds);
                    extended = i64::from(days);
                }
                Happening::Extend { .. } => {}
                Happening::Reopen { after } => {
                    case = step(&case, Action::Answer, None, at(now, 13), &holds);
                    now = now + Days::new(after);
                    case = step(&case, Action::Reopen, None, at(now, 13), &holds);
                    reopened = Some(now);
                }
                Happening::Publish { days } => {
                    // Only what is still to come: nobody publishes the past.
                    for (ahead, works) in days {
                        let date = now + Days::new(ahead + 1);
                        let kind = if works { DayKind::Workday } else { DayKind::Holiday };
                        extra.insert(date, CalendarRow { date, kind, name: "样例".to_owned() });
                    }
                    let holds = clocks(extra.values().cloned());
                    case = effects::recalculated(&case, Reckoning { now: at(now, 14), clocks: &holds });
                }
            }
            let rows: Vec<CalendarRow> = extra.values().cloned().collect();
            let by_hand = ByHand::new(&rows);
            let moved = |limit: i32, by: i64| by_hand.add(by_hand.add(first, limit.into()), by);
            let least = reopened.map(|on| by_hand.add(on, 3));
            let promised_on = promised.map(|days| moved(days, paused + extended).max(least.unwrap_or(NaiveDate::MIN)));
            prop_assert_eq!(case.promised_due_on, promised_on);
            prop_assert_eq!(case.statutory_due_on, statutory.map(|days| moved(days, paused)));
        }
    }
}
