//! Taking a step of the workflow: as staff, as the villager, or as time itself.
//!
//! Next: [`super::prepare`] for what each step of staff looks up first.

use chrono::TimeDelta;
use entity::{
    case::{self, CaseRequest, CaseState},
    id::CaseId,
    publication::PublicationEnd,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{draft, hand_over, merging, prepare, requests};
use crate::{
    app::App,
    auth::{Staff, Villager, duty::WorkOnCases},
    calendar::desk,
    cases::{
        advance::{self, Act, By, Reckoning},
        agency, co_handlers,
        commands::{StaffAction, VillagerAction},
        effects::Detail,
        guards,
        papers::PapersOf,
        publication, reviews, scope, staff_tellings, trail,
        workflow::Action,
    },
    clock::local_day,
    db::Tx,
    files::Named,
    people::{self, Use},
    problem::{Code, Problem},
    publications, settings,
};

/// A step of staff.
///
/// # Errors
/// `not_found` out of scope, `not_your_duty`, `transition_not_allowed`, `stale`, `conflict_of_interest`, and what the step
/// itself refuses.
pub async fn by_staff(
    tx: &Tx,
    app: &App,
    staff: &Staff<WorkOnCases>,
    id: CaseId,
    action: StaffAction,
) -> Result<case::Model, Problem> {
    let into = if let StaffAction::Merge { into, .. } = &action { Some(*into) } else { None };
    let (case, main) = merging::held(tx, staff, id, into).await?;
    let around = scope::Around::look(tx, staff, std::slice::from_ref(&case)).await?;
    let by = scope::parties(staff, &case, &around);
    fresh(&case, action.version())?;
    let clocks = settings::of_case(app, &case);
    let reckoning = Reckoning { now: app.clock.now(), clocks: &clocks };
    advance::check(action.action(), &case, &by, reckoning)?;
    let main = match into {
        Some(_) => Some(merging::fitting(tx, &case, main).await?),
        None => None,
    };
    let act = prepare::of_staff(tx, app, &case, &by, action, main.as_ref(), reckoning).await?;
    let taken = act.clone();
    let case = advance::advance(tx, reckoning, case, &by, act).await?;
    let case = follow(tx, app, case, main, &by, &taken, reckoning).await?;
    trail::acted(tx, app, staff, &case, taken.action).await?;
    Ok(case)
}

/// What a step brings beside the row of the case itself.
async fn follow(
    tx: &Tx,
    app: &App,
    case: case::Model,
    main: Option<case::Model>,
    by: &By,
    taken: &Act,
    reckoning: Reckoning<'_>,
) -> Result<case::Model, Problem> {
    match (taken.action, by.staff) {
        (Action::Merge, _) => merging::gather(tx, &case, main, by, reckoning).await?,
        (Action::Unmerge, _) => merging::part(tx, taken, by, reckoning).await?,
        (Action::Confirm, _) => {
            reviews::draw(tx, app, &case).await?;
        }
        (Action::CallIn, Some(staff)) => {
            if let (Some(receiver), Some(answer_on)) = (taken.to, prepare::answer_on(taken)) {
                co_handlers::call_in(tx, &case, receiver, answer_on, staff, reckoning.now).await?;
            }
        }
        (Action::Report, Some(staff)) => {
            if let Some(unit) = by.unit {
                co_handlers::reported(tx, &case, staff, unit, reckoning.now).await?;
            }
        }
        (Action::Submit, _) => {
            publication::look_at(tx, app, &case).await?;
            staff_tellings::filed(tx, &case, reckoning.now).await?;
        }
        (Action::Reopen | Action::ReopenByOrder, _) => {
            publications::case_ended(tx, case.id, PublicationEnd::Reopened, reckoning.now).await?;
            return hand_over::back_in_hand(tx, case, by, reckoning.now).await;
        }
        _ => {}
    }
    merging::let_go(tx, &case, reckoning).await?;
    Ok(case)
}

/// A step of the villager, or of whom they let act for them.
///
/// # Errors
/// `not_found` when it is not theirs, `transition_not_allowed`, `stale`, and what the step itself refuses.
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
    // Held until the commit, as it is now.
    let held = case::Entity::find_by_id(case.id);
    let case = scope::one_held(held, case.id, tx).await?;
    fresh(&case, action.version())?;
    let clocks = settings::of_case(app, &case);
    let reckoning = Reckoning { now, clocks: &clocks };
    advance::check(action.action(), &case, &by, reckoning)?;
    let case = match &action {
        VillagerAction::Submit { .. } => draft::renewed(tx, app, case).await?,
        _ => case,
    };
    let whose = grant.as_ref().map_or_else(|| PapersOf::own(me), |grant| PapersOf::granted(me, grant));
    let act = of_villager(tx, app, &case, &whose, action).await?;
    let taken = act.clone();
    let case = advance::advance(tx, reckoning, case, &by, act).await?;
    let case = follow(tx, app, case, None, &by, &taken, reckoning).await?;
    if let Some(grant) = grant {
        let what = Use { action: taken.action.slug(), case: Some(case.id), booking: None };
        people::used(tx, app, &grant, what, now).await?;
    }
    Ok(case)
}

async fn of_villager(
    tx: &Tx,
    app: &App,
    case: &case::Model,
    whose: &PapersOf,
    action: VillagerAction,
) -> Result<Act, Problem> {
    Ok(match action {
        VillagerAction::Submit { form, reuse, .. } => {
            draft::submitted(tx, app, case, whose, form, reuse.as_deref().unwrap_or_default()).await?
        }
        VillagerAction::Confirm { .. } => Act::plain(Action::Confirm),
        VillagerAction::Nudge { .. } => Act::plain(Action::Nudge),
        VillagerAction::Revive { .. } => Act::plain(Action::Revive),
        VillagerAction::Withdraw { text, .. } => Act { text, ..Act::plain(Action::Withdraw) },
        VillagerAction::Supplement { text, form, files, .. } => {
            if form.is_some() {
                draft::check(tx, app, case, form.as_ref()).await?;
            }
            let form = super::filing::sealed_form(app, form)?;
            Act { text, form, files: Named::list(files.as_ref()), ..Act::plain(Action::Supplement) }
        }
        VillagerAction::Object { text, .. } => {
            let detail = Some(requests::asked(tx, case, CaseRequest::Objection).await?);
            Act { text: Some(text), detail, ..Act::plain(Action::Object) }
        }
        VillagerAction::Reopen { reason, text, .. } => {
            // The second time it is the township's, and another's to do.
            let again = case.reopens + 1 == guards::REOPENS;
            let unit = if again { Some(requests::township_of(tx, case).await?) } else { None };
            let detail = unit.map(|unit| Detail::Again { unit });
            Act { reason: Some(reason), text, detail, ..Act::plain(Action::Reopen) }
        }
    })
}

/// The step that silence takes, if its time has come and nobody was faster.
pub async fn by_clock(tx: &Tx, app: &App, id: CaseId) -> Result<bool, Problem> {
    let now = app.clock.now();
    let Some(case) = case::Entity::find_by_id(id).one(tx).await? else { return Ok(false) };
    if case.step_due_at.is_none_or(|due| due > now) {
        return Ok(false);
    }
    let clocks = settings::of_case(app, &case);
    let reckoning = Reckoning { now, clocks: &clocks };
    let Some(action) = by_silence(&case, reckoning) else { return Ok(false) };
    if action == Action::Archive && reviews::is_open(tx, case.id).await? {
        // A bad review is followed up first; tomorrow it is looked at again.
        let later = case::Entity::update_many()
            .col_expr(case::Column::StepDueAt, (now + TimeDelta::days(1)).into())
            .filter(case::COLUMN.id.eq(case.id));
        later.exec(tx).await?;
        return Ok(false);
    }
    let act = Act::plain(action);
    match advance::advance(tx, reckoning, case, &By::clock(), act.clone()).await {
        Ok(case) => {
            follow(tx, app, case, None, &By::clock(), &act, reckoning).await?;
            Ok(true)
        }
        // A person was faster.
        Err(problem) if problem.code() == Code::Stale => Ok(false),
        Err(problem) => Err(problem),
    }
}

/// What time does in this state when nobody else does anything.
fn by_silence(case: &case::Model, reckoning: Reckoning<'_>) -> Option<Action> {
    Some(match case.state {
        CaseState::Submitted => Action::Accept,
        CaseState::Supplement => {
            let ended = case.until_on.map(|until| desk::closing_of(reckoning.clocks.terms.hours, until));
            if ended.is_some_and(|ended| ended <= reckoning.now) { Action::Lapse } else { Action::Remind }
        }
        CaseState::Assigned => Action::Sign,
        CaseState::Paused => Action::Resume,
        CaseState::Answered => Action::Confirm,
        CaseState::Completed => Action::Archive,
        CaseState::Rejected | CaseState::Accepted | CaseState::InProgress => Action::Remind,
        _ => return None,
    })
}

fn fresh(case: &case::Model, seen: Option<i32>) -> Result<(), Problem> {
    match seen {
        Some(version) if version != case.version => Err(Problem::new(Code::Stale).with("version", case.version)),
        _ => Ok(()),
    }
}
