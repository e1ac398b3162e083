//! Storing a push, and forgetting it.

use chrono::TimeDelta;
use entity::{
    Instant,
    id::WechatPushId,
    wechat_push::{self, WechatPushState},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, Set, sea_query::OnConflict,
};

use super::read;
use crate::{
    app::App,
    db::Tx,
    jobs::{self, Job},
    personal::{Personal, PrivateText},
    problem::Problem,
    wechat::push::Pushed,
};

/// How long pushes are kept.
const KEPT: TimeDelta = TimeDelta::days(30);
/// How long a push may wait before its job counts as lost.
const WAITS: TimeDelta = TimeDelta::minutes(2);
/// A sender has one new job in so long: given-up ones must not heap up.
const TURN: TimeDelta = TimeDelta::hours(1);
/// Senders looked at in one go.
const AT_ONCE: u64 = 500;

/// What senders are found by; their openid lies open nowhere here.
pub(super) fn sender_key(app: &App, openid: &str) -> Result<String, Problem> {
    app.field_keys.blind_index("wechat_push.sender", openid)
}

/// Stores a push as it came, with the job that gives it its effect; one that was stored before stays what it is.
pub(super) async fn keep(tx: &Tx, app: &App, pushed: &Pushed, now: Instant) -> Result<(), Problem> {
    let id = WechatPushId::fresh();
    let sender = sender_key(app, &read::sender(&pushed.message))?;
    let identity = read::identity(&pushed.message, &pushed.text);
    let row = wechat_push::ActiveModel {
        id: Set(id),
        key: Set(app.field_keys.blind_index("wechat_push.key", &identity)?),
        sender: Set(sender.clone()),
        kind: Set(read::kind(&pushed.message)),
        body: Set(app.field_keys.close(&PrivateText::of_stored(pushed.text.clone()))?),
        state: Set(WechatPushState::Waiting),
        received_at: Set(now),
        processed_at: Set(None),
    };
    let once = OnConflict::column(wechat_push::Column::Key).do_nothing().to_owned();
    if wechat_push::Entity::insert(row).on_conflict(once).exec_without_returning(tx).await? == 0 {
        metrics::counter!("shuoshi_wechat_pushes_total", "outcome" => "repeated").increment(1);
        return Ok(());
    }
    metrics::counter!("shuoshi_wechat_pushes_total", "outcome" => "stored").increment(1);
    jobs::enqueue(tx, &Job::ProcessPushes { sender }, now, Some(format!("push {id}"))).await
}

/// Whether somebody's pushes that came until then have had no effect yet.
pub async fn has_waiting(tx: &Tx, app: &App, openid: &str, until: Instant) -> Result<bool, Problem> {
    let waiting = wechat_push::Entity::find()
        .filter(wechat_push::COLUMN.sender.eq(sender_key(app, openid)?))
        .filter(wechat_push::COLUMN.state.eq(WechatPushState::Waiting))
        .filter(wechat_push::COLUMN.received_at.lte(until));
    Ok(waiting.one(tx).await?.is_some())
}

/// Puts in again the jobs of pushes that wait longer than any job takes: theirs was given up.
pub async fn watch(tx: &Tx, now: Instant) -> Result<(), Problem> {
    let stuck: Vec<String> = wechat_push::Entity::find()
        .select_only()
        .column(wechat_push::Column::Sender)
        .filter(wechat_push::COLUMN.state.eq(WechatPushState::Waiting))
        .filter(wechat_push::COLUMN.received_at.lt(now - WAITS))
        .distinct()
        .limit(AT_ONCE)
        .into_tuple()
        .all(tx)
        .await?;
    let turn = now.timestamp() / TURN.num_seconds();
    for sender in stuck {
        let key = format!("push again {sender} {turn}");
        jobs::enqueue(tx, &Job::ProcessPushes { sender }, now, Some(key)).await?;
    }
    Ok(())
}

/// Forgets what is older than thirty days.
pub async fn forget(tx: &Tx, now: Instant) -> Result<(), Problem> {
    let old = wechat_push::COLUMN.received_at.lt(now - KEPT);
    wechat_push::Entity::delete_many().filter(old).exec(tx).await?;
    Ok(())
}

/// Forgets all that somebody sent.
pub async fn forget_sender(tx: &Tx, app: &App, openid: &str) -> Result<(), Problem> {
    let theirs = wechat_push::COLUMN.sender.eq(sender_key(app, openid)?);
    wechat_push::Entity::delete_many().filter(theirs).exec(tx).await?;
    Ok(())
}

/// The verdict of a trace came before anybody knew what it is about: it is taken up again.
pub async fn reprocess(tx: &Tx, app: &App, trace: &str, now: Instant) -> Result<(), Problem> {
    let key = app.field_keys.blind_index("wechat_push.key", &read::of_trace(trace))?;
    let early = wechat_push::Entity::find()
        .filter(wechat_push::COLUMN.key.eq(key))
        .filter(wechat_push::COLUMN.state.eq(WechatPushState::NotUnderstood))
        .one(tx)
        .await?;
    let Some(early) = early else { return Ok(()) };
    let sender = early.sender.clone();
    let mut early = early.into_active_model();
    early.state = Set(WechatPushState::Waiting);
    early.update(tx).await?;
    jobs::enqueue(tx, &Job::ProcessPushes { sender }, now, None).await
}
