//! The robots in the groups of places: who has no WeCom hears there that there is something.
//!
//! A robot takes twenty messages a minute and knows no repetitions: it says what there is in one message a minute, and the
//! rows are marked before it does. It speaks only for those who are posted where its group is.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use chrono::TimeDelta;
use entity::{
    Instant, division,
    id::{DivisionId, StaffId, StaffNoticeId},
    posting,
    staff_notice::{self, StaffNoticeState},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockType},
};

use super::{
    rows::{change, ids_of, mark, marked, sending},
    send::settled,
    sentences,
};
use crate::{
    app::App,
    clock::local_day,
    db::{Tx, padded},
    divisions,
    problem::Problem,
};

/// One message of a robot in so long.
const PAUSE: TimeDelta = TimeDelta::seconds(60);

/// The code of the place whose robot may say each of these: the place it is about or one above it, where that member of
/// the staff is posted today. Never of what is confidential.
pub(super) async fn robots(
    db: &impl ConnectionTrait,
    app: &App,
    rows: impl Iterator<Item = &staff_notice::Model>,
    now: Instant,
) -> Result<HashMap<StaffNoticeId, String>, Problem> {
    let known = &app.config.notices.robots;
    let rows: Vec<(&staff_notice::Model, DivisionId)> =
        rows.filter(|row| !row.confidential).filter_map(|row| Some((row, row.division_id?))).collect();
    if rows.is_empty() || known.is_empty() {
        return Ok(HashMap::new());
    }
    let with_robot = division::Entity::find().filter(division::COLUMN.code.is_in(known.keys().map(String::as_str)));
    let with_robot: HashMap<DivisionId, String> =
        with_robot.all(db).await?.into_iter().map(|place| (place.id, place.code)).collect();
    let places: HashSet<DivisionId> = rows.iter().map(|(_, place)| *place).collect();
    let places = division::Entity::find().filter(division::COLUMN.id.is_in(padded(places))).all(db).await?;
    let places: HashMap<DivisionId, division::Model> = places.into_iter().map(|place| (place.id, place)).collect();
    let posted = posted(db, rows.iter().map(|(row, _)| row.staff_id).collect(), now).await?;
    let code = |(row, place): &(&staff_notice::Model, DivisionId)| {
        let mut line = divisions::line_up(places.get(place)?).into_iter().flatten();
        let code = line.find_map(|place| with_robot.get(&place).filter(|_| posted.contains(&(row.staff_id, place))))?;
        Some((row.id, code.clone()))
    };
    Ok(rows.iter().filter_map(code).collect())
}

/// Who is posted where today.
async fn posted(
    db: &impl ConnectionTrait,
    staff: HashSet<StaffId>,
    now: Instant,
) -> Result<HashSet<(StaffId, DivisionId)>, Problem> {
    let today = local_day(now);
    let rows: Vec<(StaffId, DivisionId)> = posting::Entity::find()
        .select_only()
        .column(posting::Column::StaffId)
        .column(posting::Column::DivisionId)
        .filter(posting::COLUMN.staff_id.is_in(padded(staff)))
        .filter(posting::COLUMN.starts_on.lte(today))
        .filter(posting::COLUMN.ends_on.is_null().or(posting::COLUMN.ends_on.gte(today)))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Says in the groups that there is something; what no robot may say stays in the inbox.
pub(super) async fn tell(
    app: &Arc<App>,
    rows: Vec<staff_notice::Model>,
    robots: &HashMap<StaffNoticeId, String>,
) -> Result<(), Problem> {
    let mut of_each: BTreeMap<String, Vec<StaffNoticeId>> = BTreeMap::new();
    let mut left = Vec::new();
    for row in rows {
        match robots.get(&row.id) {
            Some(code) => of_each.entry(code.clone()).or_default().push(row.id),
            None => left.push(row.id),
        }
    }
    if !left.is_empty() {
        let now = app.clock.now();
        app.db.transact(async move |tx| mark(tx, &left, StaffNoticeState::Inbox, now).await).await?;
    }
    for (code, ids) in of_each {
        by_robot(app, code, ids).await?;
    }
    Ok(())
}

/// Lets one robot speak.
async fn by_robot(app: &Arc<App>, code: String, ids: Vec<StaffNoticeId>) -> Result<(), Problem> {
    let Some(key) = app.config.notices.robots.get(&code) else { return Ok(()) };
    let now = app.clock.now();
    let rows = app.db.transact(async move |tx| take(tx, &code, &ids, now).await).await?;
    if rows.is_empty() {
        return Ok(());
    }
    let Err(fault) = app.robots.say(key, &sentences::said_in_group(&rows)).await else { return Ok(()) };
    tracing::warn!(wechat.error = %fault, "a robot did not say what there is");
    // Once is enough: who works here finds the rest in the inbox.
    if fault.may_have_arrived() {
        return Ok(());
    }
    let ids = ids_of(&rows);
    let unsaid = ids.clone();
    app.db.transact(async move |tx| unsay(tx, &unsaid).await).await?;
    settled(app, ids, Some(&fault)).await
}

/// Marks as said what is to be said now, with what others left to this robot; nothing where it spoke a moment ago: then
/// these wait for the next message.
async fn take(tx: &Tx, code: &str, ids: &[StaffNoticeId], now: Instant) -> Result<Vec<staff_notice::Model>, Problem> {
    // Whoever speaks by it at the same time waits here.
    division::Entity::find().filter(division::COLUMN.code.eq(code)).lock(LockType::NoKeyUpdate).all(tx).await?;
    let mut rows = Vec::new();
    for some in sending(ids) {
        rows.extend(some.lock_exclusive().all(tx).await?);
    }
    if rows.is_empty() {
        return Ok(rows);
    }
    let of_robot = staff_notice::Entity::find().filter(staff_notice::COLUMN.robot.eq(code));
    let last = of_robot
        .clone()
        .filter(staff_notice::COLUMN.sent_at.gt(now - PAUSE))
        .order_by_desc(staff_notice::Column::SentAt)
        .one(tx)
        .await?;
    if let Some(last) = last.and_then(|last| last.sent_at) {
        change(tx, &ids_of(&rows), |rows| {
            marked(rows, StaffNoticeState::Waiting, last + PAUSE).col_expr(staff_notice::Column::Robot, Expr::val(code))
        })
        .await?;
        return Ok(Vec::new());
    }
    let others = of_robot
        .filter(staff_notice::COLUMN.sent_at.is_null())
        .filter(staff_notice::COLUMN.state.is_in([StaffNoticeState::Waiting, StaffNoticeState::Sending]));
    for other in others.lock_exclusive().all(tx).await? {
        if rows.iter().all(|row| row.id != other.id) {
            rows.push(other);
        }
    }
    rows.sort_by_key(|row| row.id);
    change(tx, &ids_of(&rows), |rows| {
        marked(rows, StaffNoticeState::Sent, now)
            .col_expr(staff_notice::Column::Robot, Expr::val(code))
            .col_expr(staff_notice::Column::SentAt, Some(now).into())
    })
    .await?;
    Ok(rows)
}

/// It surely was not said: as before the attempt.
async fn unsay(tx: &Tx, ids: &[StaffNoticeId]) -> Result<(), Problem> {
    change(tx, ids, |rows| {
        rows.col_expr(staff_notice::Column::State, Expr::val(StaffNoticeState::Sending))
            .col_expr(staff_notice::Column::SentAt, Option::<Instant>::None.into())
    })
    .await
}
