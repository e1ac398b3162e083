//! One case as it stood at the end of a period, and what happened to it in the period: from its events alone. Pure.

use chrono::NaiveDate;
use entity::{
    Instant,
    case::{CaseKind, CaseResult, CaseState, CaseUrgency},
    case_event::EventBy,
    id::{CaseId, DivisionId, UnitId},
};

use super::{measure::Ruler, periods::Span, tally::Tally};
use crate::{
    cases::{
        rates,
        sla::DueLight,
        workflow::{self, Action},
    },
    clock::local_day,
};

/// What was filed: it never changes.
#[derive(Clone, Debug)]
pub(super) struct Filed {
    pub(super) id: CaseId,
    pub(super) number: String,
    pub(super) kind: CaseKind,
    pub(super) topic: Option<String>,
    pub(super) urgency: CaseUrgency,
    pub(super) village: DivisionId,
    /// Working days that lights go by.
    pub(super) limit: u32,
}

/// An event, as far as reports ask.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) at: Instant,
    pub(super) action: String,
    pub(super) to: CaseState,
    pub(super) by: EventBy,
    pub(super) unit: UnitId,
    pub(super) result: Option<CaseResult>,
    pub(super) promised_due_on: Option<NaiveDate>,
    pub(super) statutory_due_on: Option<NaiveDate>,
}

/// A review: when it was given, its stars, when an appeal took it out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rating {
    pub(super) at: Instant,
    pub(super) stars: i32,
    pub(super) excluded_at: Option<Instant>,
}

/// A call-back that was made, and what was said.
#[derive(Clone, Debug)]
pub(super) struct Called {
    pub(super) at: Instant,
    pub(super) result: String,
}

/// All that is known of a case.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) filed: Filed,
    /// The oldest first.
    pub(super) events: Vec<Event>,
    pub(super) ratings: Vec<Rating>,
    pub(super) calls: Vec<Called>,
}

/// A case at the end of a period.
#[derive(Clone, Debug)]
pub(super) struct AtTheEnd {
    pub(super) state: CaseState,
    pub(super) unit: UnitId,
    pub(super) filed_on: NaiveDate,
    pub(super) promised_due_on: Option<NaiveDate>,
    pub(super) statutory_due_on: Option<NaiveDate>,
    pub(super) answered_on: Option<NaiveDate>,
    pub(super) result: Option<CaseResult>,
    pub(super) confirmed: Option<bool>,
    pub(super) closed_on: Option<NaiveDate>,
    /// Working days: of one that runs until the end of the period, of one that was answered until the answer.
    pub(super) overdue_days: u32,
    pub(super) light: Option<DueLight>,
}

/// What a period made of a case.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// It was open at some moment of the period.
    pub(super) touched: bool,
    pub(super) tally: Tally,
    pub(super) end: AtTheEnd,
}

/// A case that is played again.
struct Played<'a> {
    life: &'a Life,
    span: Span,
    ruler: &'a Ruler,
    tally: Tally,
    state: CaseState,
    touched: bool,
    closed_at: Option<Instant>,
    answered_at: Option<Instant>,
    answer_due_on: Option<NaiveDate>,
    result: Option<CaseResult>,
    confirmed: Option<bool>,
    contact_due_at: Option<Instant>,
    contacted_at: Option<Instant>,
    asked_for_papers: u32,
}

/// Plays a case up to the end of a period; nothing when it was not filed by then.
pub(super) fn read(life: &Life, span: Span, ruler: &Ruler) -> Option<Facts> {
    let first = life.events.first().filter(|event| event.at < span.until)?;
    let mut played = Played {
        life,
        span,
        ruler,
        tally: Tally::default(),
        state: first.to,
        touched: span.holds(first.at),
        closed_at: None,
        answered_at: None,
        answer_due_on: None,
        result: None,
        confirmed: None,
        contact_due_at: None,
        contacted_at: None,
        asked_for_papers: 0,
    };
    played.tally.filed += i64::from(span.holds(first.at));
    let mut last = first;
    for event in life.events.iter().skip(1).take_while(|event| event.at < span.until) {
        played.take(event);
        last = event;
    }
    Some(played.end(first, last))
}

impl Played<'_> {
    fn take(&mut self, event: &Event) {
        if event.to != self.state {
            self.touched |= !workflow::is_closed(self.state) && event.at > self.span.from;
            self.closed_at = workflow::is_closed(event.to).then_some(self.closed_at.unwrap_or(event.at));
            self.state = event.to;
        }
        let Some(action) = Action::ALL.iter().find(|action| action.slug() == event.action) else { return };
        match action {
            Action::Answer => {
                (self.answered_at, self.result) = (Some(event.at), event.result);
                self.answer_due_on = event.promised_due_on.or(event.statutory_due_on);
            }
            Action::Confirm => self.confirmed = Some(matches!(event.by, EventBy::Villager | EventBy::Agent)),
            Action::Reopen | Action::ReopenByOrder => {
                (self.answered_at, self.result, self.confirmed) = (None, None, None);
            }
            Action::Contact => self.contacted_at = self.contacted_at.or(Some(event.at)),
            Action::Sign if self.contacted_at.is_none() && self.contact_due_at.is_none() => {
                self.contact_due_at = Some(self.ruler.contact_due_at(self.life.filed.urgency, event.at));
            }
            _ => {}
        }
        if self.span.holds(event.at) {
            self.count(*action, event);
        }
    }

    fn count(&mut self, action: Action, event: &Event) {
        let (tally, happened) = (&mut self.tally.steps, &mut self.tally.happened);
        match action {
            Action::Answer => happened.answer(local_day(event.at), self.answer_due_on, &self.ruler.calendar),
            Action::Reopen => happened.objected += 1,
            Action::Assign | Action::Transfer => happened.assigned += 1,
            Action::Escalate => {
                happened.assigned += 1;
                tally.escalated += 1;
            }
            Action::Return => happened.returned += 1,
            Action::Supervise => tally.supervised += 1,
            Action::Reject => tally.rejected += 1,
            Action::Withdraw => tally.withdrawn += 1,
            Action::Lapse => tally.lapsed += 1,
            Action::Merge => tally.merged += 1,
            Action::RequestSupplement | Action::Approve if event.to == CaseState::Supplement => {
                self.asked_for_papers += 1;
            }
            _ => {}
        }
    }

    fn end(mut self, first: &Event, last: &Event) -> Facts {
        let (span, ruler) = (self.span, self.ruler);
        self.touched |= !workflow::is_closed(self.state);
        self.say();
        let due_on = last.promised_due_on.or(last.statutory_due_on);
        let runs = workflow::clock_runs(self.state);
        let late_by =
            |due: Option<NaiveDate>, on: NaiveDate| due.map_or(0, |due| ruler.calendar.working_days_between(due, on));
        let answered_on = self.answered_at.map(local_day);
        let overdue_days = match answered_on {
            _ if runs => late_by(due_on, span.last_day),
            Some(on) => late_by(self.answer_due_on, on),
            None => 0,
        };
        self.tally.cases = i64::from(self.touched);
        self.tally.open_at_end = i64::from(!workflow::is_closed(self.state));
        self.tally.overdue_at_end = i64::from(runs && due_on.is_some_and(|due| due < span.last_day));
        let light = due_on.filter(|_| runs).map(|due| ruler.light(span.last_day, due, self.life.filed.limit));
        Facts {
            touched: self.touched,
            tally: self.tally,
            end: AtTheEnd {
                state: self.state,
                unit: last.unit,
                filed_on: local_day(first.at),
                promised_due_on: last.promised_due_on,
                statutory_due_on: last.statutory_due_on,
                answered_on,
                result: self.result,
                confirmed: self.confirmed,
                closed_on: self.closed_at.map(local_day),
                overdue_days,
                light,
            },
        }
    }

    /// What the villager said, or did not say, in the period.
    fn say(&mut self) {
        let (span, happened) = (self.span, &mut self.tally.happened);
        if let Some(due) = self.contact_due_at.filter(|due| span.holds(*due)) {
            happened.contacts.count(self.contacted_at.is_some_and(|at| at <= due));
        }
        if self.asked_for_papers > 0 {
            happened.noticed.count(self.asked_for_papers == 1);
        }
        match self.confirmed.filter(|_| self.closed_at.is_some_and(|at| span.holds(at))) {
            Some(true) => happened.confirmed.count(self.result.is_some_and(rates::achieved)),
            Some(false) => happened.silent += 1,
            None => {}
        }
        for rating in self.life.ratings.iter().filter(|rating| span.holds(rating.at)) {
            // What an appeal took out later stood at the end of the period.
            if rating.excluded_at.is_some_and(|at| at < span.until) {
                happened.excluded += 1;
            } else {
                happened.stars.count(rates::content(rating.stars));
            }
        }
        if self.confirmed == Some(false) {
            let said = self.life.calls.iter().filter(|call| span.holds(call.at));
            for solved in said.filter_map(|call| rates::said_solved(&call.result)) {
                happened.called_back.count(solved);
            }
        }
    }
}
