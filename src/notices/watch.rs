//! What is stuck goes on: a job that failed too often is none any more, and whatever it was for must not lie for ever.
//!
//! Each of these jobs may be there twice: whoever comes second finds it done, or on its way.

use std::sync::Arc;

use chrono::TimeDelta;
use entity::{
    Instant,
    id::{NoticeDeliveryId, NoticeId},
    notice,
    notice_delivery::{self, NoticeDeliveryState as State},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    app::App,
    db::{self, Tx},
    jobs::{self, Job},
    problem::Problem,
    pushes,
};

/// Longer than any job that lives lets something wait.
const STUCK_AFTER: TimeDelta = TimeDelta::minutes(5);
/// A notice has one new job in so long; one is tried for about ten minutes.
const TURN: TimeDelta = TimeDelta::minutes(30);
/// Looked at in one go.
const AT_ONCE: u64 = 500;

/// Puts in again the jobs of notices, deliveries and pushes that are stuck.
///
/// # Errors
/// Those of the database.
pub async fn watch(app: &Arc<App>) -> Result<(), Problem> {
    let now = app.clock.now();
    app.db
        .transact(async move |tx| {
            notices(tx, now).await?;
            deliveries(tx, now).await?;
            pushes::watch(tx, now).await
        })
        .await
}

/// One job each, so that none holds up the others.
async fn notices(tx: &Tx, now: Instant) -> Result<(), Problem> {
    let stuck: Vec<NoticeId> = notice::Entity::find()
        .select_only()
        .column(notice::Column::Id)
        .filter(notice::COLUMN.delivered_at.is_null())
        .filter(notice::COLUMN.created_at.lt(now - STUCK_AFTER))
        .order_by_asc(notice::Column::CreatedAt)
        .limit(AT_ONCE)
        .into_tuple()
        .all(tx)
        .await?;
    let turn = now.timestamp() / TURN.num_seconds();
    for id in stuck {
        let key = format!("notice again {id} {turn}");
        jobs::enqueue(tx, &Job::DeliverNotices { notices: vec![id] }, now, Some(key)).await?;
    }
    Ok(())
}

/// Being due anew is what keeps the same ones from coming up each minute.
async fn deliveries(tx: &Tx, now: Instant) -> Result<(), Problem> {
    let stuck: Vec<NoticeDeliveryId> = notice_delivery::Entity::find()
        .select_only()
        .column(notice_delivery::Column::Id)
        .filter(notice_delivery::COLUMN.state.is_in([State::Waiting, State::Sending, State::Unknown]))
        .filter(notice_delivery::COLUMN.due_at.lt(now - STUCK_AFTER))
        .order_by_asc(notice_delivery::Column::DueAt)
        .limit(AT_ONCE)
        .into_tuple()
        .all(tx)
        .await?;
    if stuck.is_empty() {
        return Ok(());
    }
    tracing::info!(count = stuck.len(), "notices that wait too long are taken up again");
    notice_delivery::Entity::update_many()
        .col_expr(notice_delivery::Column::DueAt, now.into())
        .filter(notice_delivery::COLUMN.id.is_in(db::padded(stuck.iter().copied())))
        .filter(notice_delivery::COLUMN.state.is_in([State::Waiting, State::Sending, State::Unknown]))
        .exec(tx)
        .await?;
    // One beside its own, however often it is stuck: where servers stood still, its own may live and come a moment later.
    for delivery in stuck {
        jobs::enqueue_anew(tx, &Job::SendNotice { delivery }, now, format!("delivery again {delivery}")).await?;
    }
    Ok(())
}
