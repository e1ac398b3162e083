//! The sweep: what waits longer than it should is put before a person, so that nothing is lost with a question.

use std::sync::Arc;

use chrono::TimeDelta;
use entity::{
    content_check::{self, ContentReason, ContentState},
    id::ContentCheckId,
    job,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType};

use super::{
    ops,
    settle::{self, Outcome},
};
use crate::{app::App, db::Tx, problem::Problem};

/// WeChat answers about a file within half an hour, or not at all.
const ANSWERED_WITHIN: TimeDelta = TimeDelta::minutes(30);
/// A job that was to ask has given up, or was lost.
const ASKED_WITHIN: TimeDelta = TimeDelta::hours(1);
/// Looked at by one statement.
const AT_ONCE: u64 = 100;

/// Whether the job that asks is still to come.
async fn is_to_be_asked(tx: &Tx, row: &content_check::Model) -> Result<bool, Problem> {
    let open = job::Entity::find()
        .filter(job::COLUMN.key.eq(ops::job_key(row.id, row.version)))
        .filter(job::COLUMN.done_at.is_null())
        .filter(job::COLUMN.dead_at.is_null());
    Ok(open.one(tx).await?.is_some())
}

/// Puts what is stuck before a person.
///
/// # Errors
/// Those of the database.
pub async fn watch(app: &Arc<App>) -> Result<(), Problem> {
    let now = app.clock.now();
    let asked = Condition::all()
        .add(content_check::COLUMN.state.eq(ContentState::Asked))
        .add(content_check::COLUMN.since_at.lt(now - ANSWERED_WITHIN));
    let waiting = Condition::all()
        .add(content_check::COLUMN.state.eq(ContentState::Waiting))
        .add(content_check::COLUMN.since_at.lt(now - ASKED_WITHIN));
    let stuck: Vec<ContentCheckId> = content_check::Entity::find()
        .select_only()
        .column(content_check::Column::Id)
        .filter(Condition::any().add(asked).add(waiting))
        .order_by_asc(content_check::Column::SinceAt)
        .limit(AT_ONCE)
        .into_tuple()
        .all(app.db.read())
        .await?;
    for id in stuck {
        app.db
            .transact(async move |tx| {
                let row = content_check::Entity::find_by_id(id).lock(LockType::Update).one(tx).await?;
                let Some(row) = row else { return Ok(()) };
                let reason = match row.state {
                    ContentState::Asked => ContentReason::NoResult,
                    // A job that still comes asks: a server that was away for hours brings nothing before a person.
                    ContentState::Waiting if !is_to_be_asked(tx, &row).await? => ContentReason::Outage,
                    _ => return Ok(()),
                };
                settle::settle(tx, row, Outcome::Unjudged(reason), now).await
            })
            .await?;
    }
    Ok(())
}
