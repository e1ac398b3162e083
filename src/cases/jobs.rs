//! What time does to cases: where people stay silent it accepts, signs, resumes, closes, archives; it turns lights and
//! climbs the steps of supervision; it reckons due dates again by another calendar. Each once, whoever runs the sweep.

use std::sync::Arc;

use chrono::Timelike;
use entity::{
    Instant,
    case::{self, CaseState},
    id::CaseId,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::ExprTrait};

use super::ops::{act, alarms};
use crate::{app::App, clock, problem::Problem, settings};

/// Cases looked at in one go.
const BATCH: u64 = 200;

/// Takes every step whose time has come, oldest first; each in a transaction of its own.
pub async fn run_clocks(app: &Arc<App>) -> Result<(), Problem> {
    each(app, case::Column::StepDueAt, async |app, id| {
        let shared = Arc::clone(app);
        app.db.transact(async move |tx| act::by_clock(tx, &shared, id).await).await
    })
    .await
}

/// Turns the lights whose time has come, the longest overdue first. Between nine in the evening and seven in the morning
/// nothing is looked at, and a case only while its own desk is open.
pub async fn watch_due_dates(app: &Arc<App>) -> Result<(), Problem> {
    if !(7..21).contains(&clock::local_time(app.clock.now()).hour()) {
        return Ok(());
    }
    each(app, case::Column::AlarmAt, async |app, id| {
        let shared = Arc::clone(app);
        app.db.transact(async move |tx| alarms::next(tx, &shared, id).await).await
    })
    .await
}

/// Reckons due dates again where another calendar holds than the one they were reckoned by.
pub async fn recalculate(app: &Arc<App>) -> Result<(), Problem> {
    settings::refresh(app).await?;
    let settings = app.settings.load_full();
    if settings.is_reckoned() {
        return Ok(());
    }
    let (mut after, mut all_done): (Option<CaseId>, bool) = (None, true);
    loop {
        let mut open = case::Entity::find()
            .filter(case::COLUMN.closed_at.is_null())
            .filter(case::COLUMN.state.ne(CaseState::Draft));
        if let Some(after) = after {
            open = open.filter(case::COLUMN.id.gt(after));
        }
        let rows = open.order_by_asc(case::Column::Id).limit(BATCH).all(app.db.read()).await?;
        let Some(last) = rows.last().map(|row| row.id) else { break };
        let behind = rows.iter().filter(|row| row.calendar_version != settings::of_case(app, row).calendar.version());
        for id in behind.map(|row| row.id) {
            // Whoever writes it meanwhile may write the old day: it is looked at once more.
            all_done = false;
            let shared = Arc::clone(app);
            let done = app.db.transact(async move |tx| alarms::recalculate(tx, &shared, id).await).await;
            log(id, done);
        }
        after = Some(last);
    }
    if all_done {
        settings.mark_reckoned();
    }
    Ok(())
}

/// Does something to every case whose instant in this column has come, in its order.
async fn each(
    app: &Arc<App>,
    column: case::Column,
    mut act: impl AsyncFnMut(&Arc<App>, CaseId) -> Result<bool, Problem>,
) -> Result<(), Problem> {
    let mut after: Option<(Instant, CaseId)> = None;
    loop {
        let due = due(app, column, after).await?;
        let Some(last) = due.last().copied() else { return Ok(()) };
        for (_, id) in due {
            let done = act(app, id).await;
            log(id, done);
        }
        after = Some(last);
    }
}

/// One case that cannot be moved must not stop the clocks of the others.
fn log(id: CaseId, done: Result<bool, Problem>) {
    if let Err(problem) = done {
        tracing::error!(case.id = %id, reason = problem.source_text(), "the clock could not move a case: {problem}");
    }
}

async fn due(
    app: &App,
    column: case::Column,
    after: Option<(Instant, CaseId)>,
) -> Result<Vec<(Instant, CaseId)>, Problem> {
    let mut passed = Condition::all().add(column.lte(app.clock.now()));
    if let Some((at, id)) = after {
        passed = passed.add(column.gt(at).or(column.eq(at).and(case::COLUMN.id.gt(id))));
    }
    Ok(case::Entity::find()
        .select_only()
        .column(column)
        .column(case::Column::Id)
        .filter(passed)
        .order_by_asc(column)
        .order_by_asc(case::Column::Id)
        .limit(BATCH)
        .into_tuple()
        .all(app.db.read())
        .await?)
}
