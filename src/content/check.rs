//! Asking WeChat: a job, outside any transaction, for the wording that it was made for and no other.

use std::sync::Arc;

use chrono::TimeDelta;
use entity::{
    Instant, booking,
    booking::{BookingPrivacy, Screening},
    case,
    content_check::{self, ContentReason, ContentState, ContentSubject},
    id::{ContentCheckId, FileId},
    publication,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, Set,
    sea_query::LockType,
};
use serde::{Deserialize, Serialize};

use super::{
    ops, rules,
    settle::{self, Judged, Outcome},
};
use crate::{
    app::App,
    cases,
    db::Tx,
    files,
    problem::Problem,
    pushes,
    wechat::{Media, MediaQuestion, Suggest, TextQuestion, WechatError},
};

/// What is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Of what.
    pub check: ContentCheckId,
    /// Of which wording.
    pub version: i32,
}

/// Tries before a person looks instead.
const TRIES: i32 = 6;
/// How long to wait for the next minute's quota.
const NEXT_MINUTE: TimeDelta = TimeDelta::seconds(60);
/// How long a link to a file is good: WeChat answers within half an hour.
const LINK_FOR: TimeDelta = TimeDelta::hours(1);

/// Asks; says how long to wait where it is not the time.
///
/// # Errors
/// Where WeChat could not be asked, or the database not be reached: then the job is tried again.
pub async fn check(app: &Arc<App>, question: Question) -> Result<Option<TimeDelta>, Problem> {
    let db = app.db.read();
    let row = content_check::Entity::find_by_id(question.check).one(db).await?;
    let waits = |row: &content_check::Model| row.version == question.version && row.state == ContentState::Waiting;
    let Some(row) = row.filter(waits) else { return Ok(None) };
    if !may_be_shown(db, &row).await? {
        // What is not public any more goes nowhere.
        settled(app, question, None).await?;
        return Ok(None);
    }
    let outcome = match ops::openid(db, row.person_id).await? {
        None => Outcome::Unjudged(ContentReason::NoAccount),
        Some(openid) => match asked(app, &row, &openid).await {
            Ok(Reply::Now(judged)) => Outcome::Judged(judged),
            Ok(Reply::Later(trace)) => {
                note_asked(app, question, trace).await?;
                return Ok(None);
            }
            Ok(Reply::Unread) => Outcome::Unjudged(ContentReason::Outage),
            Ok(Reply::Unreachable) => Outcome::Unjudged(ContentReason::NotFetched),
            Err(WechatError::NotSeenLately(_)) => Outcome::Unjudged(ContentReason::NotSeenLately),
            Err(WechatError::SecondQuota(_) | WechatError::MinuteQuota(_)) => return Ok(Some(NEXT_MINUTE)),
            Err(fault) if row.tries + 1 >= TRIES || is_lasting(&fault) => Outcome::Unjudged(ContentReason::Outage),
            Err(fault) => {
                tried(app, question).await?;
                return Err(Problem::unexpected(format!("content could not be checked: {fault}")));
            }
        },
    };
    settled(app, question, Some(outcome)).await?;
    Ok(None)
}

/// What another try does not mend today.
fn is_lasting(fault: &WechatError) -> bool {
    matches!(fault, WechatError::DayQuota(_) | WechatError::Configuration(_) | WechatError::DataBug(_))
}

/// What WeChat said.
enum Reply {
    Now(Judged),
    /// By an event of this trace.
    Later(String),
    /// It cannot come to the file.
    Unreachable,
    /// It was not asked: we cannot read it ourselves.
    Unread,
}

async fn asked(app: &App, row: &content_check::Model, openid: &str) -> Result<Reply, WechatError> {
    let Some(file) = row.file_id else { return judged(app, row, openid).await };
    let until = app.clock.now() + LINK_FOR;
    let link = files::public_link(app, FileId(file), until).ok().flatten();
    let Some(link) = link else { return Ok(Reply::Unreachable) };
    match MediaQuestion::new(openid, ops::SCENE, Media::Picture, &link) {
        Ok(question) => app.wechat.check_media(&question).await.map(Reply::Later),
        Err(_) => Ok(Reply::Unreachable),
    }
}

/// WeChat took the question about a file. Its answer may have come before we knew by which trace.
async fn note_asked(app: &Arc<App>, question: Question, trace: String) -> Result<(), Problem> {
    let (shared, now) = (app.clone(), app.clock.now());
    app.db
        .transact(async move |tx| {
            let Some(row) = locked(tx, question).await? else { return Ok(()) };
            let mut row = row.into_active_model();
            row.state = Set(ContentState::Asked);
            row.trace_id = Set(Some(trace.clone()));
            row.asked_at = Set(Some(now));
            row.since_at = Set(now);
            row.update(tx).await?;
            pushes::reprocess(tx, &shared, &trace, now).await
        })
        .await
}

/// The verdict on words.
async fn judged(app: &App, row: &content_check::Model, openid: &str) -> Result<Reply, WechatError> {
    let Some(text) = ops::words_of(app, row) else { return Ok(Reply::Unread) };
    if text.trim().is_empty() {
        return Ok(Reply::Now(Judged::nothing()));
    }
    let mut verdicts = Vec::new();
    for piece in rules::pieces(&text) {
        // A piece of one to 2500 characters is what the question takes.
        let Ok(question) = TextQuestion::new(openid, ops::SCENE, &piece) else { return Ok(Reply::Unread) };
        let verdict = app.wechat.check_text(&question).await?;
        let risky = verdict.suggest == Suggest::Risky;
        verdicts.push(verdict);
        if risky {
            break;
        }
    }
    Ok(rules::worst(verdicts).map_or(Reply::Unread, |verdict| Reply::Now(Judged::of(verdict))))
}

/// Whether others may still be shown it: not what became confidential or private, or was taken back.
async fn may_be_shown(db: &impl ConnectionTrait, row: &content_check::Model) -> Result<bool, Problem> {
    Ok(match row.subject {
        ContentSubject::Case => {
            let shown = case::Entity::find().filter(cases::publication::shown());
            shown.filter(case::COLUMN.id.eq(row.subject_id)).one(db).await?.is_some()
        }
        ContentSubject::Booking => {
            let public = booking::Entity::find()
                .filter(booking::COLUMN.id.eq(row.subject_id))
                .filter(booking::COLUMN.privacy.eq(BookingPrivacy::Public))
                .filter(booking::COLUMN.screened.eq(Screening::Public));
            public.one(db).await?.is_some()
        }
        ContentSubject::Publication => {
            let stands = publication::Entity::find()
                .filter(publication::COLUMN.id.eq(row.subject_id))
                .filter(publication::COLUMN.ended_at.is_null());
            stands.one(db).await?.is_some()
        }
    })
}

/// The row, locked, as long as it waits for the answer to this very question.
async fn locked(tx: &Tx, question: Question) -> Result<Option<content_check::Model>, Problem> {
    let row = content_check::Entity::find_by_id(question.check).lock(LockType::Update).one(tx).await?;
    Ok(row.filter(|row| row.version == question.version && row.state == ContentState::Waiting))
}

async fn settled(app: &Arc<App>, question: Question, outcome: Option<Outcome>) -> Result<(), Problem> {
    let now = app.clock.now();
    app.db
        .transact(async move |tx| {
            let Some(row) = locked(tx, question).await? else { return Ok(()) };
            match outcome.clone() {
                Some(outcome) => settle::settle(tx, row, outcome, now).await,
                // Other words in the place of held ones stay what they are: the first must not come back.
                None if row.rewordings > 0 => {
                    settle::settle(tx, row, Outcome::Unjudged(ContentReason::Reworded), now).await
                }
                None => Ok(content_check::Entity::delete_by_id(row.id).exec(tx).await.map(drop)?),
            }
        })
        .await
}

async fn tried(app: &Arc<App>, question: Question) -> Result<(), Problem> {
    app.db
        .transact(async move |tx| {
            if let Some(row) = locked(tx, question).await? {
                let tries = row.tries + 1;
                let mut row = row.into_active_model();
                row.tries = Set(tries);
                row.update(tx).await?;
            }
            Ok(())
        })
        .await
}

/// The verdict on a file, which WeChat pushes; says whether anybody asked.
///
/// # Errors
/// Those of the database.
pub async fn media_checked(
    tx: &Tx,
    trace_id: &str,
    error_code: i64,
    judged: Judged,
    now: Instant,
) -> Result<bool, Problem> {
    let row = content_check::Entity::find()
        .filter(content_check::COLUMN.trace_id.eq(trace_id))
        .lock(LockType::Update)
        .one(tx)
        .await?;
    let Some(row) = row else { return Ok(false) };
    if row.state == ContentState::Asked {
        let outcome =
            if error_code == 0 { Outcome::Judged(judged) } else { Outcome::Unjudged(ContentReason::NotFetched) };
        settle::settle(tx, row, outcome, now).await?;
    }
    Ok(true)
}
