//! What was told and is told again: the list, a test, replays.

use chrono::TimeDelta;
use entity::{
    Instant, case,
    id::{WebhookDeliveryId, WebhookId},
    webhook,
    webhook_delivery::{self, WebhookDeliveryState},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseConnection, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Set,
    sea_query::{Expr, ExprTrait},
};
use uuid::Uuid;

use super::{
    deliver::Attempt,
    events,
    fan_out::{fresh, open, schedule},
    ops,
};
use crate::{
    app::App,
    audit::Entry,
    auth::{Staff, duty::ManageReceivers},
    cases,
    db::Tx,
    http::{Cursor, PageQuery},
    problem::{FieldFault, Problem},
};

/// Dead letters taken up by one call.
const AT_ONCE: u64 = 500;
/// How far back a replay may reach; what was delivered is remembered for longer.
const FARTHEST: TimeDelta = TimeDelta::days(14);

/// What a receiver was told, the newest first, at most `size + 1`. What became confidential is not there.
pub(super) async fn list(
    db: &DatabaseConnection,
    receiver: WebhookId,
    state: Option<WebhookDeliveryState>,
    page: &PageQuery,
) -> Result<Vec<webhook_delivery::Model>, Problem> {
    let hidden = case::Entity::find()
        .select_only()
        .expr(Expr::val(1))
        .filter(
            Expr::col((case::Entity, case::Column::Id))
                .equals((webhook_delivery::Entity, webhook_delivery::Column::CaseId)),
        )
        .filter(open().not());
    let mut rows = webhook_delivery::Entity::find()
        .filter(webhook_delivery::COLUMN.webhook_id.eq(receiver))
        .filter(Expr::not_exists(hidden.into_query()));
    if let Some(state) = state {
        rows = rows.filter(webhook_delivery::COLUMN.state.eq(state));
    }
    if let Some(before) = Cursor::read::<WebhookDeliveryId>(page.cursor.as_deref())? {
        rows = rows.filter(webhook_delivery::COLUMN.id.lt(before));
    }
    Ok(rows.order_by_desc(webhook_delivery::Column::Id).limit(page.size() + 1).all(db).await?)
}

/// Tells a receiver that this is a test.
pub(super) async fn test(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManageReceivers>,
    id: WebhookId,
) -> Result<webhook_delivery::Model, Problem> {
    let receiver = ops::held(tx, staff, id).await?;
    let now = app.clock.now();
    let row = fresh(&receiver, Uuid::now_v7(), events::TEST, now).insert(tx).await?;
    schedule(tx, Attempt { delivery: row.id, round: 1, number: 1 }, now).await?;
    ops::record(tx, app, staff, &receiver, Entry::done("test_webhook", "webhook", id)).await?;
    Ok(row)
}

/// Tells one thing again.
pub(super) async fn one(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManageReceivers>,
    id: WebhookDeliveryId,
) -> Result<webhook_delivery::Model, Problem> {
    let row = webhook_delivery::Entity::find_by_id(id).lock_exclusive().one(tx).await?;
    let row = row.ok_or_else(Problem::not_found)?;
    let (receiver, _) = ops::find(tx, staff, row.webhook_id).await?;
    if let Some(case) = row.case_id {
        let open = case::Entity::find_by_id(case).filter(open()).one(tx).await?;
        open.ok_or_else(Problem::not_found)?;
    }
    let row = begin_again(tx, row, app.clock.now()).await?;
    ops::record(tx, app, staff, &receiver, Entry::done("replay_delivery", "webhook", receiver.id)).await?;
    Ok(row)
}

async fn begin_again(tx: &Tx, row: webhook_delivery::Model, now: Instant) -> Result<webhook_delivery::Model, Problem> {
    let round = row.round + 1;
    let mut next = row.into_active_model();
    next.state = Set(WebhookDeliveryState::Waiting);
    next.round = Set(round);
    next.attempts = Set(0);
    next.next_at = Set(Some(now));
    next.delivered_at = Set(None);
    let row = next.update(tx).await?;
    schedule(tx, Attempt { delivery: row.id, round, number: 1 }, now).await?;
    Ok(row)
}

/// Tells again what is dead since then, and lets the sweep look from then on for what was never told.
///
/// # Errors
/// `invalid` at `/since`: in the future, or too long ago.
pub(super) async fn since(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManageReceivers>,
    id: WebhookId,
    since: Instant,
) -> Result<(u64, bool), Problem> {
    let now = app.clock.now();
    if since > now || since < now - FARTHEST {
        return Err(Problem::invalid(vec![FieldFault::new("/since", "range")]));
    }
    let receiver = ops::held(tx, staff, id).await?;
    let dead = webhook_delivery::Entity::find()
        .filter(webhook_delivery::COLUMN.webhook_id.eq(id))
        .filter(given_up(now))
        .filter(webhook_delivery::COLUMN.created_at.gte(since))
        .order_by_asc(webhook_delivery::Column::Id)
        .limit(AT_ONCE + 1)
        .all(tx)
        .await?;
    let more = dead.len() as u64 > AT_ONCE;
    let mut replayed = 0;
    for row in dead.into_iter().take(usize::try_from(AT_ONCE).unwrap_or(usize::MAX)) {
        begin_again(tx, row, now).await?;
        replayed += 1;
    }
    let from_at = Ord::min(receiver.from_at, since);
    let mark = receiver.mark.map(|mark| Ord::min(mark, cases::log::key_of(since)));
    webhook::Entity::update_many()
        .col_expr(webhook::Column::FromAt, from_at.into())
        .col_expr(webhook::Column::Mark, mark.into())
        .filter(webhook::COLUMN.id.eq(id))
        .exec(tx)
        .await?;
    ops::record(tx, app, staff, &receiver, Entry::done("replay_webhook", "webhook", id)).await?;
    Ok((replayed, more))
}

/// Dead letters, and what still waits though its time was over an hour ago: whoever was to tell it died of it.
fn given_up(now: Instant) -> Condition {
    let late = webhook_delivery::COLUMN.next_at.lt(now - TimeDelta::hours(1));
    let stuck = Condition::all().add(webhook_delivery::COLUMN.state.eq(WebhookDeliveryState::Waiting)).add(late);
    Condition::any().add(webhook_delivery::COLUMN.state.eq(WebhookDeliveryState::Dead)).add(stuck)
}
