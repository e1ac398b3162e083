//! Places of slots: taken and given back by conditional updates, never by reading first.
//!
//! The update locks the slot's row until the transaction ends, so what is reckoned after it (the number in line) is
//! true whatever else runs. A CHECK of the table stands behind it.

use entity::{
    Instant, booking,
    id::{SlotId, TalkDayId},
    slot, talk_day,
    talk_day::TalkDayState,
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use serde::Serialize;

use crate::{
    db::Tx,
    problem::{Code, Problem},
    talks::rules,
};

/// How many days are looked at for alternatives.
const DAYS_LOOKED_AT: u64 = 6;
/// How many free slots are weighed; a day has at most [`crate::talks::slots::MOST_SLOTS`] of them.
const SLOTS_WEIGHED: u64 = 205;

/// A place that could be had instead.
#[derive(Serialize)]
struct Alternative {
    slot: SlotId,
    talk_day: TalkDayId,
    starts_at: Instant,
    ends_at: Instant,
    free: i32,
}

/// Takes a public place of the slot; `None` when there is none.
pub(super) async fn take(tx: &Tx, id: SlotId) -> Result<Option<slot::Model>, Problem> {
    let taken = slot::Entity::update_many()
        .col_expr(slot::Column::Taken, Expr::col(slot::Column::Taken).add(1))
        .filter(slot::COLUMN.id.eq(id))
        .filter(Expr::col(slot::Column::Taken).lt(Expr::col(slot::Column::PublicPlaces)))
        .exec_with_returning(tx)
        .await?;
    Ok(taken.into_iter().next())
}

/// Gives places of the slot back.
pub(super) async fn give_back(tx: &Tx, id: SlotId, places: i32) -> Result<slot::Model, Problem> {
    let freed = slot::Entity::update_many()
        .col_expr(slot::Column::Taken, Expr::col(slot::Column::Taken).sub(places))
        .col_expr(slot::Column::Released, Expr::col(slot::Column::Released).add(places))
        .filter(slot::COLUMN.id.eq(id))
        .exec_with_returning(tx)
        .await?;
    freed.into_iter().next().ok_or_else(|| Problem::unexpected("a booking of no slot"))
}

/// The number in line of the place just taken: the next, or one that was given back.
pub(super) async fn number(tx: &Tx, slot: &slot::Model) -> Result<i32, Problem> {
    if slot.released == 0 {
        return Ok(slot.first_number + slot.taken - 1);
    }
    let used: Vec<i32> = booking::Entity::find()
        .select_only()
        .column(booking::Column::NumberInLine)
        .filter(booking::COLUMN.slot_id.eq(slot.id))
        .filter(booking::COLUMN.live.eq(true))
        .into_tuple()
        .all(tx)
        .await?;
    Ok(rules::lowest_free(slot.first_number, &used))
}

/// The refusal of a full slot, with the nearest free ones; `held` are days on which the person has a place already.
pub(super) async fn full(
    tx: &Tx,
    wanted: &slot::Model,
    day: &talk_day::Model,
    held: Vec<TalkDayId>,
    now: Instant,
) -> Result<Problem, Problem> {
    let days: Vec<TalkDayId> = talk_day::Entity::find()
        .select_only()
        .column(talk_day::Column::Id)
        .filter(talk_day::COLUMN.division_id.eq(day.division_id))
        .filter(talk_day::COLUMN.on_date.gte(day.on_date))
        .filter(talk_day::COLUMN.state.eq(TalkDayState::Planned))
        .filter(talk_day::COLUMN.opens_at.lte(now))
        .filter(talk_day::COLUMN.closes_at.gt(now))
        .filter(talk_day::COLUMN.id.is_not_in(held))
        .order_by_asc(talk_day::Column::StartsAt)
        .limit(DAYS_LOOKED_AT)
        .into_tuple()
        .all(tx)
        .await?;
    let free = slot::Entity::find()
        .filter(slot::COLUMN.talk_day_id.is_in(days))
        .filter(Expr::col(slot::Column::Taken).lt(Expr::col(slot::Column::PublicPlaces)))
        .order_by_asc(slot::Column::StartsAt)
        .limit(SLOTS_WEIGHED)
        .all(tx)
        .await?;
    let alternatives: Vec<Alternative> = rules::nearest(wanted, free).into_iter().map(Alternative::from).collect();
    Ok(Problem::new(Code::SlotFull).with("alternatives", alternatives))
}

impl From<slot::Model> for Alternative {
    fn from(row: slot::Model) -> Self {
        Self {
            slot: row.id,
            talk_day: row.talk_day_id,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            free: row.public_places - row.taken,
        }
    }
}
