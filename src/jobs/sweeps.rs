//! Sweeps: plain functions that look for what is due and do it; running one twice does nothing twice.
//!
//! The table `sweep` says when each is due; a conditional update lets one server in at a time. What a sweep does is
//! guarded by itself (versioned updates, unique keys), so a lost lease costs work, never truth.

use std::sync::Arc;

use chrono::TimeDelta;
use entity::sweep;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, Set, sea_query::OnConflict};

use crate::{
    app::App, audit, cases, content, files, notices, open311, people, problem::Problem, publications, pushes, staffing,
    talks, webhooks,
};

/// Every sweep: its name and how often it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// Talk rules become dated talk days.
    MaterialiseTalkDays,
    /// Places held for a waiting list whose time ran out.
    MoveWaitingLists,
    /// Cases whose step fell due by silence: accepted, signed, completed, archived.
    CaseClocks,
    /// Lights that turn, and steps of supervision.
    WatchDueDates,
    /// Due dates that another calendar moves.
    RecalculateDueDates,
    /// Words of new cases, by which they are found.
    KeepWords,
    /// Absences that begin or end: open work moves to the stand-in and back.
    CoverAbsences,
    /// Answers, tokens and jobs whose time is over.
    Forget,
    /// Personal data whose time is over, and children who turned 14.
    Retain,
    /// Entries of the audit that were kept long enough.
    CutAudit,
    /// What receivers are to be told of cases.
    TellReceivers,
    /// What others are to see and nobody judged in time.
    WatchContent,
    /// What has had its last day on the page of a village.
    ExpirePublications,
    /// Files that hang on nothing, and uploads that were given up.
    SweepFiles,
    /// Bytes that no row names.
    SweepOrphans,
    /// What staff are to be told.
    TellStaff,
    /// Notices, their deliveries and pushes whose job was given up.
    WatchNotices,
}

impl Sweep {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::MaterialiseTalkDays,
        Self::MoveWaitingLists,
        Self::CaseClocks,
        Self::WatchDueDates,
        Self::RecalculateDueDates,
        Self::KeepWords,
        Self::CoverAbsences,
        Self::Forget,
        Self::Retain,
        Self::CutAudit,
        Self::TellReceivers,
        Self::WatchContent,
        Self::ExpirePublications,
        Self::SweepFiles,
        Self::SweepOrphans,
        Self::TellStaff,
        Self::WatchNotices,
    ];

    /// The key of its row.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MaterialiseTalkDays => "materialise_talk_days",
            Self::MoveWaitingLists => "move_waiting_lists",
            Self::CaseClocks => "case_clocks",
            Self::WatchDueDates => "watch_due_dates",
            Self::RecalculateDueDates => "recalculate_due_dates",
            Self::KeepWords => "keep_words",
            Self::CoverAbsences => "cover_absences",
            Self::Forget => "forget",
            Self::Retain => "retain",
            Self::CutAudit => "cut_audit",
            Self::TellReceivers => "tell_receivers",
            Self::WatchContent => "watch_content",
            Self::ExpirePublications => "expire_publications",
            Self::SweepFiles => "sweep_files",
            Self::SweepOrphans => "sweep_orphans",
            Self::TellStaff => "tell_staff",
            Self::WatchNotices => "watch_notices",
        }
    }

    fn every(self) -> TimeDelta {
        match self {
            Self::MaterialiseTalkDays | Self::ExpirePublications => TimeDelta::hours(1),
            Self::KeepWords => TimeDelta::seconds(15),
            Self::MoveWaitingLists | Self::CaseClocks => TimeDelta::seconds(30),
            Self::CoverAbsences
            | Self::WatchDueDates
            | Self::RecalculateDueDates
            | Self::WatchContent
            | Self::WatchNotices => TimeDelta::seconds(60),
            Self::Forget => TimeDelta::hours(6),
            Self::Retain => TimeDelta::hours(12),
            Self::CutAudit | Self::SweepOrphans => TimeDelta::hours(24),
            Self::TellReceivers | Self::TellStaff => TimeDelta::seconds(5),
            Self::SweepFiles => TimeDelta::minutes(30),
        }
    }
}

/// How long one server may take over a sweep before another may try.
const LEASE: TimeDelta = TimeDelta::minutes(5);

/// Runs the sweeps that are due; says how many.
pub(super) async fn run_due(app: &Arc<App>) -> Result<u32, Problem> {
    let mut ran = 0;
    for sweep in Sweep::ALL {
        if take(app, sweep).await? {
            let outcome = run(app, sweep).await;
            let label = if outcome.is_ok() { "done" } else { "failed" };
            metrics::counter!("shuoshi_sweeps_total", "name" => sweep.name(), "outcome" => label).increment(1);
            release(app, sweep, outcome.is_ok()).await?;
            outcome?;
            ran += 1;
        }
    }
    Ok(ran)
}

/// Runs one now, due or not.
pub async fn run(app: &Arc<App>, sweep: Sweep) -> Result<(), Problem> {
    match sweep {
        Sweep::MaterialiseTalkDays => talks::jobs::materialise(app).await,
        Sweep::MoveWaitingLists => talks::jobs::move_waiting_lists(app).await,
        Sweep::CaseClocks => cases::jobs::run_clocks(app).await,
        Sweep::WatchDueDates => cases::jobs::watch_due_dates(app).await,
        Sweep::RecalculateDueDates => cases::jobs::recalculate(app).await,
        Sweep::KeepWords => cases::keep_words(app).await,
        Sweep::CoverAbsences => staffing::jobs::cover_absences(app).await,
        Sweep::Forget => forget(app).await,
        Sweep::Retain => people::retain(app).await,
        Sweep::CutAudit => audit::keep::cut_old(app).await,
        Sweep::TellReceivers => webhooks::fan_out(app).await,
        Sweep::WatchContent => content::watch(app).await,
        Sweep::ExpirePublications => publications::expire(app).await,
        Sweep::SweepFiles => files::sweep(app).await,
        Sweep::SweepOrphans => files::sweep_orphans(app).await,
        Sweep::TellStaff => notices::staff::gather(app).await,
        Sweep::WatchNotices => notices::watch(app).await,
    }
}

async fn take(app: &Arc<App>, sweep: Sweep) -> Result<bool, Problem> {
    let now = app.clock.now();
    // Most looks find nothing due: a read is enough for them.
    let row = sweep::Entity::find_by_id(sweep.name().to_owned()).one(app.db.read()).await?;
    let idle = |row: &sweep::Model| row.due_at > now || row.leased_until.is_some_and(|until| until > now);
    if row.as_ref().is_some_and(idle) {
        return Ok(false);
    }
    // Where nobody is to be told, this one must not cost a write every few seconds.
    if sweep == Sweep::TellReceivers && !webhooks::has_receivers(app).await? {
        return Ok(false);
    }
    if sweep == Sweep::TellStaff && !notices::staff::has_waiting(app).await? {
        return Ok(false);
    }
    app.db
        .transact(async move |tx| {
            let first = sweep::ActiveModel {
                name: Set(sweep.name().to_owned()),
                due_at: Set(now),
                leased_until: Set(None),
                last_run_at: Set(None),
                mark: Set(None),
            };
            let known = OnConflict::column(sweep::Column::Name).do_nothing().to_owned();
            sweep::Entity::insert(first).on_conflict(known).exec_without_returning(tx).await?;
            let free =
                Condition::any().add(sweep::COLUMN.leased_until.is_null()).add(sweep::COLUMN.leased_until.lte(now));
            let taken = sweep::Entity::update_many()
                .col_expr(sweep::Column::LeasedUntil, (now + LEASE).into())
                .filter(sweep::COLUMN.name.eq(sweep.name()))
                .filter(sweep::COLUMN.due_at.lte(now))
                .filter(free)
                .exec(tx)
                .await?;
            Ok(taken.rows_affected == 1)
        })
        .await
}

async fn release(app: &Arc<App>, sweep: Sweep, done: bool) -> Result<(), Problem> {
    let now = app.clock.now();
    app.db
        .transact(async move |tx| {
            let next = if done { now + sweep.every() } else { now + TimeDelta::seconds(30) };
            sweep::Entity::update_many()
                .col_expr(sweep::Column::LeasedUntil, Option::<entity::Instant>::None.into())
                .col_expr(sweep::Column::DueAt, next.into())
                .col_expr(sweep::Column::LastRunAt, now.into())
                .filter(sweep::COLUMN.name.eq(sweep.name()))
                .exec(tx)
                .await?;
            Ok(())
        })
        .await
}

async fn forget(app: &Arc<App>) -> Result<(), Problem> {
    use entity::{idempotent_answer, refresh_token};
    let now = app.clock.now();
    app.db
        .transact(async move |tx| {
            // 48 hours is what the contract promises.
            let old = idempotent_answer::COLUMN.created_at.lt(now - TimeDelta::hours(48));
            idempotent_answer::Entity::delete_many().filter(old).exec(tx).await?;
            refresh_token::Entity::delete_many().filter(refresh_token::COLUMN.expires_at.lt(now)).exec(tx).await?;
            webhooks::forget(tx, now).await?;
            open311::forget(tx, now).await?;
            notices::forget(tx, now).await?;
            pushes::forget(tx, now).await?;
            content::forget(tx, now).await?;
            publications::forget(tx, now).await?;
            super::queue::forget_old(tx, now).await
        })
        .await
}
