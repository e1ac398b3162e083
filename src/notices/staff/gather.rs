//! Taking what staff are to be told: one message a person, in a sweep that writes jobs.
//!
//! A message is what it was when it was made: its rows bear its number and its text, and whoever makes it again takes
//! those and no others, so that WeCom knows it for the same. While it is on its way, what else comes for its people
//! waits. Next: [`super::send()`], which says it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use chrono::TimeDelta;
use entity::{
    Instant,
    id::{StaffId, StaffNoticeId},
    notice_delivery::NoticeUrgency,
    staff_notice::{self, StaffNoticeState},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    group::robots,
    rows::{change, ids_of, mark, marked},
    send::{AGAIN, members},
    sentences,
};
use crate::{
    app::App,
    db::{Tx, padded},
    jobs::{self, Job},
    notices::hours,
    problem::Problem,
};

/// Rows taken in one go.
const BATCH: u64 = 500;
/// One message a person in so long.
const PAUSE: TimeDelta = TimeDelta::minutes(10);
/// How long a message may be on its way before it is made again; WeCom drops the second within half an hour.
const LEASE: TimeDelta = TimeDelta::minutes(3);
/// How long WeCom surely knows a message again (`duplicate_check_interval`, with a margin).
const KNOWN_AGAIN: TimeDelta = TimeDelta::minutes(25);
/// Fewer are no crowd.
const CROWD: usize = 50;

fn due(now: Instant) -> Select<staff_notice::Entity> {
    staff_notice::Entity::find().filter(on_their_way()).filter(staff_notice::COLUMN.due_at.lte(now))
}

fn on_their_way() -> Expr {
    staff_notice::COLUMN.state.is_in([StaffNoticeState::Waiting, StaffNoticeState::Sending])
}

/// Whether there is anything to bring: the one thing that is asked where there is not.
pub async fn has_waiting(app: &App) -> Result<bool, Problem> {
    Ok(due(app.clock.now()).limit(1).one(app.db.read()).await?.is_some())
}

/// Takes what is due and writes the jobs that say it.
pub async fn gather(app: &Arc<App>) -> Result<(), Problem> {
    let (shared, now) = (app.clone(), app.clock.now());
    app.db.transact(async move |tx| take(tx, &shared, now).await).await
}

/// What one person is to be told at once: what is new, or the rows of a message that was made before.
type Parcels = BTreeMap<(StaffId, Option<Uuid>), Vec<staff_notice::Model>>;

async fn take(tx: &Tx, app: &App, now: Instant) -> Result<(), Problem> {
    let rows = due(now).order_by_asc(staff_notice::Column::DueAt).limit(BATCH).lock_exclusive().all(tx).await?;
    if rows.is_empty() || (rows.len() > CROWD && hours::is_rush_minute(now)) {
        return Ok(());
    }
    let mut parcels = Parcels::new();
    for row in rows {
        parcels.entry((row.staff_id, row.message_id)).or_default().push(row);
    }
    let around = Around::look(tx, app, &parcels, now).await?;
    let mut going = Going::default();
    for ((id, message), mut rows) in parcels {
        rows.sort_by_key(|row| row.id);
        let ids = ids_of(&rows);
        if !around.reaches(id, &rows) || is_too_old(&rows, now) {
            mark(tx, &ids, StaffNoticeState::Inbox, now).await?;
        } else if let Some(later) = around.later(id, message, &rows) {
            mark(tx, &ids, StaffNoticeState::Waiting, later).await?;
        } else if !around.members.contains_key(&id) {
            going.in_groups.extend(ids);
        } else if let Some(message) = message {
            going.again.entry(message).or_default().extend(ids);
        } else {
            going.new.entry(sentences::message(&rows)).or_default().extend(ids);
        }
    }
    going.go(tx, now).await
}

/// Whether rows are of a message that may have gone, and that WeCom would not know again: once is enough, and the rest is
/// in the inbox.
fn is_too_old(rows: &[staff_notice::Model], now: Instant) -> bool {
    rows.iter().filter_map(|row| row.message_at).any(|at| now - at > KNOWN_AGAIN)
}

/// What is said now.
#[derive(Default)]
struct Going {
    /// By its text, which it shares with those of others: to members.
    new: BTreeMap<String, Vec<StaffNoticeId>>,
    /// By the message that it is part of: to members.
    again: BTreeMap<Uuid, Vec<StaffNoticeId>>,
    /// To who is no member.
    in_groups: Vec<StaffNoticeId>,
}

impl Going {
    /// Marks the rows and writes a job for each message.
    async fn go(self, tx: &Tx, now: Instant) -> Result<(), Problem> {
        let (sending, lease) = (StaffNoticeState::Sending, now + LEASE);
        for (text, notices) in self.new {
            let message = Uuid::now_v7();
            change(tx, &notices, |rows| {
                marked(rows, sending, lease)
                    .col_expr(staff_notice::Column::MessageId, Expr::val(message))
                    .col_expr(staff_notice::Column::MessageText, Expr::val(text.as_str()))
                    .col_expr(staff_notice::Column::MessageAt, Some(now).into())
            })
            .await?;
            jobs::enqueue(tx, &Job::TellStaff { notices }, now, None).await?;
        }
        let in_groups = Some(self.in_groups).filter(|notices| !notices.is_empty());
        for notices in self.again.into_values().chain(in_groups) {
            mark(tx, &notices, sending, lease).await?;
            jobs::enqueue(tx, &Job::TellStaff { notices }, now, None).await?;
        }
        Ok(())
    }
}

/// What is known of those who are to be told, looked up once for all of them.
struct Around {
    now: Instant,
    members: HashMap<StaffId, String>,
    robots: HashMap<StaffNoticeId, String>,
    /// The end of the night, if it is night.
    night: Option<Instant>,
    /// When they were sent a message last, of those who were within the pause.
    lately: HashMap<StaffId, Instant>,
    /// Those to whom a message is on its way.
    awaiting: HashSet<StaffId>,
}

impl Around {
    async fn look(tx: &Tx, app: &App, parcels: &Parcels, now: Instant) -> Result<Self, Problem> {
        let ids: Vec<StaffId> = parcels.keys().map(|(id, _)| *id).collect();
        Ok(Self {
            now,
            members: members(tx, app, &ids).await?,
            robots: robots(tx, app, parcels.values().flatten(), now).await?,
            night: hours::quiet_until(&app.config.notices, now),
            lately: lately(tx, &ids, now).await?,
            awaiting: awaiting(tx, &ids).await?,
        })
    }

    /// Whether anything beside the inbox reaches them.
    fn reaches(&self, id: StaffId, rows: &[staff_notice::Model]) -> bool {
        self.members.contains_key(&id) || rows.iter().any(|row| self.robots.contains_key(&row.id))
    }

    /// When they are told, where that is not now: after the night; after the pause, where it is no message made before.
    /// Danger waits for nothing.
    fn later(&self, id: StaffId, message: Option<Uuid>, rows: &[staff_notice::Model]) -> Option<Instant> {
        if rows.iter().any(|row| row.urgency == NoticeUrgency::Danger) {
            return None;
        }
        let busy = || {
            let awaits = self.awaiting.contains(&id).then(|| self.now + AGAIN);
            awaits.or_else(|| self.lately.get(&id).map(|at| *at + PAUSE))
        };
        self.night.or_else(|| if message.is_none() { busy() } else { None })
    }
}

async fn lately(
    db: &impl ConnectionTrait,
    ids: &[StaffId],
    now: Instant,
) -> Result<HashMap<StaffId, Instant>, Problem> {
    let rows: Vec<(StaffId, Option<Instant>)> = staff_notice::Entity::find()
        .select_only()
        .column(staff_notice::Column::StaffId)
        .column_as(staff_notice::Column::SentAt.max(), "sent_at")
        .filter(staff_notice::COLUMN.staff_id.is_in(padded(ids.iter().copied())))
        .filter(staff_notice::COLUMN.sent_at.gt(now - PAUSE))
        .group_by(staff_notice::Column::StaffId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().filter_map(|(id, at)| Some((id, at?))).collect())
}

async fn awaiting(db: &impl ConnectionTrait, ids: &[StaffId]) -> Result<HashSet<StaffId>, Problem> {
    let rows: Vec<StaffId> = staff_notice::Entity::find()
        .select_only()
        .column(staff_notice::Column::StaffId)
        .filter(staff_notice::COLUMN.staff_id.is_in(padded(ids.iter().copied())))
        .filter(on_their_way())
        .filter(staff_notice::COLUMN.message_id.is_not_null())
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}
