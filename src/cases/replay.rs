//! Proof that the timeline is the truth: the events of a case, played again, make the row it has.
//!
//! Every event goes through the same pure functions as the step that wrote it; tests hold each case of theirs to it.

use entity::{
    case::{self, CaseState},
    case_event::{self, EventBy},
};

use super::{
    advance::{Act, By, Reckoning},
    effects::{self, Detail},
    sla::{self, Alarm},
    workflow::{self, Action, Aside},
};
use crate::settings::Clocks;

/// The row that these events make, oldest first, beginning with what was filed; `None` where an event fits no step.
///
/// The answers to the form are what they are now: what is sealed is not kept a second time.
#[must_use]
pub fn replay(row: &case::Model, events: &[case_event::Model], clocks: &Clocks) -> Option<case::Model> {
    let (first, rest) = events.split_first()?;
    let mut case = as_filed(row, first, clocks);
    for event in rest {
        let reckoning = Reckoning { now: event.at, clocks };
        case = if let Some(aside) = Aside::of(&event.action) {
            beside(&case, aside, event, reckoning)?
        } else {
            let action = Action::ALL.iter().copied().find(|action| action.slug() == event.action)?;
            let step = workflow::find(action, case.state)?;
            effects::after(&case, step, &act(action, event), &by(event), reckoning)
        };
    }
    Some(case)
}

/// The row as its first event left it.
fn as_filed(row: &case::Model, first: &case_event::Model, clocks: &Clocks) -> case::Model {
    let mut case = case::Model {
        state: CaseState::Submitted,
        version: first.seq,
        round: 1,
        unit_id: first.unit_id,
        assignee_id: None,
        accepted_on: None,
        promised_due_on: None,
        statutory_due_on: None,
        provisional: false,
        calendar_version: first.calendar_version.clone(),
        since_at: first.at,
        until_on: None,
        paused_on: None,
        paused_days: 0,
        extended_days: 0,
        reopened_on: None,
        pending: None,
        pending_unit_id: None,
        pending_by: None,
        supplements: 0,
        objected: false,
        returns: 0,
        locked_unit_id: None,
        reopens: 0,
        former_assignee_id: None,
        nudges: 0,
        nudged_on: None,
        signed_at: None,
        contact_due_at: None,
        contacted_at: None,
        papers_due_at: None,
        merged_into: None,
        gathered: 0,
        alarm_step: 0,
        alarm_at: None,
        result: None,
        answered_at: None,
        confirmed: None,
        closed_at: None,
        updated_at: first.at,
        ..row.clone()
    };
    case.step_due_at = sla::step_due_at(&case, Reckoning { now: first.at, clocks });
    case.due_on = case.step_due_at.map_or(row.due_on, crate::clock::local_day);
    case
}

fn detail(event: &case_event::Model) -> Option<Detail> {
    event.detail.clone().and_then(|detail| serde_json::from_value(detail).ok())
}

fn by(event: &case_event::Model) -> By {
    By {
        person: event.by_person,
        staff: event.by_staff,
        unit: event.by_unit,
        agent: event.by_kind == EventBy::Agent,
        ..By::clock()
    }
}

fn act(action: Action, event: &case_event::Model) -> Act {
    Act {
        to: Some((event.unit_id, event.assignee_id)),
        result: event.result,
        detail: detail(event),
        ..Act::plain(action)
    }
}

fn beside(
    case: &case::Model,
    aside: Aside,
    event: &case_event::Model,
    reckoning: Reckoning<'_>,
) -> Option<case::Model> {
    Some(match aside {
        Aside::Cover | Aside::GiveBack | Aside::Release => case::Model {
            unit_id: event.unit_id,
            assignee_id: event.assignee_id,
            version: case.version + 1,
            updated_at: event.at,
            ..case.clone()
        },
        Aside::Gather => effects::gathered(case, &detail(event)?, reckoning),
        Aside::Recalculate => effects::recalculated(case, reckoning),
        Aside::Alarm => match detail(event)? {
            Detail::Alarm { step } => effects::alarmed(case, Alarm::of(step)?, reckoning),
            _ => return None,
        },
    })
}
