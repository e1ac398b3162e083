//! The days on which a rule sits: its recurrence, then its holiday policy, then its exceptions, which have the last word.
//!
//! Pure: a rule, a window and the calendar of working days in, dated sittings out. What is asked of a larger window is
//! answered the same for each day of it. Next: [`super::plan`], which compares them with the days that stand.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate, TimeDelta};
use entity::talk_rule::{self, HolidayPolicy};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    recurrence::{self, Exception, ExceptionFault, Recurrence, lunar},
    terms::stored,
};
use crate::{
    calendar::{Calendar, Why},
    problem::Problem,
};

/// Longer than any run of days off: how far back a day may lie that was moved to the next working day.
const LONGEST_REST: usize = 366;

/// Which days a rule names.
#[derive(Clone, Debug, PartialEq)]
pub struct Sittings {
    /// The sentence.
    pub recurrence: Recurrence,
    /// The days on which it is otherwise.
    pub exceptions: Vec<Exception>,
    /// What becomes of its days that are public holidays.
    pub holiday_policy: HolidayPolicy,
}

/// A day on which a rule sits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sitting {
    /// The day.
    pub date: NaiveDate,
    /// The days it stands for: itself, or days off from which it was moved.
    pub stands_for: BTreeSet<NaiveDate>,
    /// The day of the rule that it was moved from, by the policy or by an exception.
    pub moved_from: Option<NaiveDate>,
    /// The policy asks for the calendar, and that of the year is not published yet: the day may still move.
    pub provisional: bool,
}

/// A date of a rule, as it is shown before the rule is saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SittingView {
    /// The day.
    date: NaiveDate,
    /// ISO 8601: 1 is Monday, 7 is Sunday.
    #[schema(minimum = 1, maximum = 7)]
    weekday: u32,
    /// Its lunar day, such as `十月十五` or `闰六月初一`.
    #[schema(example = "十月十五")]
    lunar: String,
    /// The public holiday it is part of.
    holiday: Option<String>,
    /// The day it was moved from, by the holiday policy or by an exception.
    moved_from: Option<NaiveDate>,
    /// The holidays of its year are not published yet, so it may still move.
    provisional: bool,
}

impl SittingView {
    /// As the calendar of working days and the lunar calendar see it.
    #[must_use]
    pub fn of(sitting: &Sitting, calendar: &Calendar) -> Self {
        Self {
            date: sitting.date,
            weekday: sitting.date.weekday().number_from_monday(),
            lunar: lunar::of(sitting.date).map(|day| day.to_string()).unwrap_or_default(),
            holiday: holiday(calendar, sitting.date),
            moved_from: sitting.moved_from,
            provisional: sitting.provisional,
        }
    }
}

impl Sittings {
    /// Checked: 422 with a pointer otherwise.
    pub fn checked(
        recurrence: &Recurrence,
        exceptions: &[Exception],
        holiday_policy: HolidayPolicy,
    ) -> Result<Self, Problem> {
        recurrence.check().map_err(|fault| Problem::field(&format!("/recurrence/{}", fault.at), fault.code))?;
        recurrence::check_exceptions(exceptions).map_err(|fault| {
            let at = match fault {
                ExceptionFault::MovedNowhere { index } => format!("/{index}"),
                ExceptionFault::TooMany => String::new(),
            };
            Problem::field(&format!("/exceptions{at}"), fault.code())
        })?;
        Ok(Self { recurrence: recurrence.clone(), exceptions: exceptions.to_vec(), holiday_policy })
    }

    /// Whether a calendar of working days that is published later can change its days.
    #[must_use]
    pub fn follows_holidays(&self) -> bool {
        self.holiday_policy != HolidayPolicy::Keep
    }

    /// The sittings from `from` to `to`, both included, in order; at most ten years of them.
    #[must_use]
    pub fn within(&self, from: NaiveDate, to: NaiveDate, calendar: &Calendar) -> Vec<Sitting> {
        let mut days = BTreeMap::<NaiveDate, Day>::new();
        for date in self.reaching(from, to, calendar) {
            if let Some(on) = self.after_policy(date, calendar) {
                days.entry(on).or_default().stands_for.insert(date);
            }
        }
        for exception in &self.exceptions {
            except(&mut days, exception);
        }
        let inside = days.into_iter().filter(|(date, _)| (from..=to).contains(date) && recurrence::reckons(*date));
        inside.map(|(date, day)| self.sitting(date, day, calendar)).collect()
    }

    /// The next sittings from a day on, at most so many and none that lies more than ten years ahead.
    #[must_use]
    pub fn next(&self, from: NaiveDate, count: usize, calendar: &Calendar) -> Vec<Sitting> {
        let mut found = Vec::new();
        let mut start = from;
        for _ in 0..10 {
            // A year at a time: most rules are answered by the first.
            let end = start.checked_add_signed(TimeDelta::days(365)).unwrap_or(NaiveDate::MAX);
            found.extend(self.within(start, end, calendar));
            if found.len() >= count {
                break;
            }
            start = end.succ_opt().unwrap_or(NaiveDate::MAX);
        }
        found.truncate(count);
        found
    }

    /// Days of the recurrence that may come to lie in the window: its own, and those of the days off right before it.
    fn reaching(&self, from: NaiveDate, to: NaiveDate, calendar: &Calendar) -> Vec<NaiveDate> {
        let mut days = Vec::new();
        if self.holiday_policy == HolidayPolicy::NextWorkingDay {
            let before = from.iter_days().rev().skip(1).take(LONGEST_REST);
            if let Some(first) = before.take_while(|date| !calendar.is_working(*date)).last() {
                days = self.recurrence.dates(first, from.pred_opt().unwrap_or(from));
            }
        }
        days.extend(self.recurrence.dates(from, to));
        days
    }

    /// Where a day of the recurrence comes to lie.
    fn after_policy(&self, date: NaiveDate, calendar: &Calendar) -> Option<NaiveDate> {
        match self.holiday_policy {
            HolidayPolicy::Skip if holiday(calendar, date).is_some() => None,
            HolidayPolicy::NextWorkingDay if holiday(calendar, date).is_some() => {
                Some(calendar.add_working_days(date, 0).on)
            }
            _ => Some(date),
        }
    }

    fn sitting(&self, date: NaiveDate, day: Day, calendar: &Calendar) -> Sitting {
        let Day { stands_for, moved_by_hand } = day;
        let itself = stands_for.contains(&date) && moved_by_hand.is_none();
        let moved_from = if itself { None } else { moved_by_hand.or(stands_for.first().copied()) };
        let unknown = !calendar.knows(date) || stands_for.iter().any(|day| !calendar.knows(*day));
        Sitting { date, stands_for, moved_from, provisional: self.follows_holidays() && unknown }
    }
}

/// What is known of a day while the exceptions are gone through.
#[derive(Default)]
struct Day {
    stands_for: BTreeSet<NaiveDate>,
    moved_by_hand: Option<NaiveDate>,
}

/// One exception after another; the last word about a day rules.
///
/// A day is left out where it lies and also where the policy has moved it to: whoever takes the 1st out means the
/// sitting of the 1st. A move puts its day in whether or not the rule falls on the day it leaves: that day may lie
/// outside the window, and the answer for a day must not depend on the window it was asked in.
fn except(days: &mut BTreeMap<NaiveDate, Day>, exception: &Exception) {
    match exception {
        Exception::Skip { date } => leave_out(days, *date),
        Exception::Move { date, to } => {
            leave_out(days, *date);
            let there = days.entry(*to).or_default();
            if there.stands_for.is_empty() {
                there.moved_by_hand = Some(*date);
            }
            there.stands_for.insert(*to);
        }
        Exception::Add { date } => {
            days.entry(*date).or_default().stands_for.insert(*date);
        }
    }
}

fn leave_out(days: &mut BTreeMap<NaiveDate, Day>, date: NaiveDate) {
    days.remove(&date);
    days.retain(|_, day| {
        day.stands_for.remove(&date);
        !day.stands_for.is_empty()
    });
}

fn holiday(calendar: &Calendar, date: NaiveDate) -> Option<String> {
    match calendar.day(date).why {
        Why::Holiday { name } => Some(name),
        _ => None,
    }
}

impl TryFrom<&talk_rule::Model> for Sittings {
    type Error = Problem;

    fn try_from(row: &talk_rule::Model) -> Result<Self, Problem> {
        Ok(Self {
            recurrence: stored(&row.recurrence)?,
            exceptions: stored(&row.exceptions)?,
            holiday_policy: row.holiday_policy,
        })
    }
}
