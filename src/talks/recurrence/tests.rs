use proptest::prelude::*;
use serde_json::json;

use super::*;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn told(days: &[NaiveDate]) -> Vec<String> {
    days.iter().map(ToString::to_string).collect()
}

fn monthly(days: &[u8]) -> Recurrence {
    Recurrence::MonthlyDays { days: days.to_vec() }
}

fn weekly(weekdays: &[u8]) -> Recurrence {
    Recurrence::Weekly { weekdays: weekdays.to_vec() }
}

#[test]
fn a_day_that_a_month_lacks_is_skipped() {
    let days = monthly(&[31, 29]).dates(date("2026-01-30"), date("2026-04-30"));
    assert_eq!(told(&days), ["2026-01-31", "2026-03-29", "2026-03-31", "2026-04-29"]);
    let days = monthly(&[29]).dates(date("2028-02-01"), date("2028-02-29"));
    assert_eq!(told(&days), ["2028-02-29"]);
}

#[test]
fn rules_run_over_the_turn_of_the_year() {
    let days = monthly(&[25, 5, 15]).dates(date("2026-12-15"), date("2027-01-05"));
    assert_eq!(told(&days), ["2026-12-15", "2026-12-25", "2027-01-05"]);
    let days = weekly(&[6]).dates(date("2026-12-26"), date("2027-01-09"));
    assert_eq!(told(&days), ["2026-12-26", "2027-01-02", "2027-01-09"]);
}

#[test]
fn odd_windows_do_no_harm() {
    assert_eq!(weekly(&[1]).dates(date("2026-01-02"), date("2026-01-01")), []);
    assert_eq!(weekly(&[1]).dates(NaiveDate::MAX, NaiveDate::MAX), []);
    let days = weekly(&[1, 2, 3, 4, 5, 6, 7]).dates(NaiveDate::MIN, NaiveDate::MAX);
    assert_eq!(days.len(), LONGEST_WINDOW_DAYS);
}

#[test]
fn rules_that_cannot_be_meant_are_refused() {
    assert_eq!(monthly(&[5, 15, 25]).check(), Ok(()));
    assert_eq!(weekly(&[1, 2, 3, 4, 5, 6, 7]).check(), Ok(()));
    assert_eq!(monthly(&[]).check(), Err(RecurrenceFault::Empty));
    assert_eq!(monthly(&[1; 32]).check(), Err(RecurrenceFault::TooMany));
    assert_eq!(monthly(&[1, 32]).check(), Err(RecurrenceFault::OutOfRange { index: 1 }));
    assert_eq!(weekly(&[0]).check(), Err(RecurrenceFault::OutOfRange { index: 0 }));
    assert_eq!(weekly(&[3, 4, 3]).check(), Err(RecurrenceFault::Duplicate { index: 2 }));
}

#[test]
fn the_wire_form_is_tagged_and_strict() {
    let read = |value| serde_json::from_value::<Recurrence>(value);
    assert_eq!(read(json!({"kind": "monthly_days", "days": [5, 15, 25]})).unwrap(), monthly(&[5, 15, 25]));
    assert_eq!(serde_json::to_value(weekly(&[6])).unwrap(), json!({"kind": "weekly", "weekdays": [6]}));
    assert!(read(json!({"kind": "weekly", "weekdays": [6], "days": [1]})).is_err());
    assert!(read(json!({"kind": "yearly", "days": [1]})).is_err());
    let read = |value| serde_json::from_value::<Exception>(value);
    let moved = Exception::Move { date: date("2026-10-05"), to: date("2026-10-08") };
    assert_eq!(read(json!({"kind": "move", "date": "2026-10-05", "to": "2026-10-08"})).unwrap(), moved);
    assert!(read(json!({"kind": "skip", "date": "2026-10-05", "to": "2026-10-08"})).is_err());
}

#[test]
fn the_schema_is_an_inline_choice_of_kinds() {
    use utoipa::PartialSchema;
    let schema = serde_json::to_value(Recurrence::schema()).unwrap();
    let kinds = schema["oneOf"].as_array().unwrap();
    assert_eq!(kinds.len(), 2);
    assert_eq!(kinds[0]["properties"]["kind"]["enum"], json!(["monthly_days"]));
    assert_eq!(kinds[1]["properties"]["weekdays"]["type"], json!("array"));
}

#[test]
fn exceptions_act_one_after_another() {
    let (from, to) = (date("2026-10-01"), date("2026-10-31"));
    let rule = monthly(&[5, 15, 25]);
    let after = |exceptions: &[Exception]| told(&apply(exceptions, rule.dates(from, to), from, to));
    let skip = |d| Exception::Skip { date: date(d) };
    let moved = |d, to| Exception::Move { date: date(d), to: date(to) };
    let add = |d| Exception::Add { date: date(d) };
    assert_eq!(after(&[skip("2026-10-05")]), ["2026-10-15", "2026-10-25"]);
    assert_eq!(after(&[moved("2026-10-05", "2026-10-08")]), ["2026-10-08", "2026-10-15", "2026-10-25"]);
    assert_eq!(after(&[moved("2026-10-05", "2026-10-15")]), ["2026-10-15", "2026-10-25"]);
    assert_eq!(after(&[add("2026-10-01"), add("2026-11-01")])[0], "2026-10-01");
    assert_eq!(after(&[add("2026-11-01"), skip("2026-10-06")]).len(), 3);
    assert_eq!(after(&[moved("2026-10-05", "2026-10-08"), skip("2026-10-08")]), ["2026-10-15", "2026-10-25"]);
    // Moved out of the window, and into it from before.
    assert_eq!(after(&[moved("2026-10-25", "2026-11-02")]), ["2026-10-05", "2026-10-15"]);
    assert_eq!(after(&[moved("2026-09-25", "2026-10-09")]).len(), 4);
    assert_eq!(check_exceptions(&[skip("2026-10-05"); 201]), Err(ExceptionFault::TooMany));
    let nowhere = [skip("2026-10-05"), moved("2026-10-15", "2026-10-15")];
    assert_eq!(check_exceptions(&nowhere), Err(ExceptionFault::MovedNowhere { index: 1 }));
    assert_eq!(check_exceptions(&nowhere[..1]), Ok(()));
}

prop_compose! {
    fn any_day()(days in 0_u64..3_000) -> NaiveDate {
        date("2023-01-01").checked_add_days(chrono::Days::new(days)).unwrap()
    }
}

fn any_rule() -> impl Strategy<Value = Recurrence> {
    let numbers = |most| proptest::collection::vec(1..=most, 1..6);
    prop_oneof![
        numbers(31_u8).prop_map(|days| Recurrence::MonthlyDays { days }),
        numbers(7_u8).prop_map(|weekdays| Recurrence::Weekly { weekdays }),
    ]
}

proptest! {
    /// The rule is read here from its written form, not from the code under test.
    #[test]
    fn none_is_wrong_and_none_is_missed(rule in any_rule(), from in any_day(), length in 0_usize..800) {
        let window: Vec<_> = from.iter_days().take(length + 1).collect();
        let days = rule.dates(from, window[length]);
        for day in &window {
            let written = match &rule {
                Recurrence::MonthlyDays { days } => days.iter().any(|d| day.format("%-d").to_string() == d.to_string()),
                Recurrence::Weekly { weekdays } => weekdays.iter().any(|d| day.format("%u").to_string() == d.to_string()),
            };
            prop_assert_eq!(days.contains(day), written);
        }
        prop_assert!(days.is_sorted_by(|a, b| a < b));
        prop_assert!(days.iter().all(|day| window.contains(day)));
    }

    /// Two windows side by side give what one gives, exceptions and all.
    #[test]
    fn windows_do_not_change_the_answer(
        rule in any_rule(), from in any_day(), first in 1_u64..60, second in 1_u64..60,
        moves in proptest::collection::vec((any_day(), any_day()), 0..20),
    ) {
        let middle = from + chrono::Days::new(first);
        let to = middle + chrono::Days::new(second);
        let exceptions: Vec<_> = moves.into_iter().map(|(date, to)| Exception::Move { date, to }).collect();
        let made = |a, b| apply(&exceptions, rule.dates(a, b), a, b);
        let mut halves = made(from, middle);
        halves.extend(made(middle + chrono::Days::new(1), to));
        prop_assert_eq!(halves, made(from, to));
    }
}
