//! What a step makes of a case. Pure: replaying the events of a case through it yields the case.
//!
//! [`super::advance`] checks who may, calls [`after`], and writes. Next: [`super::sla`] for the clocks.

use chrono::NaiveDate;
use entity::{
    Instant,
    case::{self, CaseRequest, CaseState},
    id::{CaseId, UnitId},
};
use serde::{Deserialize, Serialize};

use super::{
    advance::{Act, By},
    commands::CaseMilestone,
    sla::{self, Alarm, Reckoning},
    workflow::{self, Action, Step, To},
};
use crate::{clock::local_day, settings::Term};

/// What an action says beside reason, text and receiver. Kept with the event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Detail {
    /// Something is asked for.
    Asked {
        /// What.
        request: CaseRequest,
        /// Of which unit.
        unit: UnitId,
        /// Of a pause: its last day.
        until: Option<NaiveDate>,
        /// Of an extension.
        working_days: Option<i32>,
    },
    /// What was asked for is decided.
    Decided {
        /// What.
        request: CaseRequest,
        /// Approved, or upheld.
        granted: bool,
        /// As it was asked for.
        until: Option<NaiveDate>,
        /// As it was asked for.
        working_days: Option<i32>,
    },
    /// Work goes to somebody.
    To {
        /// The township named the unit.
        lock: bool,
        /// By when it is to be signed, where that is not the usual time.
        sign_by: Option<NaiveDate>,
    },
    /// A second reopening goes to this unit.
    Again {
        /// The township's.
        unit: UnitId,
    },
    /// Merged into, or parted from.
    Main {
        /// The main case.
        case: CaseId,
    },
    /// Others were merged into this one, or parted from it.
    Gathered {
        /// How many it has now.
        count: i32,
    },
    /// A milestone of an errand.
    Milestone {
        /// Which.
        milestone: CaseMilestone,
    },
    /// How the villager was spoken to.
    Contact {
        /// A code of `contact_ways`.
        how: String,
    },
    /// A light turned.
    Alarm {
        /// Which step.
        step: i32,
    },
}

/// The row after a step.
#[must_use]
pub fn after(case: &case::Model, step: &Step, act: &Act, by: &By, reckoning: Reckoning<'_>) -> case::Model {
    let mut next = case::Model { version: case.version + 1, updated_at: reckoning.now, ..case.clone() };
    let to = target(step, case, act);
    if to != case.state {
        enter(&mut next, to, reckoning.now);
    }
    take(&mut next, case, act, by, reckoning);
    settle_clocks(&mut next, case, act.action, reckoning);
    next
}

/// Where the step leads this case.
fn target(step: &Step, case: &case::Model, act: &Act) -> CaseState {
    match (step.to, &act.detail) {
        (_, Some(Detail::Asked { .. } | Detail::Decided { granted: false, .. })) | (To::Same, _) => case.state,
        (To::State(state), _) => state,
        (To::Asked, detail) => match detail {
            Some(Detail::Decided { request: CaseRequest::Pause, .. }) => CaseState::Paused,
            Some(Detail::Decided { request: CaseRequest::Supplement, .. }) => CaseState::Supplement,
            _ => case.state,
        },
        (To::Again, Some(Detail::Again { .. })) => CaseState::Accepted,
        (To::Again, _) => CaseState::InProgress,
        (To::Before, _) if case.accepted_on.is_none() => CaseState::Submitted,
        (To::Before, _) => CaseState::Accepted,
    }
}

/// Leaves a state: what waited in it waits no more.
fn enter(next: &mut case::Model, to: CaseState, now: Instant) {
    next.state = to;
    next.since_at = now;
    next.until_on = None;
    (next.pending, next.pending_unit_id, next.pending_by) = (None, None, None);
    next.closed_at = if workflow::is_closed(to) { next.closed_at.or(Some(now)) } else { None };
}

#[allow(clippy::too_many_lines, reason = "one arm an action: to be read beside the table")]
fn take(next: &mut case::Model, case: &case::Model, act: &Act, by: &By, reckoning: Reckoning<'_>) {
    let (now, today) = (reckoning.now, reckoning.today());
    if let Some(Detail::Asked { request, unit, .. }) = &act.detail {
        (next.pending, next.pending_unit_id, next.pending_by) = (Some(*request), Some(*unit), by.staff);
    }
    match act.action {
        // What was a draft is filed now.
        Action::Submit => next.created_at = now,
        Action::Accept => {
            // Silence accepts on the day its time was over, however late the sweep came.
            next.accepted_on = Some(local_day(case.step_due_at.map_or(now, |due| due.min(now))));
        }
        Action::RequestSupplement if next.state == CaseState::Supplement => ask_for_papers(next, reckoning),
        Action::Object => next.objected = true,
        Action::Approve | Action::Refuse | Action::SettleObjection => decide(next, act, reckoning),
        Action::Merge => {
            if let Some(Detail::Main { case: main }) = act.detail {
                (next.merged_into, next.assignee_id) = (Some(main), None);
            }
        }
        Action::Unmerge => (next.merged_into, next.unit_id) = (None, case.first_unit_id),
        Action::Assign | Action::Transfer | Action::Escalate => {
            if let Some((unit, assignee)) = act.to {
                (next.unit_id, next.assignee_id) = (unit, assignee);
            }
            if let Some(Detail::To { lock, sign_by }) = act.detail {
                next.until_on = sign_by;
                // What goes up takes its lock along.
                let named = lock || (case.locked_unit_id.is_some() && act.action == Action::Escalate);
                next.locked_unit_id = if named { Some(next.unit_id) } else { case.locked_unit_id };
            }
        }
        Action::Return => {
            (next.unit_id, next.assignee_id) = (case.first_unit_id, None);
            next.returns += 1;
        }
        Action::Sign => {
            next.signed_at = Some(now);
            // Whoever of a unit signs for it has it.
            next.assignee_id = next.assignee_id.or(by.staff);
            if next.contacted_at.is_none() {
                next.contact_due_at = next.contact_due_at.or_else(|| Some(sla::contact_due_at(next, reckoning)));
            }
        }
        Action::Summarise => next.summary.clone_from(&act.text),
        Action::Contact => next.contacted_at = next.contacted_at.or(Some(now)),
        Action::Milestone => {
            if let Some(Detail::Milestone { milestone }) = act.detail {
                next.papers_due_at = milestone.term().map(|term| reckoning.in_working_days(term));
            }
        }
        Action::Resume => {
            let paused_on = case.paused_on.unwrap_or(today);
            // Time resumes on the day that was said, however late the sweep came.
            let resumed_on = case.until_on.filter(|_| by.staff.is_none()).unwrap_or(today);
            let days = reckoning.clocks.calendar.working_days_between(paused_on, resumed_on);
            next.paused_days += i32::try_from(days).unwrap_or(0);
            next.paused_on = None;
        }
        Action::Answer => {
            (next.result, next.answered_at) = (act.result, Some(now));
            next.assignee_id = next.assignee_id.or(by.staff);
        }
        // By silence it is not confirmed.
        Action::Confirm => next.confirmed = Some(by.person.is_some()),
        Action::Reopen | Action::ReopenByOrder => {
            next.round += 1;
            next.reopens += i32::from(act.action == Action::Reopen);
            (next.result, next.answered_at, next.confirmed) = (None, None, None);
            (next.reopened_on, next.alarm_step) = (Some(today), 0);
            if let Some(Detail::Again { unit }) = act.detail {
                next.former_assignee_id = case.assignee_id;
                (next.unit_id, next.assignee_id, next.locked_unit_id) = (unit, None, None);
            }
        }
        Action::Nudge => (next.nudges, next.nudged_on) = (case.nudges + 1, Some(today)),
        Action::Withdraw | Action::Reject | Action::Lapse => next.papers_due_at = None,
        _ => {}
    }
}

fn ask_for_papers(next: &mut case::Model, reckoning: Reckoning<'_>) {
    next.supplements += 1;
    let days = reckoning.clocks.terms.get(Term::SupplementDays);
    next.until_on = Some(reckoning.working_day(reckoning.today(), days));
}

fn decide(next: &mut case::Model, act: &Act, reckoning: Reckoning<'_>) {
    (next.pending, next.pending_unit_id, next.pending_by) = (None, None, None);
    let Some(Detail::Decided { request, granted: true, until, working_days }) = &act.detail else { return };
    match request {
        CaseRequest::Pause => (next.paused_on, next.until_on) = (Some(reckoning.today()), *until),
        CaseRequest::Extension => next.extended_days = working_days.unwrap_or(0),
        CaseRequest::Supplement => ask_for_papers(next, reckoning),
        CaseRequest::Objection => {}
    }
}

/// Due dates, the clock of the step and the next light, as the row now has it.
fn settle_clocks(next: &mut case::Model, case: &case::Model, action: Action, reckoning: Reckoning<'_>) {
    let moved =
        matches!(action, Action::Accept | Action::Resume | Action::Reopen | Action::ReopenByOrder | Action::Unmerge)
            || next.extended_days != case.extended_days;
    if moved {
        set_due_dates(next, reckoning);
    }
    let looks_again = matches!(action, Action::Object | Action::SettleObjection | Action::Contact | Action::Milestone);
    if next.since_at != case.since_at || next.state != case.state || looks_again || action == Action::Remind {
        next.step_due_at = sla::step_due_at(next, reckoning);
    }
    if action == Action::Remind && next.state == CaseState::Rejected {
        // Who decides on the objection is reminded once.
        next.step_due_at = None;
    }
    if matches!(next.state, CaseState::Submitted | CaseState::Draft) && next.accepted_on.is_none() {
        next.due_on = next.step_due_at.map_or(next.due_on, local_day);
    }
    next.alarm_at = Alarm::next(next, reckoning.clocks).map(|(_, at)| at);
}

/// Reckons the due dates by the numbers and the calendar that hold now.
pub(super) fn set_due_dates(next: &mut case::Model, reckoning: Reckoning<'_>) {
    let Some(accepted_on) = next.accepted_on else { return };
    let due = sla::due_dates(reckoning.clocks, next, accepted_on);
    (next.promised_due_on, next.statutory_due_on) = (due.promised, due.statutory);
    (next.due_on, next.provisional) = (due.order, due.provisional);
    reckoning.clocks.calendar.version().clone_into(&mut next.calendar_version);
}

/// The row after its due dates were reckoned again by another calendar or other desk hours.
#[must_use]
pub fn recalculated(case: &case::Model, reckoning: Reckoning<'_>) -> case::Model {
    let mut next = case::Model { version: case.version + 1, updated_at: reckoning.now, ..case.clone() };
    set_due_dates(&mut next, reckoning);
    reckoning.clocks.calendar.version().clone_into(&mut next.calendar_version);
    // Time that the villager has, and that somebody has to speak to them, moves forward too.
    let since = local_day(next.since_at);
    if let Some(until) = next.until_on.filter(|_| next.state == CaseState::Supplement) {
        next.until_on = Some(until.max(reckoning.working_day(since, reckoning.clocks.terms.get(Term::SupplementDays))));
    }
    if let (Some(due), Some(signed), None) = (next.contact_due_at, next.signed_at, next.contacted_at)
        && due > reckoning.now
    {
        next.contact_due_at = Some(due.max(sla::contact_due_at(&next, Reckoning { now: signed, ..reckoning })));
    }
    // A step that is due already stays due: time that has passed does not come back.
    if next.step_due_at.is_some_and(|at| at > reckoning.now) {
        next.step_due_at = sla::step_due_at(&next, reckoning);
    }
    next.alarm_at = Alarm::next(&next, reckoning.clocks).map(|(_, at)| at);
    next
}

/// The row after others were merged into it or parted from it, or after its main case was merged itself.
#[must_use]
pub fn gathered(case: &case::Model, detail: &Detail, reckoning: Reckoning<'_>) -> case::Model {
    let next = case::Model { version: case.version + 1, updated_at: reckoning.now, ..case.clone() };
    match detail {
        Detail::Gathered { count } => case::Model { gathered: *count, ..next },
        Detail::Main { case: main } => case::Model { merged_into: Some(*main), ..next },
        _ => next,
    }
}

/// The row after a light turned.
#[must_use]
pub fn alarmed(case: &case::Model, step: Alarm, reckoning: Reckoning<'_>) -> case::Model {
    let mut next =
        case::Model { version: case.version + 1, updated_at: reckoning.now, alarm_step: step as i32, ..case.clone() };
    next.alarm_at = Alarm::next(&next, reckoning.clocks).map(|(_, at)| at);
    next
}
