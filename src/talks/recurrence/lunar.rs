//! The lunar calendar (农历, GB/T 33661-2017): which lunar day a day is.
//!
//! The first days of months come from `tyme4rs`, and everything else follows by counting from them. The library panics
//! on days that it does not know; it is asked for months only, of the years that [`super::reckons`] allows.

use std::fmt;

use chrono::{Datelike, NaiveDate};
use tyme4rs::tyme::{
    Tyme,
    lunar::{LUNAR_DAY_NAMES, LUNAR_MONTH_NAMES, LunarMonth},
};

use super::reckons;

/// A day of the lunar calendar. Reads as in `十月十五`, `闰六月初一`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LunarDate {
    /// The Gregorian year in which its new year's day lies.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// The second month of that number in its year.
    pub leap: bool,
    /// 1 to 30.
    pub day: u8,
}

impl fmt::Display for LunarDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |names: &[&'static str], number: u8| names.get(usize::from(number).wrapping_sub(1)).copied();
        let month = named(&LUNAR_MONTH_NAMES, self.month).unwrap_or_default();
        let day = named(&LUNAR_DAY_NAMES, self.day).unwrap_or_default();
        write!(f, "{}{month}{day}", if self.leap { "闰" } else { "" })
    }
}

/// The lunar day of a day; `None` in years that are not reckoned.
#[must_use]
pub fn of(date: NaiveDate) -> Option<LunarDate> {
    days(date, date).first().map(|(_, lunar)| *lunar)
}

/// Each day from `from` to `to`, both included, and its lunar day; nothing when either lies in a year not reckoned.
#[must_use]
pub fn days(from: NaiveDate, to: NaiveDate) -> Vec<(NaiveDate, LunarDate)> {
    let Some(mut month) = before(from).filter(|_| reckons(to)) else { return vec![] };
    let Some(mut first) = first_day(&month) else { return vec![] };
    let mut found = Vec::new();
    while first <= to {
        let next = month.next(1);
        // Months follow each other without a gap, so a library that errs cannot hold this loop for ever.
        let Some(end) = first_day(&next).filter(|end| *end > first) else { return vec![] };
        for (day, date) in (1_u8..=30).zip(first.iter_days()).take_while(|(_, date)| *date < end && *date <= to) {
            if date >= from {
                found.push((date, date_of(&month, day)));
            }
        }
        (month, first) = (next, end);
    }
    found
}

/// A month that began on or before the day, and not long before.
///
/// Lunar month m holds the middle of solar month m + 1 (its 中气 falls on about the 20th) and so has begun before month
/// m + 2 does; leap months come after the month of their number.
fn before(date: NaiveDate) -> Option<LunarMonth> {
    if !reckons(date) {
        return None;
    }
    let (year, month) = match date.month() {
        early @ 1..=2 => (date.year() - 1, early + 10),
        later => (date.year(), later - 2),
    };
    LunarMonth::new(isize::try_from(year).ok()?, isize::try_from(month).ok()?).ok()
}

/// Its day by the Julian day number, which is 1,721,425 more than the count of days of the common era.
#[allow(clippy::cast_possible_truncation, reason = "whole days of the years that are reckoned")]
fn first_day(month: &LunarMonth) -> Option<NaiveDate> {
    let days = month.get_first_julian_day().get_day().round() - 1_721_425.0;
    NaiveDate::from_num_days_from_ce_opt(days as i32)
}

fn date_of(month: &LunarMonth, day: u8) -> LunarDate {
    let year = i32::try_from(month.get_year()).unwrap_or_default();
    LunarDate { year, month: u8::try_from(month.get_month()).unwrap_or_default(), leap: month.is_leap(), day }
}
