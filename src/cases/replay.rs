//! Proof that the timeline is the truth: the events of a case, played again, make the row it has.
//!
//! Every event goes through the same pure functions as the step that wrote it; tests hold each case of theirs to it.

use entity::{
    case,
    case_event::{self, EventBy},
};

use super::{
    advance::{Act, By, Reckoning},
    effects::{self, Detail},
    fresh,
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
    // What was filed stays as it is; everything else begins anew.
    let filed = row.clone();
    let mut case = case::Model {
        version: first.seq,
        unit_id: first.unit_id,
        calendar_version: first.calendar_version.clone(),
        id: filed.id,
        number: filed.number,
        kind: filed.kind,
        title: filed.title,
        text: filed.text,
        form: filed.form,
        topic: filed.topic,
        concern: filed.concern,
        urgency: filed.urgency,
        channel: filed.channel,
        confidential: filed.confidential,
        item_id: filed.item_id,
        promised_days: filed.promised_days,
        statutory_days: filed.statutory_days,
        village_id: filed.village_id,
        township_id: filed.township_id,
        county_id: filed.county_id,
        first_unit_id: filed.first_unit_id,
        person_id: filed.person_id,
        booking_id: filed.booking_id,
        next_talk_on: filed.next_talk_on,
        private: filed.private,
        agent_id: filed.agent_id,
        authorisation_id: filed.authorisation_id,
        entered_by: filed.entered_by,
        contact_name: filed.contact_name,
        contact_phone: filed.contact_phone,
        client_time: filed.client_time,
        object: filed.object,
        group_name: filed.group_name,
        public: filed.public,
        public_id: filed.public_id,
        ..fresh::untouched(first.at)
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
        text: event.text.clone(),
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
        Aside::Publication => case::Model { version: case.version + 1, updated_at: event.at, ..case.clone() },
        Aside::Gather => effects::gathered(case, &detail(event)?, reckoning),
        Aside::Recalculate => effects::recalculated(case, reckoning),
        Aside::Alarm => match detail(event)? {
            Detail::Alarm { step } => effects::alarmed(case, Alarm::of(step)?, reckoning),
            _ => return None,
        },
    })
}
