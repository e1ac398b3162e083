//! Clocks of a case: how long what may take, when it is due, when silence acts, when a light turns. Pure.
//!
//! Days count from the day after acceptance and move on from a day off (民法典 201, 203; 行政许可法 82). The numbers are
//! those of the place ([`crate::settings`]), the working days those of its calendar ([`crate::calendar`]).
//! Next: [`super::explain`] for "why this day?".

use chrono::{NaiveDate, TimeDelta};
use entity::{
    Instant,
    case::{self, CaseConcern, CaseKind, CaseRequest, CaseState, CaseUrgency},
};

use super::workflow;
use crate::{
    calendar::{Calendar, Due, Span, deadline, desk},
    clock::local_day,
    settings::{Clocks, Term, Terms},
};

/// Working days that order the lists where an item promises nothing (行政许可法 42: twenty).
const WHERE_NOTHING_IS_PROMISED: u32 = 20;
/// Working days left at which somebody who has to bring papers is reminded.
const SUPPLEMENT_REMINDERS: [u32; 2] = [5, 1];
/// The longest limit that is short: its light turns yellow later.
pub const SHORT: u32 = 5;

/// When and by which numbers and calendar.
#[derive(Clone, Copy)]
pub struct Reckoning<'a> {
    /// Now.
    pub now: Instant,
    /// What holds in the place of the case.
    pub clocks: &'a Clocks,
}

impl Reckoning<'_> {
    /// The local day of now.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        local_day(self.now)
    }

    fn calendar(&self) -> &Calendar {
        &self.clocks.calendar
    }

    /// The day so many working days after `from`.
    #[must_use]
    pub fn working_day(&self, from: NaiveDate, days: u32) -> NaiveDate {
        self.calendar().add_working_days(from, days).on
    }

    /// The end of a number of working days that begin now, at close of business.
    #[must_use]
    pub fn in_working_days(&self, term: Term) -> Instant {
        self.from(self.now, Span::WorkingDays(self.clocks.terms.get(term)))
    }

    fn from(&self, start: Instant, span: Span) -> Instant {
        deadline(self.calendar(), self.clocks.terms.hours, start, span).0
    }
}

/// Working days promised for a case without an item of its own limit.
#[must_use]
pub fn promised_days(terms: &Terms, kind: CaseKind, concern: Option<CaseConcern>) -> Option<u32> {
    let term = match (kind, concern) {
        (CaseKind::Voice, Some(CaseConcern::Question)) => Term::QuestionDays,
        (CaseKind::Voice, Some(CaseConcern::Help | CaseConcern::Suggestion)) => Term::HelpDays,
        (CaseKind::Voice, Some(CaseConcern::Complaint | CaseConcern::Report)) => Term::ComplaintDays,
        (CaseKind::Talk, _) => Term::TalkDays,
        _ => return None,
    };
    Some(terms.get(term))
}

/// What was said on a talk day is answered by the next one, where that comes before the promised days are over: then the
/// working days until it, a day off moving on.
#[must_use]
pub fn days_to_the_next_talk(calendar: &Calendar, case: &case::Model, accepted_on: NaiveDate) -> Option<u32> {
    let on = case.next_talk_on.filter(|on| *on > accepted_on)?;
    let days = calendar.working_days_between(accepted_on, on) + u32::from(!calendar.is_working(on));
    (days < limit(case)).then_some(days)
}

/// Due dates of an accepted case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueDates {
    /// What was promised.
    pub promised: Option<NaiveDate>,
    /// What the law allows.
    pub statutory: Option<NaiveDate>,
    /// The day that orders the lists.
    pub order: NaiveDate,
    /// A year without a published calendar was counted.
    pub provisional: bool,
}

/// Due dates of a case accepted on a day: its limits, the working days by which pauses and an extension moved them, and
/// what a reopening gave at least.
#[must_use]
pub fn due_dates(clocks: &Clocks, case: &case::Model, accepted_on: NaiveDate) -> DueDates {
    let count = |days: i32| u32::try_from(days).unwrap_or(0);
    let (paused, extended) = (count(case.paused_days), count(case.extended_days));
    let least = case.reopened_on.map(|on| clocks.calendar.add_working_days(on, clocks.terms.get(Term::ReopenedDays)));
    // The limit first, and from its last day what moved it: a limit of no days may begin on a day off.
    let moved = |limit: u32, by: u32| {
        let first = clocks.calendar.add_working_days(accepted_on, limit);
        let due = clocks.calendar.add_working_days(first.on, by);
        Due { provisional: first.provisional || due.provisional, ..due }
    };
    let at_least = |due: Due| match least {
        Some(least) if least.on > due.on => least,
        _ => due,
    };
    let sooner = days_to_the_next_talk(&clocks.calendar, case, accepted_on);
    let promised = case.promised_days.map(|days| at_least(moved(sooner.unwrap_or(count(days)), paused + extended)));
    // What the law allows is moved by pauses alone.
    let statutory = case.statutory_days.map(|days| moved(count(days), paused));
    let otherwise = || at_least(moved(limit(case), paused + extended));
    let order = promised.or_else(|| statutory.map(at_least)).unwrap_or_else(otherwise);
    DueDates {
        promised: promised.map(|due| due.on),
        statutory: statutory.map(|due| due.on),
        order: order.on,
        provisional: [promised, statutory].iter().flatten().any(|due| due.provisional) || order.provisional,
    }
}

/// The limit that lights and extensions go by: what was promised, else what the law allows.
#[must_use]
pub fn limit(case: &case::Model) -> u32 {
    limit_of(case.promised_days, case.statutory_days)
}

/// The same, of the two limits.
#[must_use]
pub fn limit_of(promised_days: Option<i32>, statutory_days: Option<i32>) -> u32 {
    let days = promised_days.or(statutory_days).and_then(|days| u32::try_from(days).ok());
    days.unwrap_or(WHERE_NOTHING_IS_PROMISED)
}

/// When time acts in the state the case is in, looking ahead from now; `None` where it waits for somebody for ever.
///
/// What is past is not looked at again: after a reminder this is the next one, or nothing.
#[must_use]
pub fn step_due_at(case: &case::Model, reckoning: Reckoning<'_>) -> Option<Instant> {
    let terms = &reckoning.clocks.terms;
    let ahead = |at: &Instant| *at > reckoning.now;
    let days = |term| reckoning.from(case.since_at, Span::WorkingDays(terms.get(term)));
    match case.state {
        CaseState::Submitted => Some(days(Term::AcceptDays)),
        CaseState::Supplement => case.until_on.map(|until| supplement_steps(until, reckoning)),
        CaseState::Rejected if case.pending == Some(CaseRequest::Objection) => {
            Some(reckoning.from(case.updated_at, Span::WorkingDays(terms.get(Term::ObjectionDays)))).filter(ahead)
        }
        CaseState::Accepted => {
            Some(reckoning.from(case.since_at, Span::DeskHours(terms.get(Term::DispatchHours)))).filter(ahead)
        }
        CaseState::Assigned => match case.until_on {
            Some(until) => Some(desk::closing_of(terms.hours, until)),
            None => Some(days(Term::SignDays)),
        },
        CaseState::InProgress => {
            let contact = case.contact_due_at.filter(|_| case.contacted_at.is_none());
            [contact, case.papers_due_at].into_iter().flatten().filter(ahead).min()
        }
        CaseState::Paused => case.until_on.map(|until| desk::opening_of(terms.hours, until)),
        CaseState::Answered => Some(days(Term::ConfirmDays)),
        CaseState::Completed => Some(case.since_at + TimeDelta::days(terms.get(Term::ArchiveDays).into())),
        _ => None,
    }
}

/// The next reminder of somebody who has to bring papers, or the end of their time.
fn supplement_steps(until: NaiveDate, reckoning: Reckoning<'_>) -> Instant {
    let hours = reckoning.clocks.terms.hours;
    let reminders = SUPPLEMENT_REMINDERS.map(|left| {
        let day = reckoning.calendar().days_before(until, left);
        // On the day itself, not on the days off before it.
        desk::opening_of(hours, reckoning.working_day(day, 0))
    });
    let next = reminders.into_iter().filter(|at| *at > reckoning.now).min();
    next.unwrap_or_else(|| desk::closing_of(hours, until))
}

/// When the villager is to be spoken to: a working day after signing, when it is urgent half an hour of desk time.
#[must_use]
pub fn contact_due_at(case: &case::Model, reckoning: Reckoning<'_>) -> Instant {
    let terms = &reckoning.clocks.terms;
    let span = match case.urgency {
        CaseUrgency::Urgent => Span::DeskMinutes(terms.get(Term::UrgentContactMinutes)),
        CaseUrgency::Normal => Span::WorkingDays(terms.get(Term::ContactDays)),
    };
    reckoning.from(reckoning.now, span)
}

/// Steps of supervision by time, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alarm {
    /// 黄灯: soon due.
    Yellow = 1,
    /// 红灯: overdue, for the head of the unit.
    Overdue = 2,
    /// For the township's leader.
    Township = 3,
    /// On the county's list.
    County = 4,
}

impl Alarm {
    const ALL: [Self; 4] = [Self::Yellow, Self::Overdue, Self::Township, Self::County];

    /// The one of this number.
    #[must_use]
    pub fn of(step: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|alarm| *alarm as i32 == step)
    }

    /// The one after the last that fired, while the clock runs: which, and when it comes.
    ///
    /// Each comes at the opening of a desk: yellow when the light turns, overdue on the first working day after the due
    /// day, the others when so many whole working days have passed since. Nothing anybody writes puts them off.
    #[must_use]
    pub fn next(case: &case::Model, clocks: &Clocks) -> Option<(Self, Instant)> {
        if !workflow::clock_runs(case.state) {
            return None;
        }
        let accepted_on = case.accepted_on?;
        let at = |day: NaiveDate| desk::opening_of(clocks.terms.hours, day);
        let after_due = |days: u32| clocks.calendar.add_working_days(case.due_on, 1 + days).on;
        for alarm in Self::ALL.into_iter().filter(|alarm| *alarm as i32 > case.alarm_step) {
            let day = match alarm {
                Self::Yellow => {
                    let first = clocks.calendar.days_before(case.due_on, warns_at(&clocks.terms, limit(case)));
                    let first = clocks.calendar.add_working_days(first, 0).on;
                    // The day it was accepted everybody has just looked at it.
                    first.max(clocks.calendar.add_working_days(accepted_on, 1).on)
                }
                Self::Overdue => after_due(0),
                Self::Township => after_due(clocks.terms.get(Term::TownshipAfter)),
                Self::County => after_due(clocks.terms.get(Term::CountyAfter)),
            };
            if alarm != Self::Yellow || day <= case.due_on {
                return Some((alarm, at(day)));
            }
        }
        None
    }
}

fn warns_at(terms: &Terms, limit: u32) -> u32 {
    terms.get(if limit <= SHORT { Term::YellowShort } else { Term::YellowLong })
}

/// The last due day whose light is yellow today, of a short limit and of a longer one.
#[must_use]
pub fn yellow_until(clocks: &Clocks, today: NaiveDate) -> [NaiveDate; 2] {
    [SHORT, SHORT + 1].map(|limit| {
        let warns = warns_at(&clocks.terms, limit);
        // Days off before the next working day have no fewer working days left.
        let next = clocks.calendar.add_working_days(today, warns + 1).on;
        next.pred_opt().unwrap_or(next)
    })
}

/// How near the due day is: 黄灯 at 1 working day left (limit up to 5) or 3 left (longer), 红灯 when past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DueLight {
    /// Time enough.
    Green,
    /// Soon due.
    Yellow,
    /// Overdue.
    Red,
}

/// The light of an open case on a day.
#[must_use]
pub fn light(clocks: &Clocks, today: NaiveDate, due_on: NaiveDate, limit: u32) -> DueLight {
    if today > due_on {
        DueLight::Red
    } else if clocks.calendar.working_days_between(today, due_on) <= warns_at(&clocks.terms, limit) {
        DueLight::Yellow
    } else {
        DueLight::Green
    }
}

#[cfg(test)]
mod tests;
