//! The one function that changes a case: people and timers call it alike.
//!
//! It looks the step up, checks who asks, works out the new row without touching the database, then writes row, event
//! and notice in the caller's transaction; an `UPDATE ... WHERE version` lets one of two writers win.

use entity::{
    Instant,
    case::{self, CaseResult, CaseState},
    case_event::{self, EventBy},
    id::{CaseEventId, PersonId, StaffId, UnitId},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use serde_json::{Value, json};

use super::{
    sla,
    workflow::{self, Action, Party, Step},
};
use crate::{
    calendar::Calendar,
    clock::local_day,
    db::Tx,
    notices::{self, About, Telling},
    problem::{Code, Problem},
};

/// Who asks for a step, as the row's rules see them.
#[derive(Clone, Debug)]
pub struct By {
    /// What they are to this case.
    pub parties: Vec<Party>,
    /// A villager.
    pub person: Option<PersonId>,
    /// Staff.
    pub staff: Option<StaffId>,
    /// The unit staff act for.
    pub unit: Option<UnitId>,
    /// The person acts for another.
    pub agent: bool,
    /// The villager is near to them, or is they themselves.
    pub near: bool,
}

impl By {
    /// Time itself.
    #[must_use]
    pub fn clock() -> Self {
        Self { parties: vec![Party::Clock], person: None, staff: None, unit: None, agent: false, near: false }
    }

    /// The person whose case it is.
    #[must_use]
    pub fn villager(person: PersonId) -> Self {
        Self {
            parties: vec![Party::Villager],
            person: Some(person),
            staff: None,
            unit: None,
            agent: false,
            near: false,
        }
    }

    /// Somebody whom the person let act for them.
    #[must_use]
    pub fn agent(person: PersonId) -> Self {
        Self { agent: true, ..Self::villager(person) }
    }

    /// Staff who hand work over, for the unit they act for.
    #[must_use]
    pub fn staff(staff: StaffId, unit: Option<UnitId>) -> Self {
        Self { parties: vec![], person: None, staff: Some(staff), unit, agent: false, near: false }
    }

    pub(super) fn kind(&self) -> EventBy {
        match (self.person, self.staff) {
            (Some(_), _) if self.agent => EventBy::Agent,
            (Some(_), _) => EventBy::Villager,
            (_, Some(_)) => EventBy::Staff,
            _ => EventBy::Clock,
        }
    }

    /// Whether the table lets them take this step.
    #[must_use]
    pub fn may(&self, step: &Step) -> bool {
        step.by.iter().any(|party| self.parties.contains(party))
    }

    /// Whether they must leave this step to somebody who is not near to the villager.
    #[must_use]
    pub fn keeps_out(&self, step: &Step) -> bool {
        self.near && step.action.decides()
    }
}

/// What is to be done, with what it needs; checked by the caller as far as a lookup is needed.
#[derive(Clone, Debug)]
pub struct Act {
    /// The action.
    pub action: Action,
    /// A code of the action's closed list.
    pub reason: Option<String>,
    /// What the villager may read.
    pub text: Option<String>,
    /// What only staff may read.
    pub note: Option<String>,
    /// For `assign`: the unit, and the person in it.
    pub to: Option<(UnitId, Option<StaffId>)>,
    /// For `answer`.
    pub result: Option<CaseResult>,
    /// For `answer`.
    pub evidence: Option<Value>,
}

impl Act {
    /// An action that needs nothing more.
    #[must_use]
    pub fn plain(action: Action) -> Self {
        Self { action, reason: None, text: None, note: None, to: None, result: None, evidence: None }
    }
}

/// When and by which calendar.
#[derive(Clone, Copy)]
pub struct Reckoning<'a> {
    /// Now.
    pub now: Instant,
    /// Working days.
    pub calendar: &'a Calendar,
}

/// Takes the step, or says why not; nothing is changed then.
///
/// # Errors
/// `transition_not_allowed`, `not_your_duty`, `conflict_of_interest`, `stale`.
pub async fn advance(
    tx: &Tx,
    reckoning: Reckoning<'_>,
    case: case::Model,
    by: &By,
    act: Act,
) -> Result<case::Model, Problem> {
    let Some(step) = workflow::step(act.action, case.state) else {
        return Err(Problem::new(Code::TransitionNotAllowed).with("state", case.state));
    };
    if !by.may(step) {
        return Err(Code::NotYourDuty.into());
    }
    if by.keeps_out(step) {
        return Err(Code::ConflictOfInterest.into());
    }
    let from = case.state;
    let next = after(&case, step, &act, by.kind() == EventBy::Clock, reckoning);
    write(tx, &case, &next).await?;
    let event = event(&next, Some(from), by, &act, reckoning.now);
    case_event::Entity::insert(event).exec_without_returning(tx).await?;
    if let Some(kind) = step.tells {
        notices::tell(tx, vec![telling(&next, kind)], reckoning.now).await?;
    }
    Ok(next)
}

/// The row after a step. Pure: replaying the events of a case through it yields the case.
#[must_use]
pub fn after(
    case: &case::Model,
    step: &Step,
    act: &Act,
    by_silence: bool,
    Reckoning { now, calendar }: Reckoning<'_>,
) -> case::Model {
    let mut next = case::Model {
        state: step.to,
        version: case.version + 1,
        updated_at: now,
        step_due_at: sla::silence_acts_at(calendar, step.to, now),
        ..case.clone()
    };
    match step.action {
        Action::Submit => next.due_on = next.step_due_at.map_or(local_day(now), local_day),
        Action::Accept => {
            // Silence accepts on the day its time was over, however late the sweep came.
            let accepted_on = local_day(case.step_due_at.map_or(now, |due| due.min(now)));
            set_due_dates(&mut next, calendar, accepted_on);
        }
        Action::Assign => {
            if let Some((unit, assignee)) = act.to {
                (next.unit_id, next.assignee_id) = (unit, assignee);
            }
        }
        Action::Return => {
            (next.unit_id, next.assignee_id) = (case.first_unit_id, None);
            next.returns += 1;
        }
        Action::Answer => {
            next.result = act.result;
            next.answered_at = Some(now);
        }
        Action::Confirm => next.confirmed = Some(!by_silence),
        Action::Reopen => {
            next.round += 1;
            next.reopens += 1;
            (next.result, next.answered_at) = (None, None);
            let least = calendar.add_working_days(local_day(now), sla::REOPENED_AT_LEAST);
            next.promised_due_on = next.promised_due_on.map(|due| due.max(least.on));
            next.due_on = next.due_on.max(least.on);
            next.provisional |= least.provisional;
        }
        Action::Sign | Action::Reject | Action::Withdraw | Action::Archive => {}
    }
    next.closed_at = if workflow::is_closed(step.to) { case.closed_at.or(Some(now)) } else { None };
    next
}

fn set_due_dates(next: &mut case::Model, calendar: &Calendar, accepted_on: chrono::NaiveDate) {
    let days = |days: Option<i32>| days.and_then(|days| u32::try_from(days).ok());
    let due = sla::due_dates(calendar, accepted_on, days(next.promised_days), days(next.statutory_days));
    next.accepted_on = Some(accepted_on);
    (next.promised_due_on, next.statutory_due_on) = (due.promised, due.statutory);
    (next.due_on, next.provisional) = (due.order, due.provisional);
    calendar.version().clone_into(&mut next.calendar_version);
}

pub(super) async fn write(tx: &Tx, before: &case::Model, next: &case::Model) -> Result<(), Problem> {
    // What was filed never changes: number, text, person, place. What a step may change stands here.
    let row = case::ActiveModel {
        state: Set(next.state),
        version: Set(next.version),
        round: Set(next.round),
        unit_id: Set(next.unit_id),
        assignee_id: Set(next.assignee_id),
        accepted_on: Set(next.accepted_on),
        promised_due_on: Set(next.promised_due_on),
        statutory_due_on: Set(next.statutory_due_on),
        provisional: Set(next.provisional),
        calendar_version: Set(next.calendar_version.clone()),
        step_due_at: Set(next.step_due_at),
        due_on: Set(next.due_on),
        returns: Set(next.returns),
        reopens: Set(next.reopens),
        result: Set(next.result),
        answered_at: Set(next.answered_at),
        confirmed: Set(next.confirmed),
        closed_at: Set(next.closed_at),
        updated_at: Set(next.updated_at),
        ..Default::default()
    };
    let written = case::Entity::update_many()
        .set(row)
        .filter(case::COLUMN.id.eq(before.id))
        .filter(case::COLUMN.version.eq(before.version))
        .exec(tx)
        .await?;
    if written.rows_affected == 1 { Ok(()) } else { Err(Code::Stale.into()) }
}

/// What the person is told of a step.
pub(super) fn telling(case: &case::Model, kind: &'static str) -> Telling {
    Telling { person: case.person_id, kind, about: About::Case(case.id), params: json!({"number": case.number}) }
}

/// The event that made `case` what it is now.
pub(super) fn event(
    case: &case::Model,
    from: Option<CaseState>,
    by: &By,
    act: &Act,
    now: Instant,
) -> case_event::ActiveModel {
    case_event::ActiveModel {
        id: Set(CaseEventId::fresh()),
        case_id: Set(case.id),
        seq: Set(case.version),
        at: Set(now),
        action: Set(act.action.slug().to_owned()),
        from_state: Set(from),
        to_state: Set(case.state),
        by_kind: Set(by.kind()),
        by_person: Set(by.person),
        by_staff: Set(by.staff),
        by_unit: Set(by.unit),
        auto: Set(by.kind() == EventBy::Clock),
        reason: Set(act.reason.clone()),
        text: Set(act.text.clone()),
        note: Set(act.note.clone()),
        unit_id: Set(case.unit_id),
        assignee_id: Set(case.assignee_id),
        result: Set(act.result),
        evidence: Set(act.evidence.clone()),
        promised_due_on: Set(case.promised_due_on),
        statutory_due_on: Set(case.statutory_due_on),
        calendar_version: Set(case.calendar_version.clone()),
    }
}
