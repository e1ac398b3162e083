//! Bringing staff what they are told: a sweep gathers it, a job says it.
//!
//! The sweep takes what is due, one message a person, and hands those of one text to one job. The rows say `sending` until
//! it is over; where that never comes they are taken again after a while, and WeCom drops the second of two equal messages
//! (`enable_duplicate_check`). Next: [`crate::wecom`].

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::TimeDelta;
use entity::{
    Instant,
    id::{StaffId, StaffNoticeId},
    notice_delivery::NoticeUrgency,
    staff,
    staff_notice::{self, StaffNoticeState},
};
use rust_i18n::t;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, sea_query::Expr,
};

use super::group::{self, robots};
use crate::{
    app::App,
    db::{Tx, padded},
    jobs::{self, Job},
    notices::{hours, words},
    problem::{Language, Problem},
    wechat::WechatError,
    wecom::{MOST_AT_ONCE, WecomText},
};

/// Rows taken in one go.
const BATCH: u64 = 500;
/// One message a person in so long.
const PAUSE: TimeDelta = TimeDelta::minutes(10);
/// How long a message may be on its way before it is made again; WeCom drops the second within half an hour.
const LEASE: TimeDelta = TimeDelta::minutes(3);
/// The pause after a message that WeCom did not take.
const AGAIN: TimeDelta = TimeDelta::seconds(90);
/// How long it is tried at all.
const WORTH: TimeDelta = TimeDelta::hours(24);
/// Fewer are no crowd.
const CROWD: usize = 50;
/// Case numbers that one message names.
const NAMED: usize = 5;

fn due(now: Instant) -> Select<staff_notice::Entity> {
    staff_notice::Entity::find()
        .filter(staff_notice::COLUMN.state.is_in([StaffNoticeState::Waiting, StaffNoticeState::Sending]))
        .filter(staff_notice::COLUMN.due_at.lte(now))
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

async fn take(tx: &Tx, app: &App, now: Instant) -> Result<(), Problem> {
    let rows = due(now).order_by_asc(staff_notice::Column::DueAt).limit(BATCH).lock_exclusive().all(tx).await?;
    if rows.len() > CROWD && hours::is_rush_minute(now) {
        return Ok(());
    }
    let mut of_each: BTreeMap<StaffId, Vec<staff_notice::Model>> = BTreeMap::new();
    for row in rows {
        of_each.entry(row.staff_id).or_default().push(row);
    }
    for rows in of_each.values_mut() {
        rows.sort_by_key(|row| row.id);
    }
    let ids: Vec<StaffId> = of_each.keys().copied().collect();
    if ids.is_empty() {
        return Ok(());
    }
    let members = members(tx, app, &ids).await?;
    let robots = robots(tx, app, of_each.values().flatten(), now).await?;
    let lately = lately(tx, &ids, now).await?;
    let mut by_text: BTreeMap<String, Vec<StaffNoticeId>> = BTreeMap::new();
    for (id, rows) in of_each {
        let urgency = rows.iter().map(|row| row.urgency).max().unwrap_or(NoticeUrgency::Normal);
        let danger = urgency == NoticeUrgency::Danger;
        let night = hours::quiet_until(&app.config.notices, now).filter(|_| !danger);
        let pause = lately.get(&id).map(|at| *at + PAUSE).filter(|_| !danger);
        let all: Vec<StaffNoticeId> = rows.iter().map(|row| row.id).collect();
        if !members.contains_key(&id) && !rows.iter().any(|row| robots.contains_key(&row.id)) {
            mark(tx, &all, StaffNoticeState::Inbox, now, None).await?;
        } else if let Some(later) = night.or(pause) {
            mark(tx, &all, StaffNoticeState::Waiting, later, None).await?;
        } else {
            mark(tx, &all, StaffNoticeState::Sending, now + LEASE, None).await?;
            by_text.entry(text(&rows)).or_default().extend(all);
        }
    }
    for notices in by_text.into_values() {
        jobs::enqueue(tx, &Job::TellStaff { notices }, now, None).await?;
    }
    Ok(())
}

pub(super) async fn mark(
    tx: &Tx,
    ids: &[StaffNoticeId],
    state: StaffNoticeState,
    due_at: Instant,
    error: Option<&str>,
) -> Result<(), Problem> {
    for some in ids.chunks(256) {
        staff_notice::Entity::update_many()
            .col_expr(staff_notice::Column::State, Expr::val(state))
            .col_expr(staff_notice::Column::DueAt, due_at.into())
            .col_expr(staff_notice::Column::Error, Expr::value(error.map(str::to_owned)))
            .filter(staff_notice::COLUMN.id.is_in(padded(some.iter().copied())))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Userids of those whom WeCom knows, where it is used.
async fn members(db: &impl ConnectionTrait, app: &App, ids: &[StaffId]) -> Result<HashMap<StaffId, String>, Problem> {
    if app.config.wecom.corp_id.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(StaffId, Option<String>)> = staff::Entity::find()
        .select_only()
        .column(staff::Column::Id)
        .column(staff::Column::WecomUserid)
        .filter(staff::COLUMN.id.is_in(padded(ids.iter().copied())))
        .filter(staff::COLUMN.dismissed_at.is_null())
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().filter_map(|(id, userid)| Some((id, userid?))).collect())
}

/// When they were sent a message last, of those who were within the pause.
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

pub(super) fn say(key: &str, count: usize, numbers: &str) -> String {
    t!(format!("told.{key}"), locale = Language::ZhCn.tag(), count = count, numbers = numbers).into_owned()
}

/// What one person is told of all that waits for them.
fn text(rows: &[staff_notice::Model]) -> String {
    match rows {
        [one] if one.confidential => say("staff_discreet", 1, ""),
        [one] => {
            let sentence = t!(format!("staff_notice.{}", one.kind), locale = Language::ZhCn.tag());
            words::filled(&sentence, &one.params)
        }
        many => say("staff_together", many.len(), &numbers(many.iter())),
    }
}

pub(super) fn numbers<'a>(rows: impl Iterator<Item = &'a staff_notice::Model>) -> String {
    let mut named: Vec<&str> = Vec::new();
    for row in rows.filter(|row| !row.confidential) {
        if let Some(number) = row.params.get("number").and_then(|number| number.as_str())
            && !named.contains(&number)
        {
            named.push(number);
        }
    }
    let more = if named.len() > NAMED { "…" } else { "" };
    named.truncate(NAMED);
    if named.is_empty() { String::new() } else { format!("（{}{more}）", named.join("、")) }
}

/// Says what was gathered: to members by the application, else in the groups of their places.
///
/// # Errors
/// Those of the database.
pub async fn send(app: &Arc<App>, ids: Vec<StaffNoticeId>) -> Result<(), Problem> {
    let mut rows = Vec::new();
    for some in ids.chunks(256) {
        let sending = staff_notice::Entity::find()
            .filter(staff_notice::COLUMN.id.is_in(padded(some.iter().copied())))
            .filter(staff_notice::COLUMN.state.eq(StaffNoticeState::Sending));
        rows.extend(sending.order_by_asc(staff_notice::Column::Id).all(app.db.read()).await?);
    }
    let mut of_each: BTreeMap<StaffId, Vec<staff_notice::Model>> = BTreeMap::new();
    for row in rows {
        of_each.entry(row.staff_id).or_default().push(row);
    }
    let who: Vec<StaffId> = of_each.keys().copied().collect();
    if who.is_empty() {
        return Ok(());
    }
    let members = members(app.db.read(), app, &who).await?;
    let robots = robots(app.db.read(), app, of_each.values().flatten(), app.clock.now()).await?;
    let (known, others): (Vec<_>, Vec<_>) = of_each.into_iter().partition(|(id, _)| members.contains_key(id));
    let mut unreached: Vec<Vec<staff_notice::Model>> = others.into_iter().map(|(_, rows)| rows).collect();
    for some in known.chunks(MOST_AT_ONCE) {
        unreached.extend(by_application(app, some, &members).await?);
    }
    group::tell(app, unreached.into_iter().flatten().collect(), &robots).await
}

/// Sends one text to members; gives back what did not reach its own.
async fn by_application(
    app: &Arc<App>,
    some: &[(StaffId, Vec<staff_notice::Model>)],
    members: &HashMap<StaffId, String>,
) -> Result<Vec<Vec<staff_notice::Model>>, Problem> {
    let Some((_, first)) = some.first() else { return Ok(Vec::new()) };
    let names: Vec<String> = some.iter().filter_map(|(id, _)| members.get(id).cloned()).collect();
    let ids = |rows: &[&(StaffId, Vec<staff_notice::Model>)]| -> Vec<StaffNoticeId> {
        rows.iter().flat_map(|(_, rows)| rows.iter().map(|row| row.id)).collect()
    };
    match app.wecom.send_text(WecomText { members: &names, text: &text(first) }).await {
        Ok(unreached) => {
            let missed = |(id, _): &&(StaffId, Vec<staff_notice::Model>)| {
                members.get(id).is_some_and(|name| unreached.has(name))
            };
            let reached: Vec<_> = some.iter().filter(|one| !missed(one)).collect();
            settled(app, ids(&reached), None).await?;
            Ok(some.iter().filter(missed).map(|(_, rows)| rows.clone()).collect())
        }
        // Nobody of them is known there any more.
        Err(WechatError::DataBug(refusal)) if refusal.errcode == 81013 => {
            Ok(some.iter().map(|(_, rows)| rows.clone()).collect())
        }
        Err(fault) => {
            let all: Vec<_> = some.iter().collect();
            settled(app, ids(&all), Some(&fault)).await?;
            Ok(Vec::new())
        }
    }
}

/// Writes down that a message was taken, or when it is made again.
pub(super) async fn settled(
    app: &Arc<App>,
    ids: Vec<StaffNoticeId>,
    fault: Option<&WechatError>,
) -> Result<(), Problem> {
    let now = app.clock.now();
    let outcome = if fault.is_none() { "sent" } else { "failed" };
    metrics::counter!("shuoshi_staff_notices_total", "outcome" => outcome).increment(ids.len() as u64);
    let for_good =
        matches!(fault, Some(WechatError::Configuration(_) | WechatError::DataBug(_) | WechatError::BadCode(_)));
    let error = fault.map(ToString::to_string);
    app.db
        .transact(async move |tx| {
            let mine = Condition::all()
                .add(staff_notice::COLUMN.id.is_in(padded(ids.iter().copied())))
                .add(staff_notice::COLUMN.state.eq(StaffNoticeState::Sending));
            let update = staff_notice::Entity::update_many().filter(mine);
            let Some(error) = &error else {
                let sent = update
                    .col_expr(staff_notice::Column::State, Expr::val(StaffNoticeState::Sent))
                    .col_expr(staff_notice::Column::SentAt, Some(now).into());
                sent.exec(tx).await?;
                return Ok(());
            };
            // What is too old for another try stays in the inbox.
            let old = staff_notice::COLUMN.created_at.lt(now - WORTH);
            let given_up = update
                .clone()
                .filter(if for_good { Condition::all() } else { Condition::all().add(old) })
                .col_expr(staff_notice::Column::State, Expr::val(StaffNoticeState::Failed))
                .col_expr(staff_notice::Column::Error, Expr::val(error.clone()));
            given_up.exec(tx).await?;
            let again = update
                .col_expr(staff_notice::Column::State, Expr::val(StaffNoticeState::Waiting))
                .col_expr(staff_notice::Column::DueAt, (now + AGAIN).into())
                .col_expr(staff_notice::Column::Error, Expr::val(error.clone()));
            again.exec(tx).await?;
            Ok(())
        })
        .await
}
