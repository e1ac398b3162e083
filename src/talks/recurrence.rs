//! Rules that make talk days: which days they fall on, and the days that are exceptions.
//!
//! A rule is a sentence about a single day ("is this day one of mine?"), so a new kind is one variant, one arm of
//! [`Recurrence::falls_on`] and one of [`Recurrence::numbers`]. All days are local days. Next: [`super::slots`].

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most days one question may span (ten years); what lies beyond is not answered.
pub const LONGEST_WINDOW_DAYS: usize = 3_660;
/// The most exceptions one rule may carry.
pub const MOST_EXCEPTIONS: usize = 200;

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
}

/// What is wrong with a rule. Indexes count from 0, as JSON pointers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecurrenceFault {
    /// It names no day.
    Empty,
    /// It names more days than there are.
    TooMany,
    /// This number is no such day.
    OutOfRange {
        /// Where it stands.
        index: usize,
    },
    /// This number stood there before.
    Duplicate {
        /// Where it stands for the second time.
        index: usize,
    },
}

impl RecurrenceFault {
    /// The stable slug of this fault.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooMany => "too_many",
            Self::OutOfRange { .. } => "out_of_range",
            Self::Duplicate { .. } => "duplicate",
        }
    }

    /// Which number is meant, when it is one.
    #[must_use]
    pub fn index(self) -> Option<usize> {
        match self {
            Self::Empty | Self::TooMany => None,
            Self::OutOfRange { index } | Self::Duplicate { index } => Some(index),
        }
    }
}

impl Recurrence {
    /// Whether the rule can be meant: its numbers exist, are in range and stand there once.
    pub fn check(&self) -> Result<(), RecurrenceFault> {
        let (_, numbers, most) = self.numbers();
        if numbers.is_empty() {
            return Err(RecurrenceFault::Empty);
        }
        if numbers.len() > usize::from(most) {
            return Err(RecurrenceFault::TooMany);
        }
        let mut seen = BTreeSet::new();
        for (index, number) in numbers.iter().enumerate() {
            if !(1..=most).contains(number) {
                return Err(RecurrenceFault::OutOfRange { index });
            }
            if !seen.insert(number) {
                return Err(RecurrenceFault::Duplicate { index });
            }
        }
        Ok(())
    }

    /// The field that holds the rule's numbers, for pointing at a fault.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.numbers().0
    }

    /// Whether the rule falls on this day.
    #[must_use]
    pub fn falls_on(&self, date: NaiveDate) -> bool {
        let among = |numbers: &[u8], number: u32| numbers.iter().any(|n| u32::from(*n) == number);
        match self {
            Self::MonthlyDays { days } => among(days, date.day()),
            Self::Weekly { weekdays } => among(weekdays, date.weekday().number_from_monday()),
        }
    }

    /// The days from `from` to `to`, both included, that the rule falls on, in order; at most ten years of them.
    #[must_use]
    pub fn dates(&self, from: NaiveDate, to: NaiveDate) -> Vec<NaiveDate> {
        let window = from.iter_days().take(LONGEST_WINDOW_DAYS).take_while(|date| *date <= to);
        window.filter(|date| self.falls_on(*date)).collect()
    }

    /// Field, numbers, and the largest of them that exists.
    fn numbers(&self) -> (&'static str, &[u8], u8) {
        match self {
            Self::MonthlyDays { days } => ("days", days, 31),
            Self::Weekly { weekdays } => ("weekdays", weekdays, 7),
        }
    }
}

/// A day on which a rule does something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Exception {
    /// No talk day on this day.
    Skip {
        /// The day left out.
        date: NaiveDate,
    },
    /// On another day instead.
    Move {
        /// The day left out.
        date: NaiveDate,
        /// The day in its place.
        to: NaiveDate,
    },
    /// On this day as well.
    Add {
        /// The day put in.
        date: NaiveDate,
    },
}

/// What is wrong with a list of exceptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExceptionFault {
    /// More than [`MOST_EXCEPTIONS`].
    TooMany,
    /// A day is moved to itself.
    MovedNowhere {
        /// Where the exception stands, from 0.
        index: usize,
    },
}

impl ExceptionFault {
    /// The stable slug of this fault.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TooMany => "too_many",
            Self::MovedNowhere { .. } => "moved_nowhere",
        }
    }
}

/// Whether the exceptions can be meant.
pub fn check_exceptions(exceptions: &[Exception]) -> Result<(), ExceptionFault> {
    if exceptions.len() > MOST_EXCEPTIONS {
        return Err(ExceptionFault::TooMany);
    }
    match exceptions.iter().position(|e| matches!(e, Exception::Move { date, to } if date == to)) {
        Some(index) => Err(ExceptionFault::MovedNowhere { index }),
        None => Ok(()),
    }
}

/// The days of a rule from `from` to `to`, both included, after its exceptions; in order, each once.
///
/// Exceptions act one after another, the last word about a day rules. A move puts its day in whether or not the rule
/// falls on the day it leaves: that day may lie outside the window, and the answer for a day must not depend on the
/// window it was asked in, or making days weeks ahead would make other days than making them late.
#[must_use]
pub fn apply(exceptions: &[Exception], dates: Vec<NaiveDate>, from: NaiveDate, to: NaiveDate) -> Vec<NaiveDate> {
    let mut days: BTreeSet<NaiveDate> = dates.into_iter().collect();
    for exception in exceptions {
        match exception {
            Exception::Skip { date } => {
                days.remove(date);
            }
            Exception::Move { date, to } => {
                days.remove(date);
                days.insert(*to);
            }
            Exception::Add { date } => {
                days.insert(*date);
            }
        }
    }
    days.into_iter().filter(|date| (from..=to).contains(date)).collect()
}
