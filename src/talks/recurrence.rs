//! Rules that make talk days: which days they fall on, and the days that are exceptions.
//!
//! A rule is a sentence about a single day ("is this day one of mine?"): the answer for a day never depends on the
//! window it was asked in, so a day made weeks ahead and one made late cannot differ. What RFC 5545 can say is reckoned
//! by `rrule` ([`solar`]), the rest by the lunar calendar ([`lunar`]). All days are local days. Next: [`super::sittings`].

pub mod exceptions;
pub mod lunar;
mod solar;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use exceptions::{Exception, ExceptionFault, MOST_EXCEPTIONS, check_exceptions};

/// The most days one question may span (ten years); what lies beyond is not answered.
pub const LONGEST_WINDOW_DAYS: usize = 3_660;
/// The years in which days are reckoned: beyond them no rule falls on any day.
pub const FIRST_YEAR: i32 = 1900;
/// The last of those years.
pub const LAST_YEAR: i32 = 2999;

/// Which day of the month counts on a market day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MarketCalendar {
    /// That of the Gregorian month.
    Solar,
    /// That of the lunar month.
    Lunar,
}

/// Which days a rule falls on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Recurrence {
    /// Days of the month, such as the 5th, 15th and 25th. A day that a month lacks is skipped.
    MonthlyDays {
        /// 1 to 31, each once.
        #[schema(min_items = 1, max_items = 31)]
        days: Vec<u8>,
    },
    /// Days of the week.
    Weekly {
        /// ISO 8601: 1 is Monday, 7 is Sunday, each once.
        #[schema(min_items = 1, max_items = 7)]
        weekdays: Vec<u8>,
    },
    /// The first to fourth, or the last, of a weekday in each month, such as the second Tuesday.
    NthWeekday {
        /// 1 to 4, or -1 for the last.
        #[schema(minimum = -1, maximum = 4)]
        nth: i8,
        /// ISO 8601: 1 is Monday, 7 is Sunday.
        #[schema(minimum = 1, maximum = 7)]
        weekday: u8,
    },
    /// Days of the lunar month, such as 初一 and 十五, in leap months too. The 30th is skipped where a month has 29.
    LunarDays {
        /// 1 to 30, each once.
        #[schema(min_items = 1, max_items = 30)]
        days: Vec<u8>,
    },
    /// Market days (逢场): every day of the month that ends in one of these digits, so 1 is the 1st, 11th, 21st and 31st.
    MarketDays {
        /// Whose day of the month.
        calendar: MarketCalendar,
        /// 0 to 9, each once; 0 is the 10th, 20th and 30th (初十、二十、三十).
        #[schema(min_items = 1, max_items = 10)]
        digits: Vec<u8>,
    },
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecurrenceFault {
    /// The field, and from 0 the place in it when one number is meant: `days`, `days/2`.
    pub at: String,
    /// The stable slug: `empty`, `too_many`, `out_of_range`, `duplicate`.
    pub code: &'static str,
}

impl Recurrence {
    /// Whether the rule can be meant: its numbers exist, are in range and stand there once.
    pub fn check(&self) -> Result<(), RecurrenceFault> {
        match self {
            Self::MonthlyDays { days } => check_numbers("days", days, 1, 31),
            Self::Weekly { weekdays } => check_numbers("weekdays", weekdays, 1, 7),
            Self::NthWeekday { nth, .. } if !matches!(nth, -1 | 1..=4) => Err(fault("nth", "out_of_range")),
            Self::NthWeekday { weekday, .. } if !(1..=7).contains(weekday) => Err(fault("weekday", "out_of_range")),
            Self::NthWeekday { .. } => Ok(()),
            Self::LunarDays { days } => check_numbers("days", days, 1, 30),
            Self::MarketDays { digits, .. } => check_numbers("digits", digits, 0, 9),
        }
    }

    /// Whether the rule falls on this day.
    #[must_use]
    pub fn falls_on(&self, date: NaiveDate) -> bool {
        !self.dates(date, date).is_empty()
    }

    /// The days from `from` to `to`, both included, that the rule falls on, in order; at most ten years of them, and
    /// none outside [`FIRST_YEAR`] to [`LAST_YEAR`].
    #[must_use]
    pub fn dates(&self, from: NaiveDate, to: NaiveDate) -> Vec<NaiveDate> {
        let Some((from, to)) = reckonable(from, to) else { return vec![] };
        match self {
            Self::MonthlyDays { days } => solar::days_of_month(days, from, to),
            Self::Weekly { weekdays } => solar::weekdays(weekdays, from, to),
            Self::NthWeekday { nth, weekday } => solar::nth_weekday(*nth, *weekday, from, to),
            Self::LunarDays { days } => lunar_days(from, to, |day| days.contains(&day)),
            Self::MarketDays { calendar: MarketCalendar::Solar, digits } => {
                let days: Vec<u8> = (1..=31).filter(|day| digits.contains(&(day % 10))).collect();
                solar::days_of_month(&days, from, to)
            }
            Self::MarketDays { calendar: MarketCalendar::Lunar, digits } => {
                lunar_days(from, to, |day| digits.contains(&(day % 10)))
            }
        }
    }
}

fn lunar_days(from: NaiveDate, to: NaiveDate, wanted: impl Fn(u8) -> bool) -> Vec<NaiveDate> {
    lunar::days(from, to).into_iter().filter(|(_, lunar)| wanted(lunar.day)).map(|(date, _)| date).collect()
}

/// The part of a window that is answered; `None` when nothing of it is.
fn reckonable(from: NaiveDate, to: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    // Where the window is cut depends on its beginning alone, or a longer question would get a shorter answer.
    let longest = Days::new(u64::try_from(LONGEST_WINDOW_DAYS).ok()? - 1);
    let to = to.min(from.checked_add_days(longest).unwrap_or(NaiveDate::MAX));
    let from = from.max(NaiveDate::from_ymd_opt(FIRST_YEAR, 1, 1)?);
    let to = to.min(NaiveDate::from_ymd_opt(LAST_YEAR, 12, 31)?);
    (from <= to).then_some((from, to))
}

/// Whether days of this year are reckoned.
#[must_use]
pub fn reckons(date: NaiveDate) -> bool {
    (FIRST_YEAR..=LAST_YEAR).contains(&date.year())
}

fn fault(at: impl Into<String>, code: &'static str) -> RecurrenceFault {
    RecurrenceFault { at: at.into(), code }
}

fn check_numbers(field: &str, numbers: &[u8], least: u8, most: u8) -> Result<(), RecurrenceFault> {
    if numbers.is_empty() {
        return Err(fault(field, "empty"));
    }
    if numbers.len() > usize::from(most - least) + 1 {
        return Err(fault(field, "too_many"));
    }
    let mut seen = BTreeSet::new();
    for (index, number) in numbers.iter().enumerate() {
        if !(least..=most).contains(number) {
            return Err(fault(format!("{field}/{index}"), "out_of_range"));
        }
        if !seen.insert(number) {
            return Err(fault(format!("{field}/{index}"), "duplicate"));
        }
    }
    Ok(())
}
