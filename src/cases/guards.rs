//! What a step asks of the row beside its state: how often, how late, whether something waits to be decided. Pure.
//!
//! [`super::advance`] refuses by it, and the `actions` of every view leave out what it would refuse; what needs a look at
//! other rows (who returned it before, who may have it) is asked where the step is prepared. Next: [`super::workflow`].

use chrono::{NaiveDate, TimeDelta};
use entity::case::{self, CaseRequest};

use super::{sla::Reckoning, workflow::Action};
use crate::{clock::local_day, problem::Code, settings::Term};

/// A case is sent back so often; then the township names the unit (首接负责, 退回不超过两次).
pub const RETURNS: i32 = 2;
/// The villager may object to an answer so often.
pub const REOPENS: i32 = 2;
/// Papers are asked for so often, the second time with the township's approval (行政许可法 32: 一次告知).
pub const SUPPLEMENTS: i32 = 2;

/// What can be done with a private matter.
const ALONE: &[Action] = &[
    Action::Submit,
    Action::Accept,
    Action::Assign,
    Action::Sign,
    Action::Return,
    Action::Milestone,
    Action::Note,
    Action::Summarise,
    Action::Contact,
    Action::Answer,
    Action::Confirm,
    Action::Reopen,
    Action::Nudge,
    Action::Withdraw,
    Action::Remind,
    Action::Archive,
];

/// Whether the row lets the action be taken today.
///
/// # Errors
/// `transition_not_allowed`, `already_asked`, `extension_used_up`, `window_closed`, `return_used_up`, `already_nudged`.
pub fn check(action: Action, case: &case::Model, reckoning: Reckoning<'_>) -> Result<(), Code> {
    let terms = &reckoning.clocks.terms;
    let today = reckoning.today();
    let within = |term| {
        let closed_on = case.closed_at.map_or(today, local_day);
        must(today <= closed_on + TimeDelta::days(terms.get(term).into()), Code::WindowClosed)
    };
    // Of a private matter nobody knows but who has it: nobody else can decide about it or be called in.
    if case.private && !ALONE.contains(&action) {
        return Err(Code::TransitionNotAllowed);
    }
    match action {
        Action::Pause => nothing_asked(case),
        Action::RequestSupplement => {
            must(case.supplements < SUPPLEMENTS, Code::TransitionNotAllowed)?;
            nothing_asked(case)
        }
        Action::Extend => {
            must(case.extended_days == 0, Code::ExtensionUsedUp)?;
            nothing_asked(case)?;
            must(is_asked_in_time(case.due_on, today, reckoning), Code::WindowClosed)
        }
        Action::Approve | Action::Refuse => {
            let asked = case.pending.is_some_and(|asked| asked != CaseRequest::Objection);
            must(asked, Code::TransitionNotAllowed)
        }
        Action::SettleObjection => must(case.pending == Some(CaseRequest::Objection), Code::TransitionNotAllowed),
        // One objection; and what the township said is to be accepted is not rejected again.
        Action::Object | Action::Reject => must(!case.objected, Code::TransitionNotAllowed),
        Action::Revive => within(Term::ReviveDays),
        Action::ReopenByOrder => within(Term::OrderDays),
        Action::Return => must(case.returns < RETURNS && case.locked_unit_id.is_none(), Code::ReturnUsedUp),
        Action::Reopen => must(case.reopens < REOPENS, Code::TransitionNotAllowed),
        // What was written needs no summary.
        Action::Summarise => must(case.text.is_empty(), Code::TransitionNotAllowed),
        Action::Nudge => must(case.nudged_on != Some(today), Code::AlreadyNudged),
        _ => Ok(()),
    }
}

/// An extension is asked for at least one working day before the due day.
fn is_asked_in_time(due_on: NaiveDate, today: NaiveDate, reckoning: Reckoning<'_>) -> bool {
    reckoning.clocks.calendar.working_days_between(today, due_on) >= 1
}

/// The most working days an extension may have: as many as the original limit, ten, and what the law leaves.
#[must_use]
pub fn longest_extension(case: &case::Model, limit: u32, reckoning: Reckoning<'_>) -> u32 {
    let most = limit.min(reckoning.clocks.terms.get(Term::ExtensionDays));
    match case.statutory_due_on {
        Some(statutory) => most.min(reckoning.clocks.calendar.working_days_between(case.due_on, statutory)),
        None => most,
    }
}

fn nothing_asked(case: &case::Model) -> Result<(), Code> {
    must(case.pending.is_none(), Code::AlreadyAsked)
}

fn must(holds: bool, code: Code) -> Result<(), Code> {
    if holds { Ok(()) } else { Err(code) }
}
