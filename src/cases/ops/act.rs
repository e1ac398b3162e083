//! Taking a step of the workflow, as staff or as the villager.

use entity::{
    case::{self, CaseState},
    case_event,
    id::{CaseId, UnitId},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use super::receiver::{self, Receiver};
use crate::{
    app::App,
    auth::{Staff, Villager, duty::WorkOnCases},
    cases::{
        advance::{self, Act, By, Reckoning},
        agency,
        commands::{Evidence, StaffAction, VillagerAction},
        near, scope, trail,
        workflow::Action,
    },
    clock::local_day,
    db::Tx,
    people::{self, Use},
    problem::{Code, Problem},
};

/// A step of staff.
///
/// # Errors
/// `not_found` out of scope, `not_your_duty`, `transition_not_allowed`, `stale`, `conflict_of_interest`, `return_used_up`.
pub async fn by_staff(
    tx: &Tx,
    app: &App,
    staff: &Staff<WorkOnCases>,
    id: CaseId,
    action: StaffAction,
) -> Result<case::Model, Problem> {
    let case = scope::one(scope::of_staff(staff), id, tx).await?;
    let by = scope::parties(staff, &case, &near::People::near(tx, staff.id()).await?);
    let (version, act) = prepare(tx, app, &case, &by, action).await?;
    fresh(&case, version)?;
    let (calendar, action) = (app.calendar.load(), act.action);
    let reckoning = Reckoning { now: app.clock.now(), calendar: &calendar };
    let case = advance::advance(tx, reckoning, case, &by, act).await?;
    trail::acted(tx, app, staff, &case, action).await?;
    Ok(case)
}

/// A step of the villager, or of whom they let act for them.
///
/// # Errors
/// `not_found` when it is not theirs, `transition_not_allowed`, `stale`.
pub async fn by_villager(
    tx: &Tx,
    app: &App,
    me: &Villager,
    id: CaseId,
    action: VillagerAction,
) -> Result<case::Model, Problem> {
    let now = app.clock.now();
    let reach = agency::reach(tx, me, id, local_day(now)).await?;
    let (by, grant, case) = (reach.by(me), reach.grant, reach.case);
    let (version, act) = action.split();
    fresh(&case, version)?;
    // The first cut reopens once; a second time goes to the township, which later steps add.
    if act.action == Action::Reopen && case.reopens > 0 {
        return Err(Problem::new(Code::TransitionNotAllowed).with("state", case.state));
    }
    let (calendar, action) = (app.calendar.load(), act.action.slug());
    let case = advance::advance(tx, Reckoning { now, calendar: &calendar }, case, &by, act).await?;
    if let Some(grant) = grant {
        people::used(tx, app, &grant, Use { action, case: Some(case.id), booking: None }, now).await?;
    }
    Ok(case)
}

/// The step that silence takes, if its time has come and nobody was faster.
pub async fn by_clock(tx: &Tx, app: &App, id: CaseId) -> Result<bool, Problem> {
    let now = app.clock.now();
    let Some(case) = case::Entity::find_by_id(id).one(tx).await? else { return Ok(false) };
    if case.step_due_at.is_none_or(|due| due > now) {
        return Ok(false);
    }
    let Some(step) = crate::cases::workflow::by_silence(case.state) else { return Ok(false) };
    let calendar = app.calendar.load();
    match advance::advance(tx, Reckoning { now, calendar: &calendar }, case, &By::clock(), Act::plain(step.action))
        .await
    {
        Ok(_) => Ok(true),
        // A person was faster.
        Err(problem) if problem.code() == Code::Stale => Ok(false),
        Err(problem) => Err(problem),
    }
}

fn fresh(case: &case::Model, seen: Option<i32>) -> Result<(), Problem> {
    match seen {
        Some(version) if version != case.version => Err(Problem::new(Code::Stale).with("version", case.version)),
        _ => Ok(()),
    }
}

async fn prepare(
    tx: &Tx,
    app: &App,
    case: &case::Model,
    by: &By,
    action: StaffAction,
) -> Result<(Option<i32>, Act), Problem> {
    Ok(match action {
        StaffAction::Accept { version } => (version, Act::plain(Action::Accept)),
        StaffAction::Sign { version } => (version, Act::plain(Action::Sign)),
        StaffAction::Reject { version, reason, channel, text } => {
            let evidence = Some(json!({"channel": channel}));
            (version, Act { reason: Some(reason), text: Some(text), evidence, ..Act::plain(Action::Reject) })
        }
        StaffAction::Assign { version, assignee, unit, text } => {
            let today = local_day(app.clock.now());
            let Receiver { to, note, evidence } = receiver::find(tx, case, assignee, unit, today).await?;
            (version, Act { to: Some(to), text, note, evidence, ..Act::plain(Action::Assign) })
        }
        StaffAction::Return { version, reason, suggested_unit, text } => {
            if case.state == CaseState::Assigned && has_returned(tx, case.id, by.unit).await? {
                return Err(Code::ReturnUsedUp.into());
            }
            let evidence = suggested_unit.map(|unit| json!({"suggested_unit": unit}));
            (version, Act { reason: Some(reason), note: Some(text), evidence, ..Act::plain(Action::Return) })
        }
        StaffAction::Answer { version, result, text, evidence } => {
            let evidence = evidence.map(evidence_json).transpose()?;
            (version, Act { result: Some(result), text: Some(text), evidence, ..Act::plain(Action::Answer) })
        }
    })
}

fn evidence_json(evidence: Vec<Evidence>) -> Result<Value, Problem> {
    Ok(json!({"evidence": serde_json::to_value(evidence).map_err(Problem::unexpected)?}))
}

/// Whether this unit has sent the case back before (one return per unit and case).
async fn has_returned(tx: &Tx, case: CaseId, unit: Option<UnitId>) -> Result<bool, Problem> {
    let Some(unit) = unit else { return Ok(false) };
    let returns = case_event::Entity::find()
        .filter(case_event::COLUMN.case_id.eq(case))
        .filter(case_event::COLUMN.action.eq(Action::Return.slug()))
        .filter(case_event::COLUMN.by_unit.eq(unit))
        .count(tx)
        .await?;
    Ok(returns > 0)
}
