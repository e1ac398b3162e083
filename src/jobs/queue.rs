//! The table: putting jobs in and taking them out.

use chrono::TimeDelta;
use entity::{
    Instant,
    id::{DataExportId, JobId, NoticeDeliveryId, NoticeId, StaffNoticeId},
    job,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, DatabaseConnection, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Set,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType, OnConflict},
};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    content::Question,
    db::{self, Tx},
    personal::{Personal, PhoneNumber, PrivateText},
    problem::Problem,
    webhooks::Attempt,
};

/// Everything that can be done later. The worker matches on it: a job nobody handles does not compile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Job {
    /// Brings notices to their people: those that one transaction wrote.
    DeliverNotices {
        /// Which.
        notices: Vec<NoticeId>,
    },
    /// Sends a text message; number and words are sealed here too.
    SendSms {
        /// To whom.
        to: String,
        /// What.
        text: String,
        /// From then on it is worth nothing.
        #[serde(default)]
        until: Option<Instant>,
    },
    /// Puts together the copy of their own data that somebody asked for.
    BuildExport {
        /// Which.
        export: DataExportId,
    },
    /// Gives what WeChat pushed of one user its effect.
    ProcessPushes {
        /// A keyed hash of the user's openid.
        sender: String,
    },
    /// Has something that others are to see judged by `WeChat`.
    CheckContent(Question),
    /// Tells a server of others what became of a case.
    DeliverEvent(Attempt),
    /// Tells somebody something beside the inbox.
    SendNotice {
        /// Which.
        delivery: NoticeDeliveryId,
    },
    /// Says to staff what was gathered for them.
    TellStaff {
        /// Which.
        notices: Vec<StaffNoticeId>,
    },
}

/// Kinds of jobs that wait for servers of others, and so have a loop of their own.
const OUTSIDE: [&str; 5] = ["deliver_event", "check_content", "send_notice", "send_sms", "tell_staff"];

/// Which jobs a loop takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// Those whose time is ours.
    House,
    /// Those whose time is somebody else's.
    Outside,
}

/// How a job ended.
#[derive(Clone, Debug)]
pub(super) enum Ended {
    Done,
    /// In words, for the log.
    Failed(String),
    /// It was not tried and counts for nothing: again after so long.
    NotNow(TimeDelta),
}

/// How long a claimed job is left alone.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// Jobs claimed at once: their bookkeeping shares its commits.
pub(super) const BATCH: usize = 64;
/// Tries before a job is left for a human.
const TRIES: i32 = 8;
/// How long done jobs are kept, and those that nobody looked at after they were given up: what they hold may be personal.
const DONE_KEPT: TimeDelta = TimeDelta::days(7);
const DEAD_KEPT: TimeDelta = TimeDelta::days(30);
/// Texts of one sort that come closer together are one text.
const SELDOM: TimeDelta = TimeDelta::minutes(10);

/// Puts a job in the caller's transaction. With a `key`, a second job of the same key is none.
pub async fn enqueue(tx: &Tx, job: &Job, run_at: Instant, key: Option<String>) -> Result<(), Problem> {
    let once = OnConflict::column(job::Column::Key).do_nothing().to_owned();
    job::Entity::insert(row(job, run_at, key)?).on_conflict(once).exec_without_returning(tx).await?;
    Ok(())
}

/// Puts a job in that is the only one of its key: one that is over begins anew, one that lives stays as it is.
pub async fn enqueue_anew(tx: &Tx, job: &Job, run_at: Instant, key: String) -> Result<(), Problem> {
    let over = |column| Expr::col((job::Entity, column)).is_not_null();
    let anew = OnConflict::column(job::Column::Key)
        .update_columns([
            job::Column::RunAt,
            job::Column::Attempts,
            job::Column::LeasedUntil,
            job::Column::DoneAt,
            job::Column::DeadAt,
        ])
        .action_and_where(over(job::Column::DoneAt).or(over(job::Column::DeadAt)))
        .to_owned();
    job::Entity::insert(row(job, run_at, Some(key))?).on_conflict(anew).exec_without_returning(tx).await?;
    Ok(())
}

/// Puts many jobs in, each at its time.
pub async fn enqueue_all(tx: &Tx, jobs: Vec<(Job, Instant)>) -> Result<(), Problem> {
    let rows = jobs.iter().map(|(job, run_at)| row(job, *run_at, None)).collect::<Result<_, _>>()?;
    Ok(db::insert_all::<job::ActiveModel>(tx, rows).await?)
}

fn row(job: &Job, run_at: Instant, key: Option<String>) -> Result<job::ActiveModel, Problem> {
    let payload = serde_json::to_value(job).map_err(Problem::unexpected)?;
    let kind = payload.get("kind").and_then(|kind| kind.as_str()).unwrap_or_default().to_owned();
    Ok(job::ActiveModel {
        id: Set(JobId::fresh()),
        kind: Set(kind),
        payload: Set(payload),
        key: Set(key),
        run_at: Set(run_at),
        attempts: Set(0),
        leased_until: Set(None),
        done_at: Set(None),
        dead_at: Set(None),
        last_error: Set(None),
        created_at: Set(run_at),
    })
}

/// A text message that is to go.
pub struct Text<'a> {
    /// A mobile number.
    pub to: &'a PhoneNumber,
    /// What it says.
    pub words: String,
    /// When it goes.
    pub at: Instant,
    /// From then on it is worth nothing: a code that is over.
    pub until: Option<Instant>,
    /// Of which sort it is, where one in ten minutes is enough.
    pub sort: Option<String>,
}

/// Puts a text message in the caller's transaction; none where another of its sort goes within ten minutes.
pub async fn enqueue_sms(tx: &Tx, app: &App, text: Text<'_>) -> Result<(), Problem> {
    let Text { to, words, at, until, sort } = text;
    let span = at.timestamp() / SELDOM.num_seconds();
    let key = |sort: &str, span: i64| format!("text {sort} {span}");
    if let Some(sort) = &sort {
        let near = job::Entity::find()
            .filter(job::COLUMN.key.is_in([key(sort, span - 1), key(sort, span), key(sort, span + 1)]))
            .filter(job::COLUMN.run_at.gt(at - SELDOM))
            .filter(job::COLUMN.run_at.lt(at + SELDOM));
        if near.one(tx).await?.is_some() {
            return Ok(());
        }
    }
    let (to, words) = (app.field_keys.close(to)?, app.field_keys.close(&PrivateText::of_stored(words))?);
    let job = Job::SendSms { to: to.0, text: words.0, until };
    enqueue(tx, &job, at, sort.map(|sort| key(&sort, span))).await
}

fn waiting() -> Condition {
    Condition::all().add(job::COLUMN.done_at.is_null()).add(job::COLUMN.dead_at.is_null())
}

/// Claims the jobs of a lane that are due longest, in one statement; on `PostgreSQL` rows that others claim are passed
/// over.
pub(super) async fn claim(app: &App, lane: Lane, most: usize) -> Result<Vec<job::Model>, Problem> {
    let now = app.clock.now();
    let claimed = app
        .db
        .transact(async move |tx| {
            let ours = match lane {
                Lane::House => job::COLUMN.kind.is_not_in(OUTSIDE),
                Lane::Outside => job::COLUMN.kind.is_in(OUTSIDE),
            };
            let next = job::Entity::find()
                .select_only()
                .column(job::Column::Id)
                .filter(waiting().add(job::COLUMN.run_at.lte(now)).add(ours))
                .filter(job::COLUMN.leased_until.is_null().or(job::COLUMN.leased_until.lt(now)))
                .order_by_asc(job::Column::RunAt)
                .limit(most as u64)
                .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
                .into_query();
            Ok(job::Entity::update_many()
                .col_expr(job::Column::LeasedUntil, (now + LEASE).into())
                .col_expr(job::Column::Attempts, Expr::col(job::Column::Attempts).add(1))
                .filter(job::Column::Id.in_subquery(next))
                .exec_with_returning(tx)
                .await?)
        })
        .await?;
    Ok(claimed)
}

/// Marks jobs done, or sets the next try (2^n seconds, with jitter), or gives them up.
pub(super) async fn settle(app: &App, ran: Vec<(job::Model, Ended)>) -> Result<(), Problem> {
    let now = app.clock.now();
    app.db
        .transact(async move |tx| {
            let done = ran.iter().filter(|(_, ended)| matches!(ended, Ended::Done));
            let done: Vec<JobId> = done.map(|(job, _)| job.id).collect();
            job::Entity::update_many()
                .col_expr(job::Column::DoneAt, now.into())
                .col_expr(job::Column::LeasedUntil, Option::<Instant>::None.into())
                .filter(job::COLUMN.id.is_in(done))
                .exec(tx)
                .await?;
            for (job, ended) in &ran {
                match ended {
                    Ended::Done => {}
                    Ended::Failed(reason) => put_off(tx, job, reason, now).await?,
                    Ended::NotNow(wait) => {
                        let mut row = job.clone().into_active_model();
                        row.leased_until = Set(None);
                        row.attempts = Set(job.attempts - 1);
                        row.run_at = Set(now + *wait);
                        row.update(tx).await?;
                    }
                }
            }
            Ok(())
        })
        .await
}

async fn put_off(tx: &Tx, job: &job::Model, reason: &str, now: Instant) -> Result<(), Problem> {
    let attempts = job.attempts;
    let mut row = job.clone().into_active_model();
    row.leased_until = Set(None);
    row.last_error = Set(Some(reason.to_owned()));
    if attempts >= TRIES {
        row.dead_at = Set(Some(now));
    } else {
        let wait = TimeDelta::milliseconds((1_000_i64 << attempts.clamp(0, 12)) + rand::random_range(0..500));
        row.run_at = Set(now + wait);
    }
    row.update(tx).await?;
    Ok(())
}

/// How many seconds the job that is due longest has been waiting.
pub async fn queue_age_s(db: &DatabaseConnection, now: Instant) -> Result<i64, Problem> {
    let oldest: Option<Option<Instant>> = job::Entity::find()
        .select_only()
        .column(job::Column::RunAt)
        .filter(waiting().add(job::COLUMN.run_at.lte(now)))
        .order_by_asc(job::Column::RunAt)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    Ok(oldest.flatten().map_or(0, |at| (now - at).num_seconds()))
}

/// Forgets jobs done more than a week ago, and those given up more than thirty days ago.
pub(super) async fn forget_old(tx: &Tx, now: Instant) -> Result<(), Problem> {
    let old =
        Condition::any().add(job::COLUMN.done_at.lt(now - DONE_KEPT)).add(job::COLUMN.dead_at.lt(now - DEAD_KEPT));
    job::Entity::delete_many().filter(old).exec(tx).await?;
    Ok(())
}
