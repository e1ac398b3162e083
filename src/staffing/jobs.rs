//! Cover by the clock: absences begin and end, work follows, and nothing stays with who may no longer do it.
//!
//! Several servers may run this at once: a conditional update lets one of them begin or end an absence.

use std::sync::Arc;

use chrono::{Days, NaiveDate};
use entity::{Instant, absence, id::StaffId, posting};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::ops::absences;
use crate::{
    app::App,
    audit::Actor,
    cases::{self, By},
    clock::local_day,
    db::Tx,
    problem::Problem,
    talks,
};

/// Days after its end in which a posting's work is looked for.
const LOOK_BACK: Days = Days::new(7);

/// Ends what is over, begins what is due, moves what came in meanwhile. One that fails does not stop the others.
pub async fn cover_absences(app: &Arc<App>) -> Result<(), Problem> {
    let today = local_day(app.clock.now());
    let open = absence::Entity::find()
        .filter(absence::COLUMN.ended_at.is_null())
        .filter(absence::COLUMN.from_on.lte(today))
        .order_by_asc(absence::Column::Id)
        .all(app.db.read())
        .await?;
    // Those that end first: what comes back to somebody whose next absence begins moves on at once.
    let (over, standing): (Vec<_>, Vec<_>) = open.into_iter().partition(|row| row.until_on < today);
    for row in over {
        let (who, shared) = (row.staff_id, app.clone());
        let end = async move |tx: &Tx, now| {
            let by = (&By::clock(), &Actor::clock());
            absences::end(tx, &shared, &row, by, now).await.map(|_| ())
        };
        step(app, who, end).await;
    }
    for row in standing.iter().filter(|row| row.begun_at.is_none()).cloned() {
        step(app, row.staff_id, async move |tx, now| absences::begin(tx, &row, &By::clock(), now).await.map(|_| ()))
            .await;
    }
    for row in &standing {
        if let Err(problem) = talks::cover(app, row, row.from_on.max(today)).await {
            tracing::error!(staff.id = %row.staff_id, reason = problem.source_text(), "talk days stay with who is away");
        }
    }
    // What was reopened, or given to them in the moment they went.
    let begun = standing.iter().filter(|row| row.begun_at.is_some()).map(|row| row.staff_id);
    for who in cases::busy(app.db.read(), begun).await? {
        step(app, who, async move |tx, now| cases::cover(tx, who, &By::clock(), now).await).await;
    }
    let gone = lately_ended(app, today).await?;
    for who in cases::busy(app.db.read(), gone).await? {
        step(app, who, async move |tx, now| cases::release(tx, who, &By::clock(), now).await).await;
    }
    Ok(())
}

async fn step<F>(app: &Arc<App>, who: StaffId, operation: F)
where
    F: AsyncFn(&Tx, Instant) -> Result<(), Problem> + Send + 'static,
{
    let now = app.clock.now();
    if let Err(problem) = app.db.transact(async move |tx| operation(tx, now).await).await {
        tracing::error!(staff.id = %who, reason = problem.source_text(), "cover could not be seen to: {problem}");
    }
}

/// Staff with a posting that ended in the last days.
async fn lately_ended(app: &App, today: NaiveDate) -> Result<Vec<StaffId>, Problem> {
    Ok(posting::Entity::find()
        .select_only()
        .column(posting::Column::StaffId)
        .filter(posting::COLUMN.ends_on.lt(today))
        .filter(posting::COLUMN.ends_on.gte(today - LOOK_BACK))
        .distinct()
        .into_tuple()
        .all(app.db.read())
        .await?)
}
