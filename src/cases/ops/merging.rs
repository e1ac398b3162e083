//! Cases about the same thing: one is worked on, the others are merged into it and follow it.
//!
//! Every merged villager keeps number, notices and review; what becomes of the main case is told to all of them. Where
//! the main case comes to nothing they go their own way again, their clocks as if they had never stopped.

use entity::{
    case::{self, CaseState},
    case_event,
    id::CaseId,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    auth::{Staff, duty::WorkOnCases},
    cases::{
        advance::{self, Act, By, Reckoning},
        effects::{self, Detail},
        near, scope,
        workflow::{self, Action, Aside, Party},
    },
    db::Tx,
    problem::{Code, Problem},
};

/// The most cases that one call takes along.
const MOST: u64 = 500;

/// The case, and the one it is to be merged into where that is in scope, both held in one order.
///
/// # Errors
/// `not_found`.
pub(super) async fn held(
    tx: &Tx,
    staff: &Staff<WorkOnCases>,
    id: CaseId,
    into: Option<CaseId>,
) -> Result<(case::Model, Option<case::Model>), Problem> {
    let Some(into) = into else { return Ok((scope::one_held(scope::of_staff(staff), id, tx).await?, None)) };
    let both = scope::of_staff(staff).filter(case::COLUMN.id.is_in([id, into]));
    let rows = both.order_by_asc(case::Column::Id).lock_exclusive().all(tx).await?;
    let row = |id| rows.iter().find(|row| row.id == id).cloned();
    Ok((row(id).ok_or_else(Problem::not_found)?, row(into)))
}

/// The main case, when it takes this one in.
///
/// # Errors
/// 422 at `/into` where it is no other open case like it; `conflict_of_interest` where who has that one must keep away
/// from this one.
pub(super) async fn fitting(tx: &Tx, case: &case::Model, main: Option<case::Model>) -> Result<case::Model, Problem> {
    let main = main.ok_or_else(|| Problem::field("/into", "unknown"))?;
    let alike =
        (case.township_id, case.confidential, case.private) == (main.township_id, main.confidential, main.private);
    let open = !workflow::is_closed(main.state) && !matches!(main.state, CaseState::Draft | CaseState::Answered);
    if main.id == case.id || !alike || !open {
        return Err(Problem::field("/into", "not_allowed_here"));
    }
    if let Some(assignee) = main.assignee_id
        && near::barred(tx, case, assignee).await?
    {
        return Err(Code::ConflictOfInterest.into());
    }
    Ok(main)
}

/// After a case was merged: the main one counts it, and takes over what was merged into it.
pub(super) async fn gather(
    tx: &Tx,
    case: &case::Model,
    main: Option<case::Model>,
    by: &By,
    reckoning: Reckoning<'_>,
) -> Result<(), Problem> {
    let Some(main) = main else { return Ok(()) };
    let mut added = 1;
    for child in gathered(tx, case.id).await? {
        let detail = Detail::Main { case: main.id };
        aside(tx, &child, by, detail, reckoning).await?;
        added += 1;
    }
    if case.gathered > 0 {
        aside(tx, case, by, Detail::Gathered { count: 0 }, reckoning).await?;
    }
    aside(tx, &main, by, Detail::Gathered { count: main.gathered + added }, reckoning).await
}

/// After a case was parted: the main one counts one less.
pub(super) async fn part(tx: &Tx, done: &Act, by: &By, reckoning: Reckoning<'_>) -> Result<(), Problem> {
    let Some(Detail::Main { case: main }) = done.detail else { return Ok(()) };
    let held = case::Entity::find_by_id(main).lock_exclusive().one(tx).await?;
    let Some(main) = held else { return Ok(()) };
    aside(tx, &main, by, Detail::Gathered { count: (main.gathered - 1).max(0) }, reckoning).await
}

/// After any step: where the case comes to nothing, what was merged into it goes on alone.
pub(super) async fn let_go(tx: &Tx, case: &case::Model, reckoning: Reckoning<'_>) -> Result<(), Problem> {
    if case.gathered == 0 || !workflow::is_let_down(case.state) {
        return Ok(());
    }
    let by = By { parties: vec![Party::Clock], ..By::clock() };
    loop {
        let children = gathered(tx, case.id).await?;
        if children.is_empty() {
            break;
        }
        for child in children {
            let detail = Some(Detail::Main { case: case.id });
            let act = Act { detail, ..Act::plain(Action::Unmerge) };
            advance::advance(tx, reckoning, child, &by, act).await?;
        }
    }
    aside(tx, case, &by, Detail::Gathered { count: 0 }, reckoning).await
}

async fn gathered(tx: &Tx, main: CaseId) -> Result<Vec<case::Model>, Problem> {
    let rows = case::Entity::find().filter(case::COLUMN.merged_into.eq(main)).order_by_asc(case::Column::Id);
    Ok(rows.limit(MOST).lock_exclusive().all(tx).await?)
}

async fn aside(tx: &Tx, case: &case::Model, by: &By, detail: Detail, reckoning: Reckoning<'_>) -> Result<(), Problem> {
    let next = effects::gathered(case, &detail, reckoning);
    let act = Act { detail: Some(detail), ..Act::plain(Action::Merge) };
    advance::write_aside(tx, case, &next, by, Aside::Gather, act).await
}

/// The main case of one that was merged, for its villager.
///
/// # Errors
/// `unexpected` where the row is gone.
pub async fn main_of(db: &impl sea_orm::ConnectionTrait, case: &case::Model) -> Result<Option<case::Model>, Problem> {
    let Some(main) = case.merged_into else { return Ok(None) };
    let row = case::Entity::find_by_id(main).one(db).await?;
    row.map(Some).ok_or_else(|| Problem::from(Code::Unexpected))
}

/// The text of the answer that stands, of a main case: those who were merged into it wait for the same one.
pub async fn answer_of(db: &impl sea_orm::ConnectionTrait, main: &case::Model) -> Result<Option<String>, Problem> {
    if main.answered_at.is_none() {
        return Ok(None);
    }
    let answers = case_event::Entity::find()
        .select_only()
        .column(case_event::Column::Text)
        .filter(case_event::COLUMN.case_id.eq(main.id))
        .filter(case_event::COLUMN.action.eq(Action::Answer.slug()))
        .order_by_desc(case_event::Column::Seq);
    Ok(answers.into_tuple::<Option<String>>().one(db).await?.flatten())
}
