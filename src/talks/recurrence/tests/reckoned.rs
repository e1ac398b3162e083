//! Every kind against a reckoning of its own over 2020-2030: day by day, the lunar calendar from a table.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::{lunar::LunarDate, vectors::vectors, *};

/// Lunar years 2019 to 2030, the first of them beginning on 5 February 2019. From the left: whether the leap month is
/// long, the twelve months from the first to the last (a set bit has 30 days), the number of the leap month.
const YEARS: [u32; 12] =
    [0x0a930, 0x07954, 0x06aa0, 0x0ad50, 0x05b52, 0x04b60, 0x0a6e6, 0x0a4e0, 0x0d260, 0x0ea65, 0x0d530, 0x05aa0];

/// Every day of the table with its lunar day.
fn table() -> Vec<(NaiveDate, LunarDate)> {
    let mut days = Vec::new();
    let mut on = date("2019-02-05");
    for (year, bits) in (2019..).zip(YEARS) {
        for month in 1_u8..=12 {
            let leap = bits & 0xf == u32::from(month);
            let own = (false, bits & (0x1_0000 >> month) != 0);
            let months = if leap { vec![own, (true, bits & 0x1_0000 != 0)] } else { vec![own] };
            for (leap, long) in months {
                for day in 1..=if long { 30 } else { 29 } {
                    days.push((on, LunarDate { year, month, leap, day }));
                    on += TimeDelta::days(1);
                }
            }
        }
    }
    days
}

fn within(from: &str, to: &str) -> Vec<(NaiveDate, LunarDate)> {
    table().into_iter().filter(|(day, _)| (date(from)..=date(to)).contains(day)).collect()
}

#[test]
fn the_table_is_right_where_the_vectors_know() {
    let table: std::collections::BTreeMap<_, _> = table().into_iter().collect();
    for (day, lunar, _) in vectors() {
        assert_eq!(table[&day], lunar, "{day}");
    }
    assert_eq!(table[&date("2030-02-03")].to_string(), "正月初一");
}

#[test]
fn every_lunar_day_of_eleven_years_agrees_with_the_table() {
    let days = within("2020-01-01", "2030-12-31");
    assert_eq!(days.len(), 4_018);
    assert_eq!(lunar::days(date("2020-01-01"), date("2030-12-31")), days);
    let leaps: std::collections::BTreeSet<_> =
        days.iter().filter(|(_, day)| day.leap).map(|(_, day)| (day.year, day.month)).collect();
    assert_eq!(leaps.into_iter().collect::<Vec<_>>(), [(2020, 4), (2023, 2), (2025, 6), (2028, 5)]);
}

/// Whether a rule means a day, from how days are written.
fn meant(rule: &Recurrence, day: NaiveDate, lunar: LunarDate) -> bool {
    let written = |form: &str| day.format(form).to_string();
    let among = |numbers: &[u8], form: &str| numbers.iter().any(|number| number.to_string() == written(form));
    match rule {
        Recurrence::MonthlyDays { days } => among(days, "%-d"),
        Recurrence::Weekly { weekdays } => among(weekdays, "%u"),
        Recurrence::NthWeekday { nth, weekday } => {
            let weeks = |days: i64| (day + TimeDelta::days(days)).format("%m").to_string() != written("%m");
            let before = (1..=4).take_while(|week| !weeks(-7 * week)).count();
            let right = if *nth < 0 { weeks(7) } else { before + 1 == usize::try_from(*nth).unwrap() };
            right && weekday.to_string() == written("%u")
        }
        Recurrence::LunarDays { days } => days.contains(&lunar.day),
        Recurrence::MarketDays { calendar, digits } => {
            let number = if *calendar == MarketCalendar::Solar { written("%-d") } else { lunar.day.to_string() };
            digits.iter().any(|digit| number.ends_with(&digit.to_string()))
        }
    }
}

fn any_rule() -> impl Strategy<Value = Recurrence> {
    let numbers = |least, most| proptest::collection::vec(least..=most, 1..6);
    let calendar = prop_oneof![Just(MarketCalendar::Solar), Just(MarketCalendar::Lunar)];
    prop_oneof![
        numbers(1, 31_u8).prop_map(|days| Recurrence::MonthlyDays { days }),
        numbers(1, 7_u8).prop_map(|weekdays| Recurrence::Weekly { weekdays }),
        (prop_oneof![1_i8..=4, Just(-1)], 1..=7_u8).prop_map(|(nth, weekday)| Recurrence::NthWeekday { nth, weekday }),
        numbers(1, 30_u8).prop_map(|days| Recurrence::LunarDays { days }),
        (calendar, numbers(0, 9_u8)).prop_map(|(calendar, digits)| Recurrence::MarketDays { calendar, digits }),
    ]
}

#[test]
fn each_kind_over_all_eleven_years() {
    let days = within("2020-01-01", "2029-12-31");
    let (from, to) = (days[0].0, days[days.len() - 1].0);
    let mut rules: Vec<Recurrence> = (1..=31).map(|day| monthly(&[day])).collect();
    rules.extend((1..=7).map(|day| weekly(&[day])));
    rules.extend((1..=7).flat_map(|day| [-1, 1, 2, 3, 4].map(|nth| Recurrence::NthWeekday { nth, weekday: day })));
    rules.extend((1..=30).map(|day| lunar_days(&[day])));
    for calendar in [MarketCalendar::Solar, MarketCalendar::Lunar] {
        rules.extend((0..=9).map(|digit| market(calendar, &[digit])));
    }
    for rule in rules {
        let naive: Vec<_> =
            days.iter().filter(|(day, lunar)| meant(&rule, *day, *lunar)).map(|(day, _)| *day).collect();
        assert_eq!(rule.dates(from, to), naive, "{rule:?}");
    }
    let end = within("2030-01-01", "2030-12-31");
    for rule in [monthly(&[31]), nth(-1, 7), lunar_days(&[1, 30]), market(MarketCalendar::Lunar, &[0])] {
        let naive: Vec<_> = end.iter().filter(|(day, lunar)| meant(&rule, *day, *lunar)).map(|(day, _)| *day).collect();
        assert_eq!(rule.dates(date("2030-01-01"), date("2030-12-31")), naive, "{rule:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn none_is_wrong_and_none_is_missed(rule in any_rule(), start in 0_usize..3_200, length in 0_usize..800) {
        let all = within("2020-01-01", "2030-12-31");
        let window = &all[start..=start + length];
        let naive: Vec<_> = window.iter().filter(|(day, lunar)| meant(&rule, *day, *lunar)).map(|(day, _)| *day).collect();
        prop_assert_eq!(rule.dates(window[0].0, window[length].0), naive);
    }

    /// Two windows side by side give what one gives, in any years.
    #[test]
    fn windows_do_not_change_the_answer(
        rule in any_rule(), start in 0_u64..401_000, first in 0_u64..60, second in 1_u64..60,
    ) {
        let from = date("1900-01-01") + chrono::Days::new(start);
        let middle = from + chrono::Days::new(first);
        let to = middle + chrono::Days::new(second);
        let mut halves = rule.dates(from, middle);
        halves.extend(rule.dates(middle + chrono::Days::new(1), to));
        prop_assert_eq!(&halves, &rule.dates(from, to));
        prop_assert!(halves.iter().all(|day| rule.falls_on(*day)));
    }
}
