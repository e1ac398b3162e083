//! What becomes of a delivery: every change of its state but the beginning of an attempt.

use chrono::TimeDelta;
use entity::{
    Instant,
    id::{NoticeId, PersonId},
    notice,
    notice_delivery::{self, NoticeChannel, NoticeDeliveryState as State, NoticeUrgency},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use secrecy::ExposeSecret;

use super::{channels, hours, kinds, ledger, plan, staff, start};
use crate::{
    app::App,
    db::{self, Tx},
    problem::Problem,
};

/// Attempts by one channel before the next is taken.
const TRIES: i32 = 6;
/// Why one waits for a message to the same person of which nobody knows whether it went.
pub(super) const BEHIND: &str = "behind_another";
/// How far WeChat's clock may lie behind ours; it tells whole seconds.
const SKEW: TimeDelta = TimeDelta::seconds(5);

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// The channel took it.
    Sent {
        /// WeChat's number of it.
        msgid: Option<String>,
    },
    /// It may have gone or not.
    Unanswered(&'static str),
    /// It has not gone and may later.
    Again {
        /// How much later.
        wait: TimeDelta,
        /// Why.
        error: &'static str,
    },
    /// It has not gone and will not today.
    Tomorrow(&'static str),
    /// It will not go this way.
    Refused {
        /// Why.
        error: &'static str,
        /// They take no more of this template.
        exhausted: bool,
    },
}

impl Outcome {
    pub(super) fn refused(error: &'static str) -> Self {
        Self::Refused { error, exhausted: false }
    }
}

/// The pause after so many tries: two seconds and twice as much each time, with something by chance.
pub(super) fn backoff(tries: i32) -> TimeDelta {
    TimeDelta::milliseconds((1_000_i64 << tries.clamp(1, 8)) + rand::random_range(0..1_000))
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

/// Writes down what came of an attempt, where it is still this one that is waited for; says how long to wait then.
pub(super) async fn note(
    tx: &Tx,
    app: &App,
    begun: &notice_delivery::Model,
    outcome: &Outcome,
    now: Instant,
) -> Result<Option<TimeDelta>, Problem> {
    let Some(row) = notice_delivery::Entity::find_by_id(begun.id).lock_exclusive().one(tx).await? else {
        return Ok(None);
    };
    if row.state != State::Sending || row.tried_at != begun.tried_at {
        // WeChat's report was faster, or this took so long that another went on.
        return Ok(wait_of(&row, now));
    }
    let row = match outcome {
        Outcome::Sent { msgid } => sent(tx, row, msgid.clone(), now).await?,
        Outcome::Unanswered(error) => unanswered(tx, app, row, error, now).await?,
        Outcome::Again { error, .. } if row.tries >= TRIES => next(tx, app, row, error, now).await?,
        Outcome::Again { wait, error } => wait_until(tx, row, now + *wait, error).await?,
        Outcome::Tomorrow(error) if row.urgency >= NoticeUrgency::Urgent => next(tx, app, row, error, now).await?,
        Outcome::Tomorrow(error) => {
            let morning = hours::next_morning(&app.config.notices, row.person_id, now);
            wait_until(tx, notice_delivery::Model { put_off: true, ..row }, morning, error).await?
        }
        Outcome::Refused { error, exhausted } => {
            if let (true, Some(openid), Some(template)) = (*exhausted, &row.in_flight, &row.template_id) {
                ledger::exhausted(tx, openid, template, now).await?;
            }
            next(tx, app, row, error, now).await?
        }
    };
    Ok(wait_of(&row, now))
}

async fn save(tx: &Tx, row: notice_delivery::Model) -> Result<notice_delivery::Model, Problem> {
    Ok(row.into_active_model().reset_all().update(tx).await?)
}

fn count(row: &notice_delivery::Model, outcome: &'static str) {
    let channel = match row.channel {
        NoticeChannel::Wechat => "wechat",
        NoticeChannel::Sms => "sms",
        NoticeChannel::Desk => "desk",
        NoticeChannel::Inbox => "inbox",
    };
    metrics::counter!("shuoshi_notices_total", "channel" => channel, "outcome" => outcome).increment(1);
}

async fn sent(
    tx: &Tx,
    row: notice_delivery::Model,
    msgid: Option<String>,
    now: Instant,
) -> Result<notice_delivery::Model, Problem> {
    if let (Some(openid), Some(template)) = (&row.in_flight, &row.template_id) {
        ledger::spent(tx, openid, template, now).await?;
    }
    count(&row, "sent");
    save(tx, notice_delivery::Model { state: State::Sent, msgid, in_flight: None, told_at: Some(now), ..row }).await
}

async fn wait_until(
    tx: &Tx,
    row: notice_delivery::Model,
    due_at: Instant,
    error: &str,
) -> Result<notice_delivery::Model, Problem> {
    count(&row, "put_off");
    let error = Some(error.to_owned());
    save(tx, notice_delivery::Model { state: State::Waiting, due_at, error, in_flight: None, ..row }).await
}

/// No answer came. WeChat tells by an event whether it took a message, where it may push; a gateway that drops repetitions
/// is asked again. Else the message counts as sent: it most likely went, and twice is as bad as late. What is urgent or
/// must be heard goes the next way all the same.
pub(super) async fn unanswered(
    tx: &Tx,
    app: &App,
    row: notice_delivery::Model,
    error: &str,
    now: Instant,
) -> Result<notice_delivery::Model, Problem> {
    let error = Some(error.to_owned());
    match row.channel {
        NoticeChannel::Wechat if !app.config.wechat.push_token.expose_secret().is_empty() => {
            count(&row, "unknown");
            let due_at = now + TimeDelta::seconds(app.config.notices.unknown_after_s.into());
            save(tx, notice_delivery::Model { state: State::Unknown, due_at, error, ..row }).await
        }
        NoticeChannel::Sms if app.sms.drops_repeats() && row.tries < TRIES => {
            let due_at = now + backoff(row.tries);
            save(tx, notice_delivery::Model { state: State::Waiting, due_at, error, ..row }).await
        }
        _ if row.urgency >= NoticeUrgency::Urgent || must(tx, &row).await? => {
            next(tx, app, row, "no_answer", now).await
        }
        _ => sent(tx, notice_delivery::Model { error, ..row }, None, now).await,
    }
}

/// Whether it, or something that goes with it, has to be heard.
async fn must(tx: &Tx, row: &notice_delivery::Model) -> Result<bool, Problem> {
    let gathered: Vec<String> = notice_delivery::Entity::find()
        .select_only()
        .column(notice_delivery::Column::Kind)
        .filter(notice_delivery::COLUMN.merged_into.eq(row.id))
        .into_tuple()
        .all(tx)
        .await?;
    Ok(kinds::of(&row.kind).must || gathered.iter().any(|kind| kinds::of(kind).must))
}

/// WeChat had time enough to report and did not: it has not taken the message.
pub(super) async fn no_word(
    tx: &Tx,
    app: &App,
    row: notice_delivery::Model,
    now: Instant,
) -> Result<notice_delivery::Model, Problem> {
    next(tx, app, row, "no_report", now).await
}

/// Takes the next way after the one that failed.
pub(super) async fn next(
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
    let way = match start::known_of(tx, app, &row, now).await? {
        Some((_, told)) if told.notices.is_empty() => {
            return save(tx, notice_delivery::Model { state: State::Read, ..row }).await;
        }
        Some((known, _)) => channels::way(known.standing, Some(row.channel)),
        None => NoticeChannel::Inbox,
    };
    take(tx, row, way, now).await
}

/// Sends a delivery another way.
pub(super) async fn take(
    tx: &Tx,
    row: notice_delivery::Model,
    channel: NoticeChannel,
    now: Instant,
) -> Result<notice_delivery::Model, Problem> {
    let row = notice_delivery::Model { channel, tries: 0, due_at: now, in_flight: None, ..row };
    let state = match channel {
        NoticeChannel::Wechat | NoticeChannel::Sms => State::Waiting,
        NoticeChannel::Desk => plan::at_the_desk(&row),
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

/// Ends a delivery.
pub(super) async fn over(tx: &Tx, row: notice_delivery::Model, state: State) -> Result<(), Problem> {
    save(tx, notice_delivery::Model { state, in_flight: None, ..row }).await.map(drop)
}

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

/// The message that a report is on: by its number, else one that was sent lately and has none, else the one on its way.
/// None was sent after its report.
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
        .filter(notice_delivery::COLUMN.tried_at.lte(report.at + SKEW));
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

/// WeChat reports on a message (`subscribe_msg_sent_event`): the only word on one without an answer.
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
            let row = next(tx, app, notice_delivery::Model { told_at: None, ..row }, "not_brought", now).await?;
            resume(tx, &row).await?;
        }
        _ => {}
    }
    if was == State::Unknown { on_with_the_next(tx, person, now).await } else { Ok(()) }
}

/// A delivery that was over goes on: its job may be done long ago.
async fn resume(tx: &Tx, row: &notice_delivery::Model) -> Result<(), Problem> {
    if row.state == State::Waiting {
        let job = crate::jobs::Job::SendNotice { delivery: row.id };
        crate::jobs::enqueue(tx, &job, row.due_at, None).await?;
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
