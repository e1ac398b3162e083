//! WeChat's reports on messages (`subscribe_msg_sent_event`): the only word on one without an answer.
//!
//! A report names person and template and, by a number, its message; an answer that was lost named no number. So it is
//! looked for by what is known. Next: [`super::delivery`] for what becomes of the one that is found.

use chrono::TimeDelta;
use entity::{
    Instant,
    id::PersonId,
    notice_delivery::{self, NoticeChannel, NoticeDeliveryState as State},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::delivery::{BEHIND, hand_on, save, sent};
use crate::{
    app::App,
    db::Tx,
    jobs::{self, Job},
    problem::Problem,
};

/// How far WeChat's clock may lie behind ours at most: as far as that of a push that is taken (`crate::pushes`).
const MOST_SKEW: TimeDelta = TimeDelta::minutes(10);

/// A report of WeChat on one message.
#[derive(Clone, Copy, Debug)]
pub struct SentReport<'a> {
    /// To whom.
    pub openid: &'a str,
    /// By which template.
    pub template: &'a str,
    /// WeChat's number of it.
    pub msgid: &'a str,
    /// It arrived.
    pub ok: bool,
    /// When that was.
    pub at: Instant,
}

/// How much earlier than its message a report may seem to be. Of two messages of which nobody knows, the second is not
/// sent before the first is given up: as long as this is shorter than the time until then, no late report on the first is
/// taken for one on the second.
fn skew(app: &App) -> TimeDelta {
    MOST_SKEW.min(TimeDelta::seconds(app.config.notices.unknown_after_s.into()) * 2 / 3)
}

/// The message that a report is on: by its number, else one that was sent lately and has none, else the one on its way.
/// None was sent after its report, as far as clocks can tell.
async fn reported(tx: &Tx, app: &App, report: SentReport<'_>) -> Result<Option<notice_delivery::Model>, Problem> {
    let by_number = notice_delivery::Entity::find().filter(notice_delivery::COLUMN.msgid.eq(report.msgid));
    if let Some(row) = by_number.lock_exclusive().one(tx).await? {
        return Ok(Some(row));
    }
    let lately = report.at - TimeDelta::seconds(app.config.notices.unknown_after_s.into());
    let theirs = notice_delivery::Entity::find()
        .filter(notice_delivery::COLUMN.openid.eq(report.openid))
        .filter(notice_delivery::COLUMN.template_id.eq(report.template))
        .filter(notice_delivery::COLUMN.channel.eq(NoticeChannel::Wechat))
        .filter(notice_delivery::COLUMN.tried_at.lte(report.at + skew(app)));
    let without_number = theirs
        .clone()
        .filter(notice_delivery::COLUMN.state.eq(State::Sent))
        .filter(notice_delivery::COLUMN.msgid.is_null())
        .filter(notice_delivery::COLUMN.tried_at.gte(lately))
        .order_by_asc(notice_delivery::Column::TriedAt);
    if let Some(row) = without_number.lock_exclusive().one(tx).await? {
        return Ok(Some(row));
    }
    let on_its_way = theirs
        .filter(notice_delivery::COLUMN.in_flight.eq(report.openid))
        .filter(notice_delivery::COLUMN.state.is_in([State::Sending, State::Unknown]));
    Ok(on_its_way.lock_exclusive().one(tx).await?)
}

/// WeChat reports on a message.
///
/// # Errors
/// Those of the database.
pub async fn sent_event(tx: &Tx, app: &App, report: SentReport<'_>, now: Instant) -> Result<(), Problem> {
    let Some(row) = reported(tx, app, report).await? else {
        metrics::counter!("shuoshi_notices_total", "channel" => "wechat", "outcome" => "late_report").increment(1);
        return Ok(());
    };
    let (was, person) = (row.state, row.person_id);
    let row = notice_delivery::Model { msgid: Some(report.msgid.to_owned()), ..row };
    match (row.state, report.ok) {
        (State::Sending | State::Unknown, true) => {
            sent(tx, row, Some(report.msgid.to_owned()), now).await?;
        }
        // The number that its answer did not name.
        (State::Sent, true) => {
            save(tx, row).await?;
        }
        // Taken, and then not brought: failures of WeChat's own (the event's page).
        (State::Sending | State::Unknown | State::Sent, false) if row.channel == NoticeChannel::Wechat => {
            let row = hand_on(tx, app, notice_delivery::Model { told_at: None, ..row }, "not_brought", now).await?;
            resume(tx, &row).await?;
        }
        _ => {}
    }
    if was == State::Unknown { on_with_the_next(tx, person, now).await } else { Ok(()) }
}

/// A delivery that was over goes on: its job may be done long ago.
async fn resume(tx: &Tx, row: &notice_delivery::Model) -> Result<(), Problem> {
    if row.state == State::Waiting {
        jobs::enqueue(tx, &Job::SendNotice { delivery: row.id }, row.due_at, None).await?;
    }
    Ok(())
}

/// What waited behind a message of which now there is word need not wait any more.
async fn on_with_the_next(tx: &Tx, person: PersonId, now: Instant) -> Result<(), Problem> {
    let behind = notice_delivery::Entity::find()
        .filter(notice_delivery::COLUMN.person_id.eq(person))
        .filter(notice_delivery::COLUMN.state.eq(State::Waiting))
        .filter(notice_delivery::COLUMN.error.eq(BEHIND))
        .lock_exclusive();
    for row in behind.all(tx).await? {
        let row = save(tx, notice_delivery::Model { due_at: now, error: None, ..row }).await?;
        resume(tx, &row).await?;
    }
    Ok(())
}
