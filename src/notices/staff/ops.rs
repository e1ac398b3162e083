//! Writing what staff are told, and reading it.

use std::collections::BTreeSet;

use chrono::{NaiveDate, TimeDelta};
use entity::{
    Instant, division,
    id::{DivisionId, StaffId, StaffNoticeId},
    notice_delivery,
    staff_notice::{self, StaffNoticeState},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Set};
use serde_json::json;

use super::{StaffTelling, kinds, who};
use crate::{
    app::App,
    auth::{Duty, Staff, duty::Anything},
    clock::local_day,
    db::{self, Tx},
    http::{Cursor, PageQuery},
    problem::Problem,
};

/// Writes what staff are told; a sweep brings it to them.
pub async fn tell(tx: &Tx, tellings: Vec<StaffTelling>, now: Instant) -> Result<(), Problem> {
    let mut rows = Vec::new();
    for telling in tellings {
        debug_assert!(kinds::is_known(telling.kind), "no kind of notice: {}", telling.kind);
        let urgency = telling.urgency.unwrap_or(kinds::urgency(telling.kind));
        let whom: BTreeSet<StaffId> = telling.staff.into_iter().collect();
        rows.extend(whom.into_iter().map(|staff| staff_notice::ActiveModel {
            id: Set(StaffNoticeId::fresh()),
            staff_id: Set(staff),
            kind: Set(telling.kind.to_owned()),
            urgency: Set(urgency),
            case_id: Set(telling.case),
            division_id: Set(telling.division),
            confidential: Set(telling.confidential),
            params: Set(telling.params.clone()),
            state: Set(StaffNoticeState::Waiting),
            due_at: Set(now),
            robot: Set(None),
            message_id: Set(None),
            message_text: Set(None),
            message_at: Set(None),
            sent_at: Set(None),
            error: Set(None),
            created_at: Set(now),
            read_at: Set(None),
        }));
    }
    Ok(db::insert_all(tx, rows).await?)
}

/// The nearest desk on whose list a row stands and where somebody may call: never who a complaint is about, or near.
async fn desk_of(
    tx: &Tx,
    row: &notice_delivery::Model,
    today: NaiveDate,
) -> Result<Option<(DivisionId, Vec<StaffId>)>, Problem> {
    let (place, duty) =
        if row.confidential { (row.township_id, Duty::HandleDiscipline) } else { (row.village_id, Duty::AcceptCases) };
    let Some(place) = place else { return Ok(None) };
    let Some(place) = division::Entity::find_by_id(place).one(tx).await? else { return Ok(None) };
    let above = [Some(place.id), place.township_id, place.county_id].into_iter().flatten();
    who::nearest(tx, above, &[duty], row.case_id.filter(|_| row.confidential), today).await
}

/// Tells the desk that somebody waits to be called, unless it was told today and has not looked.
pub async fn call_list_grew(tx: &Tx, row: &notice_delivery::Model, now: Instant) -> Result<(), Problem> {
    let Some((place, desk)) = desk_of(tx, row, local_day(now)).await? else { return Ok(()) };
    let told: Vec<StaffId> = staff_notice::Entity::find()
        .select_only()
        .column(staff_notice::Column::StaffId)
        .filter(staff_notice::COLUMN.staff_id.is_in(db::padded(desk.iter().copied())))
        .filter(staff_notice::COLUMN.kind.eq("call_list"))
        .filter(staff_notice::COLUMN.read_at.is_null())
        .filter(staff_notice::COLUMN.created_at.gt(now - TimeDelta::days(1)))
        .into_tuple()
        .all(tx)
        .await?;
    let telling = StaffTelling {
        staff: desk.into_iter().filter(|staff| !told.contains(staff)).collect(),
        kind: "call_list",
        case: None,
        division: Some(place),
        confidential: row.confidential,
        urgency: None,
        params: json!({}),
    };
    tell(tx, vec![telling], now).await
}

/// A page of what somebody was told, the newest first, and one.
pub(super) async fn inbox(
    app: &App,
    me: &Staff<Anything>,
    page: &PageQuery,
) -> Result<Vec<staff_notice::Model>, Problem> {
    let mut query = staff_notice::Entity::find().filter(staff_notice::COLUMN.staff_id.eq(me.id()));
    if let Some(before) = Cursor::read::<StaffNoticeId>(page.cursor.as_deref())? {
        query = query.filter(staff_notice::COLUMN.id.lt(before));
    }
    Ok(query.order_by_desc(staff_notice::Column::Id).limit(page.size() + 1).all(app.db.read()).await?)
}

/// Marks one read; what was read before a message was made of it needs none.
///
/// # Errors
/// `not_found` of what was told somebody else.
pub(super) async fn read(
    tx: &Tx,
    me: &Staff<Anything>,
    id: StaffNoticeId,
    now: Instant,
) -> Result<staff_notice::Model, Problem> {
    let mine = staff_notice::Entity::find_by_id(id).filter(staff_notice::COLUMN.staff_id.eq(me.id()));
    let row = mine.lock_exclusive().one(tx).await?.ok_or_else(Problem::not_found)?;
    if row.read_at.is_some() {
        return Ok(row);
    }
    let waits = row.state == StaffNoticeState::Waiting;
    let mut row = row.into_active_model();
    row.read_at = Set(Some(now));
    if waits {
        row.state = Set(StaffNoticeState::Inbox);
    }
    Ok(row.update(tx).await?)
}

/// Forgets what staff were told a year ago.
pub async fn forget(tx: &Tx, now: Instant) -> Result<(), Problem> {
    let old = staff_notice::COLUMN.created_at.lt(now - TimeDelta::days(365));
    staff_notice::Entity::delete_many().filter(old).exec(tx).await?;
    Ok(())
}
