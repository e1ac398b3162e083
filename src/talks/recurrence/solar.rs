//! The kinds that RFC 5545 can say, reckoned by `rrule` in Asia/Shanghai.
//!
//! Each question starts at the beginning of the period (month or week) that its first day lies in, so that the answer
//! does not depend on that day. Noon stands for the day: no clock of China was ever put forward or back at noon.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Weekday};
use rrule::{Frequency, NWeekday, RRule, Tz, Unvalidated};

/// More than the days of the longest window, which is what one answer can hold at most.
const MOST: u16 = 5_000;

/// Days of the month that are among these.
pub(super) fn days_of_month(days: &[u8], from: NaiveDate, to: NaiveDate) -> Vec<NaiveDate> {
    let days: Vec<i8> = days.iter().filter_map(|day| i8::try_from(*day).ok()).filter(|day| *day > 0).collect();
    // To RFC 5545 no day means that of the start.
    if days.is_empty() {
        return vec![];
    }
    monthly(RRule::new(Frequency::Monthly).by_month_day(days), from, to)
}

/// Days whose weekday (1 is Monday) is among these.
pub(super) fn weekdays(weekdays: &[u8], from: NaiveDate, to: NaiveDate) -> Vec<NaiveDate> {
    let weekdays: Vec<NWeekday> = weekdays.iter().filter_map(|number| weekday(*number)).map(NWeekday::Every).collect();
    if weekdays.is_empty() {
        return vec![];
    }
    let monday = from.checked_sub_days(Days::new(u64::from(from.weekday().num_days_from_monday())));
    let rule = RRule::new(Frequency::Weekly).week_start(Weekday::Mon).by_weekday(weekdays);
    reckon(rule, monday.unwrap_or(from), from, to)
}

/// The `nth` of a weekday in each month; -1 is the last.
pub(super) fn nth_weekday(nth: i8, number: u8, from: NaiveDate, to: NaiveDate) -> Vec<NaiveDate> {
    let Some(weekday) = weekday(number).filter(|_| nth != 0) else { return vec![] };
    monthly(RRule::new(Frequency::Monthly).by_weekday(vec![NWeekday::Nth(i16::from(nth), weekday)]), from, to)
}

fn weekday(number: u8) -> Option<Weekday> {
    Weekday::try_from(number.checked_sub(1)?).ok()
}

fn monthly(rule: RRule<Unvalidated>, from: NaiveDate, to: NaiveDate) -> Vec<NaiveDate> {
    reckon(rule, from.with_day(1).unwrap_or(from), from, to)
}

/// The days of a rule from `from` to `to`, reckoned from `start` on. A rule that the library refuses falls on no day:
/// its numbers were checked before it was kept.
fn reckon(rule: RRule<Unvalidated>, start: NaiveDate, from: NaiveDate, to: NaiveDate) -> Vec<NaiveDate> {
    let (Some(start), Some(end)) = (noon(start), noon(to)) else { return vec![] };
    let Ok(set) = rule.until(end.with_timezone(&Tz::UTC)).build(start) else { return vec![] };
    let days = set.all(MOST).dates.into_iter().map(|at| at.date_naive());
    days.filter(|date| (from..=to).contains(date)).collect()
}

fn noon(date: NaiveDate) -> Option<DateTime<Tz>> {
    Tz::Asia__Shanghai.from_local_datetime(&date.and_time(NaiveTime::from_hms_opt(12, 0, 0)?)).earliest()
}
