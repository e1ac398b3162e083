//! What becomes of a delivery: every change of its state but the beginning of an attempt.
//!
//! A row has one channel and one state at a time. It is sent, waits, goes the next way when one has surely failed, ends at
//! the desk or in the inbox, or is read before. Next: [`super::start`], which begins an attempt, and [`super::outcome`],
//! which says which of these comes of it.

use chrono::TimeDelta;
use entity::{
    Instant,
    id::{NoticeId, StaffId},
    notice,
    notice_delivery::{self, NoticeChannel, NoticeDeliveryState as State},
    sealed::Sealed,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QuerySelect};

use super::{channels, facts, staff, start};
use crate::{
    app::App,
    db::{self, Tx},
    problem::Problem,
    subscriptions,
};

/// Why one waits for a message to the same person of which nobody knows whether it went.
pub(super) const BEHIND: &str = "behind_another";

pub(super) async fn save(tx: &Tx, row: notice_delivery::Model) -> Result<notice_delivery::Model, Problem> {
    Ok(row.into_active_model().reset_all().update(tx).await?)
}

pub(super) fn count(row: &notice_delivery::Model, outcome: &'static str) {
    let channel = match row.channel {
        NoticeChannel::Wechat => "wechat",
        NoticeChannel::Sms => "sms",
        NoticeChannel::Desk => "desk",
        NoticeChannel::Inbox => "inbox",
    };
    metrics::counter!("shuoshi_notices_total", "channel" => channel, "outcome" => outcome).increment(1);
}

/// How long a delivery waits for its next look, if there is one. One that another server is sending is looked at when
/// that must be over: the job is the same, and whoever comes late must not end it.
pub(super) fn wait_of(row: &notice_delivery::Model, now: Instant) -> Option<TimeDelta> {
    let next = match row.state {
        State::Waiting | State::Unknown => row.due_at,
        State::Sending => row.tried_at.map_or(now, |at| at + start::DEAD_AFTER),
        _ => return None,
    };
    Some((next - now).max(TimeDelta::zero()))
}

/// Where somebody has to call: on the list of the desk whose it is, if there is one.
pub(super) fn at_the_desk(row: &notice_delivery::Model) -> State {
    if row.desk().is_some() { State::ToCall } else { State::Failed }
}

/// The channel took it; a message of WeChat is one less that they take.
pub(super) async fn sent(
    tx: &Tx,
    row: notice_delivery::Model,
    msgid: Option<String>,
    now: Instant,
) -> Result<notice_delivery::Model, Problem> {
    if let (Some(openid), Some(template)) = (&row.in_flight, &row.template_id) {
        subscriptions::spent(tx, openid, template, now).await?;
    }
    count(&row, "sent");
    save(tx, notice_delivery::Model { state: State::Sent, msgid, in_flight: None, told_at: Some(now), ..row }).await
}

/// It goes the same way again, later.
pub(super) async fn wait_until(
    tx: &Tx,
    row: notice_delivery::Model,
    due_at: Instant,
    error: &str,
) -> Result<notice_delivery::Model, Problem> {
    count(&row, "put_off");
    let error = Some(error.to_owned());
    save(tx, notice_delivery::Model { state: State::Waiting, due_at, error, in_flight: None, ..row }).await
}

/// Hands it on to the next way after the one that failed.
pub(super) async fn hand_on(
    tx: &Tx,
    app: &App,
    row: notice_delivery::Model,
    error: &str,
    now: Instant,
) -> Result<notice_delivery::Model, Problem> {
    count(&row, "failed");
    let row = notice_delivery::Model { error: Some(error.to_owned()), in_flight: None, ..row };
    // Before anything is read by it: what was exhausted a moment ago counts.
    let row = save(tx, row).await?;
    let way = match facts::known_of(tx, app, &row, now).await? {
        Some((_, told)) if told.notices.is_empty() => {
            return save(tx, notice_delivery::Model { state: State::Read, ..row }).await;
        }
        Some((known, _)) => channels::way(known.standing, Some(row.channel)),
        None => NoticeChannel::Inbox,
    };
    send_by(tx, row, way, now).await
}

/// Sends it by this channel from now on.
pub(super) async fn send_by(
    tx: &Tx,
    row: notice_delivery::Model,
    channel: NoticeChannel,
    now: Instant,
) -> Result<notice_delivery::Model, Problem> {
    let row = notice_delivery::Model { channel, tries: 0, due_at: now, in_flight: None, ..row };
    let state = match channel {
        NoticeChannel::Wechat | NoticeChannel::Sms => State::Waiting,
        NoticeChannel::Desk => at_the_desk(&row),
        NoticeChannel::Inbox => State::Inbox,
    };
    let row = save(tx, notice_delivery::Model { state, ..row }).await?;
    if state == State::ToCall {
        staff::call_list_grew(tx, &row, now).await?;
    }
    if state == State::Failed {
        count(&row, "nobody");
        tracing::error!(delivery.id = %row.id, "nobody can tell somebody something: they belong to no village");
    }
    Ok(row)
}

/// Ends it.
pub(super) async fn over(tx: &Tx, row: notice_delivery::Model, state: State) -> Result<(), Problem> {
    save(tx, notice_delivery::Model { state, in_flight: None, ..row }).await.map(drop)
}

/// Somebody of a desk, and what they note of their call.
pub struct Call {
    /// Who.
    pub by: StaffId,
    /// For whoever looks later.
    pub text: Option<Sealed>,
}

/// Somebody was told by a person: by phone, at their door or on paper.
pub async fn called(
    tx: &Tx,
    row: notice_delivery::Model,
    how: &'static str,
    call: Call,
    now: Instant,
) -> Result<notice_delivery::Model, Problem> {
    count(&row, "sent");
    let (done_how, done_by) = (Some(how.to_owned()), Some(call.by));
    let told_at = Some(now);
    save(tx, notice_delivery::Model { state: State::Called, told_at, done_how, done_by, done_text: call.text, ..row })
        .await
}

/// Somebody could not be told; they stay on the list.
pub async fn not_reached(
    tx: &Tx,
    row: notice_delivery::Model,
    call: Call,
    now: Instant,
) -> Result<notice_delivery::Model, Problem> {
    let (tries, tried_at) = (row.tries.saturating_add(1), Some(now));
    let (done_how, done_by) = (Some("failed".to_owned()), Some(call.by));
    save(tx, notice_delivery::Model { tries, tried_at, done_how, done_by, done_text: call.text, ..row }).await
}

/// Somebody reads a notice in the app: when they have read all that goes with it, it need not be told any more.
pub(super) async fn read(tx: &Tx, id: NoticeId, now: Instant) -> Result<(), Problem> {
    let Some(own) = notice_delivery::Entity::find().filter(notice_delivery::COLUMN.notice_id.eq(id)).one(tx).await?
    else {
        return Ok(());
    };
    let head = notice_delivery::Entity::find_by_id(own.merged_into.unwrap_or(own.id))
        .filter(notice_delivery::COLUMN.state.is_in([State::Waiting, State::ToCall]))
        .lock_exclusive();
    let Some(head) = head.one(tx).await? else { return Ok(()) };
    let together = notice_delivery::COLUMN.merged_into.eq(head.id).or(notice_delivery::COLUMN.id.eq(head.id));
    let together: Vec<NoticeId> = notice_delivery::Entity::find()
        .select_only()
        .column(notice_delivery::Column::NoticeId)
        .filter(together)
        .into_tuple()
        .all(tx)
        .await?;
    let unread = notice::Entity::find()
        .filter(notice::COLUMN.id.is_in(db::padded(together)))
        .filter(notice::COLUMN.id.ne(id))
        .filter(notice::COLUMN.read_at.is_null());
    if unread.one(tx).await?.is_some() {
        return Ok(());
    }
    count(&head, "read");
    save(tx, notice_delivery::Model { state: State::Read, told_at: Some(now), ..head }).await.map(drop)
}

/// Forgets how notices went a year ago.
pub async fn forget(tx: &Tx, now: Instant) -> Result<(), Problem> {
    let old = notice_delivery::COLUMN.created_at.lt(now - TimeDelta::days(365));
    notice_delivery::Entity::delete_many().filter(old).exec(tx).await?;
    staff::forget(tx, now).await
}
