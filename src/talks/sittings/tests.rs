use proptest::prelude::*;

use super::*;
use crate::calendar;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The State Council's days of 2020-2026.
fn published() -> Calendar {
    let rows = calendar::parse(include_bytes!("../../../config/calendar/holidays-cn.csv").as_slice()).unwrap();
    Calendar::new("2026", rows)
}

fn rule(holiday_policy: HolidayPolicy, days: &[u8], exceptions: &[Exception]) -> Sittings {
    let recurrence = Recurrence::MonthlyDays { days: days.to_vec() };
    Sittings { recurrence, exceptions: exceptions.to_vec(), holiday_policy }
}

fn skip(day: &str) -> Exception {
    Exception::Skip { date: date(day) }
}

fn moved(from: &str, to: &str) -> Exception {
    Exception::Move { date: date(from), to: date(to) }
}

fn add(day: &str) -> Exception {
    Exception::Add { date: date(day) }
}

/// Dates in October 2026 (国庆: the 1st to the 7th are off), with where they came from.
fn october(rule: &Sittings) -> Vec<String> {
    let told = |sitting: Sitting| match sitting.moved_from {
        Some(from) => format!("{} < {from}", sitting.date),
        None => sitting.date.to_string(),
    };
    rule.within(date("2026-10-01"), date("2026-10-31"), &published()).into_iter().map(told).collect()
}

#[test]
fn exceptions_act_one_after_another() {
    let after = |exceptions: &[Exception]| october(&rule(HolidayPolicy::Keep, &[5, 15, 25], exceptions));
    assert_eq!(after(&[skip("2026-10-05")]), ["2026-10-15", "2026-10-25"]);
    assert_eq!(after(&[moved("2026-10-05", "2026-10-08")]), ["2026-10-08 < 2026-10-05", "2026-10-15", "2026-10-25"]);
    assert_eq!(after(&[moved("2026-10-05", "2026-10-15")]), ["2026-10-15", "2026-10-25"]);
    assert_eq!(after(&[add("2026-10-01"), add("2026-11-01")])[0], "2026-10-01");
    assert_eq!(after(&[add("2026-11-01"), skip("2026-10-06")]).len(), 3);
    assert_eq!(after(&[moved("2026-10-05", "2026-10-08"), skip("2026-10-08")]), ["2026-10-15", "2026-10-25"]);
    assert_eq!(after(&[skip("2026-10-05"), add("2026-10-05")]).len(), 3, "the last word rules");
    // Moved out of the window, and into it from before.
    assert_eq!(after(&[moved("2026-10-25", "2026-11-02")]), ["2026-10-05", "2026-10-15"]);
    assert_eq!(after(&[moved("2026-09-25", "2026-10-09")]).len(), 4);
}

#[test]
fn a_public_holiday_is_kept_left_out_or_made_up_for() {
    let days = [1, 5, 8, 20];
    assert_eq!(
        october(&rule(HolidayPolicy::Keep, &days, &[])),
        ["2026-10-01", "2026-10-05", "2026-10-08", "2026-10-20"]
    );
    assert_eq!(october(&rule(HolidayPolicy::Skip, &days, &[])), ["2026-10-08", "2026-10-20"]);
    // The 8th is a day of the rule: it sits there once, and on its own account.
    assert_eq!(october(&rule(HolidayPolicy::NextWorkingDay, &days, &[])), ["2026-10-08", "2026-10-20"]);
    assert_eq!(october(&rule(HolidayPolicy::NextWorkingDay, &[2, 5], &[])), ["2026-10-08 < 2026-10-02"]);
    // A plain weekend is no holiday, a make-up Saturday neither.
    assert_eq!(october(&rule(HolidayPolicy::Skip, &[10, 11, 17], &[])), ["2026-10-10", "2026-10-11", "2026-10-17"]);
}

#[test]
fn exceptions_have_the_last_word_over_the_policy() {
    let after = |exceptions: &[Exception]| october(&rule(HolidayPolicy::NextWorkingDay, &[5, 20], exceptions));
    assert_eq!(after(&[]), ["2026-10-08 < 2026-10-05", "2026-10-20"]);
    assert_eq!(after(&[skip("2026-10-05")]), ["2026-10-20"], "by the day of the rule");
    assert_eq!(after(&[skip("2026-10-08")]), ["2026-10-20"], "by the day it was moved to");
    assert_eq!(after(&[moved("2026-10-05", "2026-10-12")]), ["2026-10-12 < 2026-10-05", "2026-10-20"]);
    assert_eq!(after(&[add("2026-10-05")]), ["2026-10-05", "2026-10-08 < 2026-10-05", "2026-10-20"]);
    let twice = rule(HolidayPolicy::NextWorkingDay, &[3, 5], &[skip("2026-10-03")]);
    assert_eq!(october(&twice), ["2026-10-08 < 2026-10-05"], "the 5th is still made up for");
}

#[test]
fn a_day_moved_over_the_turn_of_the_window_is_found_from_either_side() {
    let (rule, calendar) = (rule(HolidayPolicy::NextWorkingDay, &[2], &[]), published());
    let found = |from: &str, to: &str| rule.within(date(from), date(to), &calendar).len();
    assert_eq!(found("2026-10-01", "2026-10-07"), 0);
    assert_eq!(found("2026-10-03", "2026-10-08"), 1);
    assert_eq!(found("2026-10-08", "2026-10-08"), 1);
    assert_eq!(found("2026-10-09", "2026-10-31"), 0);
}

#[test]
fn a_year_without_a_notice_keeps_its_days_and_says_that_they_may_move() {
    let calendar = published();
    for (policy, provisional) in
        [(HolidayPolicy::Keep, false), (HolidayPolicy::Skip, true), (HolidayPolicy::NextWorkingDay, true)]
    {
        let days = rule(policy, &[31, 1], &[]).within(date("2026-12-31"), date("2027-01-01"), &calendar);
        let told: Vec<_> = days.iter().map(|day| (day.date.to_string(), day.provisional)).collect();
        assert_eq!(told, [("2026-12-31".to_owned(), false), ("2027-01-01".to_owned(), provisional)], "{policy:?}");
    }
}

#[test]
fn the_next_dates_are_as_many_as_asked_for_or_those_of_ten_years() {
    let calendar = published();
    let of = |days: &[u8], count| rule(HolidayPolicy::Keep, days, &[]).next(date("2026-11-23"), count, &calendar);
    assert_eq!(of(&[5, 15, 25], 12).len(), 12);
    assert_eq!(of(&[31], 60).len(), 60);
    assert!(of(&[31], 60).is_sorted_by(|a, b| a.date < b.date));
    let thirtieth =
        Sittings { recurrence: Recurrence::LunarDays { days: vec![30] }, ..rule(HolidayPolicy::Keep, &[], &[]) };
    assert!(thirtieth.next(date("2026-11-23"), 60, &calendar).len() > 50);
    assert_eq!(of(&[], 3).len(), 0);
    assert!(of(&[1], 3).iter().all(|day| !day.provisional && day.stands_for.contains(&day.date)));
    assert_eq!(rule(HolidayPolicy::Keep, &[1], &[]).next(NaiveDate::MAX, 3, &calendar), []);
}

#[test]
fn a_shown_date_has_weekday_lunar_day_and_holiday() {
    let (rule, calendar) = (rule(HolidayPolicy::Keep, &[1], &[]), published());
    let days = rule.within(date("2026-10-01"), date("2026-10-01"), &calendar);
    let shown = serde_json::to_value(SittingView::of(&days[0], &calendar)).unwrap();
    let expected = serde_json::json!({
        "date": "2026-10-01", "weekday": 4, "lunar": "八月廿一", "holiday": "国庆节", "moved_from": null,
        "provisional": false,
    });
    assert_eq!(shown, expected);
}

prop_compose! {
    fn any_day()(days in 0_u64..2_700) -> NaiveDate {
        date("2020-01-01").checked_add_days(chrono::Days::new(days)).unwrap()
    }
}

fn any_exception() -> impl Strategy<Value = Exception> {
    prop_oneof![
        any_day().prop_map(|date| Exception::Skip { date }),
        any_day().prop_map(|date| Exception::Add { date }),
        (any_day(), any_day()).prop_map(|(date, to)| Exception::Move { date, to }),
    ]
}

proptest! {
    /// Two windows side by side give what one gives, holidays, exceptions and all.
    #[test]
    fn windows_do_not_change_the_answer(
        policy in prop_oneof![Just(HolidayPolicy::Keep), Just(HolidayPolicy::Skip), Just(HolidayPolicy::NextWorkingDay)],
        days in proptest::collection::vec(1..=31_u8, 1..6), from in any_day(), first in 1_u64..60, second in 1_u64..60,
        exceptions in proptest::collection::vec(any_exception(), 0..40),
    ) {
        let calendar = published();
        let (middle, rule) = (from + chrono::Days::new(first), rule(policy, &days, &exceptions));
        let to = middle + chrono::Days::new(second);
        let mut halves = rule.within(from, middle, &calendar);
        halves.extend(rule.within(middle + chrono::Days::new(1), to, &calendar));
        prop_assert_eq!(halves, rule.within(from, to, &calendar));
    }

    /// Without exceptions no sitting lies on a holiday unless holidays are kept, and none is lost unless left out.
    #[test]
    fn policies_do_what_they_say(days in proptest::collection::vec(1..=31_u8, 1..6), from in any_day()) {
        let (calendar, to) = (published(), from + chrono::Days::new(70));
        let of = |policy| rule(policy, &days, &[]).within(from, to, &calendar);
        let holiday = |day: NaiveDate| matches!(calendar.day(day).why, Why::Holiday { .. });
        let kept: Vec<_> = of(HolidayPolicy::Keep).iter().map(|day| day.date).collect();
        let plain: Vec<_> = kept.iter().copied().filter(|day| !holiday(*day)).collect();
        let left: Vec<_> = of(HolidayPolicy::Skip).iter().map(|day| day.date).collect();
        prop_assert_eq!(left, plain);
        let made_up = of(HolidayPolicy::NextWorkingDay);
        prop_assert!(made_up.iter().all(|day| !holiday(day.date)));
        for day in kept {
            let on = if holiday(day) { calendar.add_working_days(day, 0).on } else { day };
            prop_assert!(on > to || made_up.iter().any(|sitting| sitting.date == on && sitting.stands_for.contains(&day)));
        }
    }
}
