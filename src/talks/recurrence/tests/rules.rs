//! Single rules, by hand.

use serde_json::json;

use super::*;

#[test]
fn a_day_that_a_month_lacks_is_skipped() {
    let days = monthly(&[31, 29]).dates(date("2026-01-30"), date("2026-04-30"));
    assert_eq!(told(&days), ["2026-01-31", "2026-03-29", "2026-03-31", "2026-04-29"]);
    let days = monthly(&[29]).dates(date("2028-02-01"), date("2028-02-29"));
    assert_eq!(told(&days), ["2028-02-29"]);
    let days = monthly(&[31]).dates(date("2026-01-31"), date("2026-12-31"));
    assert_eq!(days.len(), 7, "{days:?}");
}

#[test]
fn rules_run_over_the_turn_of_the_year() {
    let days = monthly(&[25, 5, 15]).dates(date("2026-12-15"), date("2027-01-05"));
    assert_eq!(told(&days), ["2026-12-15", "2026-12-25", "2027-01-05"]);
    let days = weekly(&[6]).dates(date("2026-12-26"), date("2027-01-09"));
    assert_eq!(told(&days), ["2026-12-26", "2027-01-02", "2027-01-09"]);
}

#[test]
fn the_second_tuesday_and_the_last_friday() {
    let days = nth(2, 2).dates(date("2026-11-11"), date("2027-02-28"));
    assert_eq!(told(&days), ["2026-12-08", "2027-01-12", "2027-02-09"]);
    let days = nth(-1, 5).dates(date("2026-11-01"), date("2027-01-29"));
    assert_eq!(told(&days), ["2026-11-27", "2026-12-25", "2027-01-29"]);
}

#[test]
fn the_first_and_the_fifteenth_come_twice_where_a_month_comes_twice() {
    // 2025 has two sixth months: 六月 from 25 June, 闰六月 from 25 July.
    let days = lunar_days(&[1, 15]).dates(date("2025-06-20"), date("2025-08-25"));
    assert_eq!(told(&days), ["2025-06-25", "2025-07-09", "2025-07-25", "2025-08-08", "2025-08-23"]);
}

#[test]
fn a_thirtieth_that_a_short_lunar_month_lacks_is_skipped() {
    // 腊月 of 2024 has 29 days, of 2023 it has 30 (除夕 on 9 February 2024, 28 January 2025).
    let thirtieths = lunar_days(&[30]);
    assert!(thirtieths.falls_on(date("2024-02-09")));
    assert!(!thirtieths.falls_on(date("2025-01-28")) && lunar_days(&[29]).falls_on(date("2025-01-28")));
}

#[test]
fn a_market_day_is_known_by_the_last_digit() {
    let days = market(MarketCalendar::Solar, &[1, 4, 7]).dates(date("2026-10-20"), date("2026-11-04"));
    assert_eq!(told(&days), ["2026-10-21", "2026-10-24", "2026-10-27", "2026-10-31", "2026-11-01", "2026-11-04"]);
    let tens = market(MarketCalendar::Lunar, &[0]).dates(date("2026-11-09"), date("2026-12-08"));
    let words: Vec<String> = tens.iter().map(|day| lunar::of(*day).unwrap().to_string()).collect();
    assert_eq!(words, ["十月初十", "十月二十", "十月三十"]);
}

#[test]
fn odd_windows_do_no_harm() {
    let every_day = weekly(&[1, 2, 3, 4, 5, 6, 7]);
    for rule in [every_day.clone(), nth(1, 1), lunar_days(&[1]), market(MarketCalendar::Lunar, &[0])] {
        assert_eq!(rule.dates(date("2026-01-02"), date("2026-01-01")), []);
        assert_eq!(rule.dates(NaiveDate::MAX, NaiveDate::MAX), []);
        assert_eq!(rule.dates(NaiveDate::MIN, NaiveDate::MAX), []);
        assert!(rule.dates(date("1899-01-01"), date("1900-02-28")).iter().all(|day| day.year() == 1900));
        assert!(rule.dates(date("2999-10-01"), NaiveDate::MAX).iter().all(|day| day.year() == 2999));
    }
    assert_eq!(every_day.dates(date("2020-01-01"), NaiveDate::MAX).len(), LONGEST_WINDOW_DAYS);
    assert_eq!(lunar::of(NaiveDate::MIN), None);
    assert_eq!(lunar::of(NaiveDate::MAX), None);
}

#[test]
fn rules_that_cannot_be_meant_are_refused() {
    let fault = |rule: Recurrence| rule.check().map_err(|fault| (fault.at, fault.code)).unwrap_err();
    let told = |at: &str, code| (at.to_owned(), code);
    for rule in [
        monthly(&[5, 15, 25]),
        weekly(&[1, 2, 3, 4, 5, 6, 7]),
        nth(-1, 7),
        nth(4, 1),
        lunar_days(&[1, 15, 30]),
        market(MarketCalendar::Solar, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ] {
        assert_eq!(rule.check(), Ok(()));
    }
    assert_eq!(fault(monthly(&[])), told("days", "empty"));
    assert_eq!(fault(monthly(&[1; 32])), told("days", "too_many"));
    assert_eq!(fault(monthly(&[1, 32])), told("days/1", "out_of_range"));
    assert_eq!(fault(weekly(&[0])), told("weekdays/0", "out_of_range"));
    assert_eq!(fault(weekly(&[3, 4, 3])), told("weekdays/2", "duplicate"));
    for wrong in [0, 5, -2, i8::MIN, i8::MAX] {
        assert_eq!(fault(nth(wrong, 1)), told("nth", "out_of_range"));
    }
    assert_eq!(fault(nth(1, 0)), told("weekday", "out_of_range"));
    assert_eq!(fault(nth(1, 8)), told("weekday", "out_of_range"));
    assert_eq!(fault(lunar_days(&[31])), told("days/0", "out_of_range"));
    assert_eq!(fault(market(MarketCalendar::Lunar, &[10])), told("digits/0", "out_of_range"));
}

/// What was stored before a check was there must not stop the others: it falls on no day, or on those it names.
#[test]
fn rules_that_should_have_been_refused_do_no_harm() {
    let (from, to) = (date("2026-01-01"), date("2026-12-31"));
    for rule in [monthly(&[0, 255]), weekly(&[0, 9]), nth(0, 1), nth(9, 9), lunar_days(&[0, 99]), monthly(&[])] {
        assert_eq!(rule.dates(from, to), [], "{rule:?}");
    }
}

#[test]
fn the_wire_form_is_tagged_and_strict() {
    let read = |value| serde_json::from_value::<Recurrence>(value);
    assert_eq!(read(json!({"kind": "monthly_days", "days": [5, 15, 25]})).unwrap(), monthly(&[5, 15, 25]));
    assert_eq!(serde_json::to_value(weekly(&[6])).unwrap(), json!({"kind": "weekly", "weekdays": [6]}));
    assert_eq!(read(json!({"kind": "nth_weekday", "nth": -1, "weekday": 5})).unwrap(), nth(-1, 5));
    assert_eq!(read(json!({"kind": "lunar_days", "days": [1, 15]})).unwrap(), lunar_days(&[1, 15]));
    let solar = json!({"kind": "market_days", "calendar": "solar", "digits": [1, 4, 7]});
    assert_eq!(read(solar).unwrap(), market(MarketCalendar::Solar, &[1, 4, 7]));
    assert!(read(json!({"kind": "market_days", "digits": [1]})).is_err());
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
    let names: Vec<&str> = kinds.iter().map(|kind| kind["properties"]["kind"]["enum"][0].as_str().unwrap()).collect();
    assert_eq!(names, ["monthly_days", "weekly", "nth_weekday", "lunar_days", "market_days"]);
    assert_eq!(kinds[1]["properties"]["weekdays"]["type"], json!("array"));
}

#[test]
fn too_many_exceptions_and_a_move_to_nowhere_are_refused() {
    let skip = Exception::Skip { date: date("2026-10-05") };
    assert_eq!(check_exceptions(&[skip; 201]), Err(ExceptionFault::TooMany));
    let nowhere = [skip, Exception::Move { date: date("2026-10-15"), to: date("2026-10-15") }];
    assert_eq!(check_exceptions(&nowhere), Err(ExceptionFault::MovedNowhere { index: 1 }));
    assert_eq!(check_exceptions(&nowhere[..1]), Ok(()));
}
