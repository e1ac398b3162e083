//! Working days, with the public holidays and the make-up working days (调休) that the State Council announces.
//!
//! Every promise to a villager is counted in working days, so what a working day is must be decided in one place and
//! be explainable day by day. Pure: rows in, days out; a year without a notice counts weekends only and says so.
//! Next: [`desk`] for the hours of a day, [`crate::clock`] for instants.

pub mod desk;
pub mod notice;
pub mod period;
mod published;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use desk::{DeskHours, Span, deadline};
pub use notice::{BadRow, parse};
pub use period::Period;
pub use published::{latest, newest, newest_days, publish, publish_in, refresh};

/// The most days one reckoning looks at (a hundred years): a mistyped span ends here instead of spinning.
pub const FARTHEST_DAYS: usize = 36_525;

/// What a notice says about a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    /// A day off, whatever the weekday.
    Holiday,
    /// A make-up working day, usually a Saturday or Sunday.
    Workday,
}

/// One day named by a notice of the State Council.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarRow {
    /// The day.
    pub date: NaiveDate,
    /// Off or on.
    pub kind: DayKind,
    /// The holiday it belongs to, such as 春节.
    pub name: String,
}

/// Why a day is a working day or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Why {
    /// Monday to Friday, and no notice says otherwise.
    Weekday,
    /// Saturday or Sunday, and no notice says otherwise.
    Weekend,
    /// Off by notice.
    Holiday {
        /// The holiday.
        name: String,
    },
    /// On by notice, in exchange for a day of this holiday.
    MakeUp {
        /// The holiday.
        name: String,
    },
}

/// A day as the calendar sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// Whether the desk works.
    pub working: bool,
    /// For what reason.
    pub why: Why,
}

/// The end of a span of working days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The due day.
    pub on: NaiveDate,
    /// A day that was looked at lies in a year without a notice, so the day may still move.
    pub provisional: bool,
}

/// One line of the answer to "why this day?".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExplainedDay {
    /// The day.
    pub date: NaiveDate,
    /// Whether it used up one of the working days.
    pub counted: bool,
    /// Why it is a working day or not.
    pub why: Why,
}

/// The published days off and make-up days, of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    version: String,
    days: BTreeMap<NaiveDate, (DayKind, String)>,
    years: BTreeSet<i32>,
}

impl Calendar {
    /// A calendar of these rows. When a day is named twice the later row rules: a correction follows what it corrects.
    #[must_use]
    pub fn new(version: impl Into<String>, rows: impl IntoIterator<Item = CalendarRow>) -> Self {
        let days: BTreeMap<_, _> = rows.into_iter().map(|row| (row.date, (row.kind, row.name))).collect();
        let years = days.keys().map(Datelike::year).collect();
        Self { version: version.into(), days, years }
    }

    /// This calendar with other days on top: those of a place that works when others rest, or rests when they work.
    #[must_use]
    pub fn with(&self, version: impl Into<String>, rows: impl IntoIterator<Item = CalendarRow>) -> Self {
        let mut days = self.days.clone();
        days.extend(rows.into_iter().map(|row| (row.date, (row.kind, row.name))));
        Self { version: version.into(), days, years: self.years.clone() }
    }

    /// Which edition this is; stored beside every due day that was reckoned with it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The years a notice is known for: those with at least one row.
    pub fn years(&self) -> impl Iterator<Item = i32> + '_ {
        self.years.iter().copied()
    }

    /// Whether a notice is known for the year of this day.
    #[must_use]
    pub fn knows(&self, date: NaiveDate) -> bool {
        self.years.contains(&date.year())
    }

    /// Whether the desk works on this day.
    #[must_use]
    pub fn is_working(&self, date: NaiveDate) -> bool {
        match self.days.get(&date) {
            Some((kind, _)) => *kind == DayKind::Workday,
            None => !is_weekend(date),
        }
    }

    /// This day, with the reason.
    #[must_use]
    pub fn day(&self, date: NaiveDate) -> Day {
        let why = match self.days.get(&date) {
            Some((DayKind::Holiday, name)) => Why::Holiday { name: name.clone() },
            Some((DayKind::Workday, name)) => Why::MakeUp { name: name.clone() },
            None if is_weekend(date) => Why::Weekend,
            None => Why::Weekday,
        };
        Day { working: self.is_working(date), why }
    }

    /// The `n`-th working day after `from`.
    ///
    /// The day itself is not counted (民法典 201: 按照年、月、日计算期间的，开始的当日不计入，自下一日开始计算), and the last day
    /// never falls on a day off (民法典 203). `n = 0` is the same working day, or the next one when `from` is a day off.
    /// Spans of more than [`FARTHEST_DAYS`] end there, provisionally.
    #[must_use]
    pub fn add_working_days(&self, from: NaiveDate, n: u32) -> Due {
        self.walk(from, n, |_, _| ())
    }

    /// Every day from `from` to [`Calendar::add_working_days`]`(from, n)`, both included; exactly `n` are counted.
    #[must_use]
    pub fn explain(&self, from: NaiveDate, n: u32) -> Vec<ExplainedDay> {
        let mut days = Vec::new();
        self.walk(from, n, |date, counted| days.push(ExplainedDay { date, counted, why: self.day(date).why }));
        days
    }

    /// The first day from which at most `left` working days remain until `due`: the day before it more are left.
    #[must_use]
    pub fn days_before(&self, due: NaiveDate, left: u32) -> NaiveDate {
        let mut first = due;
        for _ in 0..FARTHEST_DAYS {
            let Some(before) = first.pred_opt() else { break };
            if self.working_days_between(before, due) > left {
                break;
            }
            first = before;
        }
        first
    }

    /// How many working days lie after `a` up to and including `b`; none when `b` is not after `a`.
    ///
    /// Reckoned from the count of weekdays and the rows in between, so that its cost does not grow with the span.
    #[must_use]
    pub fn working_days_between(&self, a: NaiveDate, b: NaiveDate) -> u32 {
        let (Some(first), true) = (a.succ_opt(), a < b) else { return 0 };
        let by_notice: i64 = self
            .days
            .range(first..=b)
            .map(|(date, (kind, _))| i64::from(*kind == DayKind::Workday) - i64::from(!is_weekend(*date)))
            .sum();
        u32::try_from(weekdays_up_to(b) - weekdays_up_to(a) + by_notice).unwrap_or(0)
    }

    /// Walks from day to day until the span is used up, showing each day and whether it was counted.
    fn walk(&self, from: NaiveDate, n: u32, mut see: impl FnMut(NaiveDate, bool)) -> Due {
        let mut left = n;
        let mut due = Due { on: from, provisional: false };
        for (step, on) in from.iter_days().take(FARTHEST_DAYS).enumerate() {
            due.on = on;
            if step == 0 && n > 0 {
                see(on, false);
                continue;
            }
            due.provisional |= !self.knows(on);
            let working = self.is_working(on);
            let counted = working && left > 0;
            left -= u32::from(counted);
            see(on, counted);
            if working && left == 0 {
                return due;
            }
        }
        Due { provisional: true, ..due }
    }
}

fn is_weekend(date: NaiveDate) -> bool {
    matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

/// The weekdays among the days of the common era up to this one; its first day was a Monday.
fn weekdays_up_to(date: NaiveDate) -> i64 {
    let days = i64::from(date.num_days_from_ce());
    days.div_euclid(7) * 5 + days.rem_euclid(7).min(5)
}
