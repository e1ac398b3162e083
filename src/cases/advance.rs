//! The one function that changes a case: people and timers call it alike.
//!
//! It looks the step up, checks who asks and what the row allows, works out the new row without touching the database,
//! then writes row, event and notices in the caller's transaction; an `UPDATE ... WHERE version` lets one of two writers
//! win. Next: [`super::effects`] for what a step makes of a case, [`super::guards`] for what it asks of it.

use entity::{
    Instant,
    case::{self, CaseRequest, CaseResult, CaseState},
    case_event::{self, EventBy},
    id::{CaseEventId, PersonId, StaffId, UnitId},
    sealed::Sealed,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use serde_json::{Value, json};

pub use super::sla::Reckoning;

use super::{
    effects::{self, Detail},
    guards, staff_tellings,
    workflow::{self, Action, Aside, Party, Step},
};
use crate::{
    db::Tx,
    files::{self, Hanging, Named, Owner},
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
    /// Staff above the village who name the unit when a case was sent back too often.
    pub names_units: bool,
}

impl By {
    /// Time itself.
    #[must_use]
    pub fn clock() -> Self {
        Self {
            parties: vec![Party::Clock],
            person: None,
            staff: None,
            unit: None,
            agent: false,
            near: false,
            names_units: false,
        }
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
            names_units: false,
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
        Self { parties: vec![], person: None, staff: Some(staff), unit, agent: false, near: false, names_units: false }
    }

    /// Whose files they may bring.
    pub(super) fn owner(&self) -> Option<Owner> {
        self.person.map(Owner::Person).or(self.staff.map(Owner::Staff))
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
    /// Where work goes: the unit, and the person in it.
    pub to: Option<(UnitId, Option<StaffId>)>,
    /// For `answer`.
    pub result: Option<CaseResult>,
    /// What it rests on, and what the timeline shows beside the text.
    pub evidence: Option<Value>,
    /// What replaying needs.
    pub detail: Option<Detail>,
    /// For `supplement`: the answers to the form.
    pub form: Option<Sealed>,
    /// Files that come with it.
    pub files: Vec<Named>,
}

impl Act {
    /// An action that needs nothing more.
    #[must_use]
    pub fn plain(action: Action) -> Self {
        Self {
            action,
            reason: None,
            text: None,
            note: None,
            to: None,
            result: None,
            evidence: None,
            detail: None,
            form: None,
            files: vec![],
        }
    }
}

/// The step that an action is, when the table, who asks and the row allow it: asked before anything else is looked up.
///
/// # Errors
/// `transition_not_allowed`, `not_your_duty`, `conflict_of_interest`, and what [`guards::check`] refuses.
pub(super) fn check(
    action: Action,
    case: &case::Model,
    by: &By,
    reckoning: Reckoning<'_>,
) -> Result<&'static Step, Problem> {
    let refused = |code: Code| Problem::new(code).with("state", case.state);
    let step = workflow::find(action, case.state).ok_or_else(|| refused(Code::TransitionNotAllowed))?;
    if !by.may(step) {
        return Err(Code::NotYourDuty.into());
    }
    if by.keeps_out(step) {
        return Err(Code::ConflictOfInterest.into());
    }
    guards::check(action, case, reckoning).map_err(refused)?;
    Ok(step)
}

/// Takes the step, or says why not; nothing is changed then.
///
/// # Errors
/// `transition_not_allowed`, `not_your_duty`, `conflict_of_interest`, `stale`, and what [`guards::check`] refuses.
pub async fn advance(
    tx: &Tx,
    reckoning: Reckoning<'_>,
    case: case::Model,
    by: &By,
    act: Act,
) -> Result<case::Model, Problem> {
    let step = check(act.action, &case, by, reckoning)?;
    let mut next = effects::after(&case, step, &act, by, reckoning);
    if act.form.is_some() {
        next.form.clone_from(&act.form);
    }
    write(tx, &case, &next).await?;
    let mut event = event(&next, Some(case.state), by, &act, reckoning.now);
    let id = CaseEventId::fresh();
    event.id = Set(id);
    case_event::Entity::insert(event).exec_without_returning(tx).await?;
    if let Some(owner) = by.owner() {
        files::attach(tx, owner, &act.files, Hanging::step(next.id.0, id.0), reckoning.now).await?;
    }
    tell(tx, step, &case, &next, &act, reckoning.now).await?;
    staff_tellings::tell(tx, &case, &next, &act, by, reckoning.now).await?;
    Ok(next)
}

/// Tells the person, and those whose cases were merged into it, of a step.
async fn tell(
    tx: &Tx,
    step: &Step,
    case: &case::Model,
    next: &case::Model,
    act: &Act,
    now: Instant,
) -> Result<(), Problem> {
    let Some(kind) = step.tells.or_else(|| of_what_was_asked(next, act)) else { return Ok(()) };
    let mut tellings = vec![telling(next, kind)];
    // Whoever was merged into it waits for the same answer; papers are asked of whose case it is.
    let concerns_all = !workflow::is_let_down(next.state) && next.state != CaseState::Supplement;
    if next.gathered > 0 && next.state != case.state && concerns_all {
        let gathered = case::Entity::find().filter(case::COLUMN.merged_into.eq(next.id)).all(tx).await?;
        tellings.extend(gathered.iter().map(|child| telling_with(child, next, kind)));
    }
    notices::tell(tx, tellings, now).await
}

/// What the villager is told of a request that was decided, or of a reminder.
fn of_what_was_asked(next: &case::Model, act: &Act) -> Option<&'static str> {
    match (&act.action, &act.detail) {
        (Action::Approve, Some(Detail::Decided { request, granted: true, .. })) => match request {
            CaseRequest::Pause => Some("case_paused"),
            CaseRequest::Extension => Some("case_extended"),
            CaseRequest::Supplement => Some("case_supplement"),
            CaseRequest::Objection => None,
        },
        (Action::Remind, _) if next.state == CaseState::Supplement => Some("case_supplement_reminder"),
        _ => None,
    }
}

/// Writes a change beside the table, with its event: who has it, a light, another calendar.
pub(super) async fn write_aside(
    tx: &Tx,
    before: &case::Model,
    next: &case::Model,
    by: &By,
    aside: Aside,
    act: Act,
) -> Result<(), Problem> {
    write(tx, before, next).await?;
    let mut event = event(next, Some(before.state), by, &act, next.updated_at);
    event.action = Set(aside.slug().to_owned());
    // Nobody stayed silent.
    event.auto = Set(false);
    case_event::Entity::insert(event).exec_without_returning(tx).await?;
    Ok(())
}

async fn write(tx: &Tx, before: &case::Model, next: &case::Model) -> Result<(), Problem> {
    let written = case::Entity::update_many()
        .set(changed(next))
        .filter(case::COLUMN.id.eq(before.id))
        .filter(case::COLUMN.version.eq(before.version))
        .exec(tx)
        .await?;
    if written.rows_affected == 1 { Ok(()) } else { Err(Code::Stale.into()) }
}

/// What was filed never changes: number, text, person, place. What a step may change stands here.
fn changed(next: &case::Model) -> case::ActiveModel {
    case::ActiveModel {
        state: Set(next.state),
        version: Set(next.version),
        round: Set(next.round),
        form: Set(next.form.clone()),
        unit_id: Set(next.unit_id),
        assignee_id: Set(next.assignee_id),
        created_at: Set(next.created_at),
        accepted_on: Set(next.accepted_on),
        promised_due_on: Set(next.promised_due_on),
        statutory_due_on: Set(next.statutory_due_on),
        provisional: Set(next.provisional),
        calendar_version: Set(next.calendar_version.clone()),
        step_due_at: Set(next.step_due_at),
        due_on: Set(next.due_on),
        since_at: Set(next.since_at),
        until_on: Set(next.until_on),
        paused_on: Set(next.paused_on),
        paused_days: Set(next.paused_days),
        extended_days: Set(next.extended_days),
        reopened_on: Set(next.reopened_on),
        pending: Set(next.pending),
        pending_unit_id: Set(next.pending_unit_id),
        pending_by: Set(next.pending_by),
        supplements: Set(next.supplements),
        objected: Set(next.objected),
        returns: Set(next.returns),
        locked_unit_id: Set(next.locked_unit_id),
        reopens: Set(next.reopens),
        former_assignee_id: Set(next.former_assignee_id),
        nudges: Set(next.nudges),
        nudged_on: Set(next.nudged_on),
        signed_at: Set(next.signed_at),
        contact_due_at: Set(next.contact_due_at),
        contacted_at: Set(next.contacted_at),
        papers_due_at: Set(next.papers_due_at),
        merged_into: Set(next.merged_into),
        gathered: Set(next.gathered),
        alarm_step: Set(next.alarm_step),
        alarm_at: Set(next.alarm_at),
        summary: Set(next.summary.clone()),
        result: Set(next.result),
        answered_at: Set(next.answered_at),
        confirmed: Set(next.confirmed),
        closed_at: Set(next.closed_at),
        updated_at: Set(next.updated_at),
        public: Set(next.public),
        public_id: Set(next.public_id.clone()),
        ..Default::default()
    }
}

/// What the person is told of a step.
pub(super) fn telling(case: &case::Model, kind: &'static str) -> Telling {
    telling_with(case, case, kind)
}

/// What the person is told of a step of the case that theirs goes with: by their own number, with its times, since those
/// of a merged case stand still.
fn telling_with(case: &case::Model, main: &case::Model, kind: &'static str) -> Telling {
    let due_on = main.promised_due_on.unwrap_or(main.due_on).to_string();
    let until = main.until_on.map(|until| until.to_string());
    let params = json!({"number": case.number, "due_on": due_on, "until": until});
    Telling { person: case.person_id, kind, about: About::Case(case.id), params }
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
        detail: Set(act.detail.as_ref().and_then(|detail| serde_json::to_value(detail).ok())),
        promised_due_on: Set(case.promised_due_on),
        statutory_due_on: Set(case.statutory_due_on),
        calendar_version: Set(case.calendar_version.clone()),
    }
}
