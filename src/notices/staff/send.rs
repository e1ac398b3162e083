//! Saying to staff what was gathered for them: the job behind [`super::gather()`].
//!
//! The rows say `sending` until it is over; where that never comes they are taken again after a while, as the message
//! they are part of, and WeCom drops the second of two equal ones (`enable_duplicate_check`). Next: [`crate::wecom`].

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use chrono::TimeDelta;
use entity::{
    Instant,
    id::{StaffId, StaffNoticeId},
    staff,
    staff_notice::{self, StaffNoticeState},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, UpdateMany, sea_query::Expr,
};
use uuid::Uuid;

use super::{
    group::{self, robots},
    rows::{by_person, change, ids_of, sending},
};
use crate::{
    app::App,
    db::padded,
    problem::Problem,
    wechat::WechatError,
    wecom::{MOST_AT_ONCE, WecomText},
};

/// The pause after a message that WeCom did not take.
pub(super) const AGAIN: TimeDelta = TimeDelta::seconds(90);
/// How long it is tried at all.
const WORTH: TimeDelta = TimeDelta::hours(24);
/// WeCom knows none of those whom a message is for (全局错误码).
const NOBODY_THERE: i64 = 81013;

/// One person and what the message tells them.
type Addressed = (StaffId, Vec<staff_notice::Model>);

/// Userids of those whom WeCom knows, where it is used.
pub(super) async fn members(
    db: &impl ConnectionTrait,
    app: &App,
    ids: &[StaffId],
) -> Result<HashMap<StaffId, String>, Problem> {
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

/// Says what was gathered: to members by the application, else in the groups of their places.
///
/// # Errors
/// Those of the database.
pub async fn send(app: &Arc<App>, ids: Vec<StaffNoticeId>) -> Result<(), Problem> {
    let mut rows = Vec::new();
    for some in sending(&ids) {
        rows.extend(some.all(app.db.read()).await?);
    }
    let of_each = by_person(rows);
    let who: Vec<StaffId> = of_each.keys().copied().collect();
    if who.is_empty() {
        return Ok(());
    }
    let members = members(app.db.read(), app, &who).await?;
    let robots = robots(app.db.read(), app, of_each.values().flatten(), app.clock.now()).await?;
    let mut messages: BTreeMap<String, Vec<Addressed>> = BTreeMap::new();
    let mut unreached = Vec::new();
    for (id, rows) in of_each {
        let text = rows.iter().find_map(|row| row.message_text.clone());
        match text {
            Some(text) if members.contains_key(&id) => messages.entry(text).or_default().push((id, rows)),
            // Became a member a moment ago: a message is made when these are taken again.
            None if members.contains_key(&id) => {}
            _ => unreached.extend(rows),
        }
    }
    for (text, to) in messages {
        for some in to.chunks(MOST_AT_ONCE) {
            unreached.extend(by_application(app, &text, some, &members).await?);
        }
    }
    group::tell(app, unreached, &robots).await
}

/// Sends one text to members; gives back what did not reach its own.
async fn by_application(
    app: &Arc<App>,
    text: &str,
    some: &[Addressed],
    members: &HashMap<StaffId, String>,
) -> Result<Vec<staff_notice::Model>, Problem> {
    let names: Vec<String> = some.iter().filter_map(|(id, _)| members.get(id).cloned()).collect();
    let all = || some.iter().flat_map(|(_, rows)| rows);
    match app.wecom.send_text(WecomText { members: &names, text }).await {
        Ok(unreached) => {
            let missed = |id: &StaffId| members.get(id).is_some_and(|name| unreached.has(name));
            let (missed, reached): (Vec<_>, Vec<_>) = all().partition(|row| missed(&row.staff_id));
            settled(app, ids_of(reached), None).await?;
            Ok(missed.into_iter().cloned().collect())
        }
        Err(WechatError::DataBug(refusal)) if refusal.errcode == NOBODY_THERE => Ok(all().cloned().collect()),
        Err(fault) => {
            settled(app, ids_of(all()), Some(&fault)).await?;
            Ok(Vec::new())
        }
    }
}

/// Writes down that a message was taken, or when it is tried again.
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
    let may_have_arrived = fault.is_some_and(WechatError::may_have_arrived);
    let error = fault.map(ToString::to_string);
    app.db
        .transact(async move |tx| {
            let Some(error) = &error else {
                return change(tx, &ids, |rows| {
                    still_sending(rows)
                        .col_expr(staff_notice::Column::State, Expr::val(StaffNoticeState::Sent))
                        .col_expr(staff_notice::Column::SentAt, Some(now).into())
                })
                .await;
            };
            // What is too old for another try stays in the inbox.
            change(tx, &ids, |rows| {
                let old = staff_notice::COLUMN.created_at.lt(now - WORTH);
                still_sending(rows)
                    .filter(if for_good { Condition::all() } else { Condition::all().add(old) })
                    .col_expr(staff_notice::Column::State, Expr::val(StaffNoticeState::Failed))
                    .col_expr(staff_notice::Column::Error, Expr::val(error.clone()))
            })
            .await?;
            change(tx, &ids, |rows| {
                let rows = still_sending(rows)
                    .col_expr(staff_notice::Column::State, Expr::val(StaffNoticeState::Waiting))
                    .col_expr(staff_notice::Column::DueAt, (now + AGAIN).into())
                    .col_expr(staff_notice::Column::Error, Expr::val(error.clone()));
                // What surely did not go is news as before, and may go with what came since.
                if may_have_arrived { rows } else { unmade(rows) }
            })
            .await
        })
        .await
}

/// As if no message had been made of them.
fn unmade(rows: UpdateMany<staff_notice::Entity>) -> UpdateMany<staff_notice::Entity> {
    rows.col_expr(staff_notice::Column::MessageId, Option::<Uuid>::None.into())
        .col_expr(staff_notice::Column::MessageText, Option::<String>::None.into())
        .col_expr(staff_notice::Column::MessageAt, Option::<Instant>::None.into())
}

/// Another process may have settled some of them meanwhile.
fn still_sending(rows: UpdateMany<staff_notice::Entity>) -> UpdateMany<staff_notice::Entity> {
    rows.filter(staff_notice::COLUMN.state.eq(StaffNoticeState::Sending))
}
