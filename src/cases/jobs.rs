//! Where people stay silent, time acts: accept, sign, close, archive. Each step once, whoever runs the sweep.

use std::sync::Arc;

use entity::{Instant, case, id::CaseId};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::ExprTrait};

use super::ops::act;
use crate::{app::App, problem::Problem};

/// Cases looked at in one go.
const BATCH: u64 = 200;

/// Takes every step whose time has come, oldest first; each in a transaction of its own.
pub async fn run_clocks(app: &Arc<App>) -> Result<(), Problem> {
    let mut after: Option<(Instant, CaseId)> = None;
    loop {
        let due = due(app, after).await?;
        let Some(last) = due.last().copied() else { return Ok(()) };
        for (_, id) in due {
            let taken = app.db.transact({
                let app = app.clone();
                async move |tx| act::by_clock(tx, &app, id).await
            });
            if let Err(problem) = taken.await {
                // One case that cannot be moved must not stop the clocks of the others.
                tracing::error!(case.id = %id, reason = problem.source_text(), "the clock could not move a case: {problem}");
            }
        }
        after = Some(last);
    }
}

async fn due(app: &App, after: Option<(Instant, CaseId)>) -> Result<Vec<(Instant, CaseId)>, Problem> {
    let mut passed = Condition::all().add(case::COLUMN.step_due_at.lte(app.clock.now()));
    if let Some((at, id)) = after {
        let later = case::COLUMN.step_due_at.gt(at);
        passed = passed.add(later.or(case::COLUMN.step_due_at.eq(at).and(case::COLUMN.id.gt(id))));
    }
    Ok(case::Entity::find()
        .select_only()
        .column(case::Column::StepDueAt)
        .column(case::Column::Id)
        .filter(passed)
        .order_by_asc(case::Column::StepDueAt)
        .order_by_asc(case::Column::Id)
        .limit(BATCH)
        .into_tuple()
        .all(app.db.read())
        .await?)
}
