//! Places of slots: taken and given back under the lock of the slot's row, by conditional updates.
//!
//! What is reckoned under the lock (the number in line) is true whatever else runs. A CHECK of the table stands behind
//! it.

use std::collections::{BTreeMap, BTreeSet};

use entity::{
    Instant, booking,
    id::{SlotId, TalkDayId},
    slot, talk_day,
    talk_day::TalkDayState,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, LockType},
};
use serde::Serialize;

use crate::{
    clock::local_day,
    db::{Tx, padded},
    problem::{Code, Problem},
    talks::rules,
};

/// How many days are looked at for alternatives.
const DAYS_LOOKED_AT: u64 = 8;
/// How many free slots are weighed; a day has at most [`crate::talks::slots::MOST_SLOTS`] of them.
const SLOTS_WEIGHED: u64 = 205;

/// A place that could be had instead.
#[derive(Clone, Debug, Serialize)]
pub struct Alternative {
    slot: SlotId,
    talk_day: TalkDayId,
    starts_at: Instant,
    ends_at: Instant,
    free: i32,
}

/// The slots, locked; in the order of their ids.
pub(super) async fn lock(tx: &Tx, ids: BTreeSet<SlotId>) -> Result<Vec<slot::Model>, Problem> {
    let slots = slot::Entity::find().filter(slot::COLUMN.id.is_in(padded(ids))).order_by_asc(slot::Column::Id);
    Ok(slots.lock(LockType::NoKeyUpdate).all(tx).await?)
}

/// Takes so many public places of each slot. That they are there was seen under the lock, and is asked for once more.
pub(super) async fn take(tx: &Tx, places: BTreeMap<SlotId, i32>) -> Result<(), Problem> {
    let mut alike = BTreeMap::<i32, Vec<SlotId>>::new();
    for (slot, places) in places {
        alike.entry(places).or_default().push(slot);
    }
    for (places, slots) in alike {
        let wanted = slots.len();
        let taken = slot::Entity::update_many()
            .col_expr(slot::Column::Taken, Expr::col(slot::Column::Taken).add(places))
            .filter(slot::COLUMN.id.is_in(padded(slots)))
            .filter(Expr::col(slot::Column::Taken).add(places).lte(Expr::col(slot::Column::PublicPlaces)))
            .exec(tx)
            .await?;
        if usize::try_from(taken.rows_affected).ok() != Some(wanted) {
            return Err(Problem::try_again("a place was gone that had been seen"));
        }
    }
    Ok(())
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

/// Numbers in line that are in use, of each of these slots.
pub(super) async fn numbers(
    tx: &Tx,
    slots: impl Iterator<Item = SlotId>,
) -> Result<BTreeMap<SlotId, Vec<i32>>, Problem> {
    let mut used: BTreeMap<SlotId, Vec<i32>> = slots.map(|slot| (slot, vec![])).collect();
    if used.is_empty() {
        return Ok(used);
    }
    let rows: Vec<(SlotId, i32)> = booking::Entity::find()
        .select_only()
        .column(booking::Column::SlotId)
        .column(booking::Column::NumberInLine)
        .filter(booking::COLUMN.slot_id.is_in(padded(used.keys().copied())))
        .filter(booking::COLUMN.live.eq(true))
        .into_tuple()
        .all(tx)
        .await?;
    for (slot, number) in rows {
        used.entry(slot).or_default().push(number);
    }
    Ok(used)
}

/// Free slots of this day and of the open days that follow it in the same place.
pub(super) async fn free_near(tx: &Tx, day: &talk_day::Model, now: Instant) -> Result<Vec<slot::Model>, Problem> {
    let days: Vec<TalkDayId> = talk_day::Entity::find()
        .select_only()
        .column(talk_day::Column::Id)
        .filter(talk_day::COLUMN.division_id.eq(day.division_id))
        .filter(talk_day::COLUMN.on_date.gte(day.on_date))
        .filter(talk_day::COLUMN.state.eq(TalkDayState::Planned))
        .filter(talk_day::COLUMN.opens_at.lte(now))
        .filter(talk_day::COLUMN.closes_at.gt(now))
        .order_by_asc(talk_day::Column::StartsAt)
        .limit(DAYS_LOOKED_AT)
        .into_tuple()
        .all(tx)
        .await?;
    let free = slot::Entity::find()
        .filter(slot::COLUMN.talk_day_id.is_in(padded(days)))
        .filter(Expr::col(slot::Column::Taken).lt(Expr::col(slot::Column::PublicPlaces)));
    Ok(free.order_by_asc(slot::Column::StartsAt).limit(SLOTS_WEIGHED).all(tx).await?)
}

/// Free slots of the days that can be booked now in the same place and for the same purpose, the soonest first.
pub(super) async fn free_ahead(
    db: &impl ConnectionTrait,
    day: &talk_day::Model,
    now: Instant,
) -> Result<Vec<slot::Model>, Problem> {
    let days: Vec<TalkDayId> = talk_day::Entity::find()
        .select_only()
        .column(talk_day::Column::Id)
        .filter(talk_day::COLUMN.division_id.eq(day.division_id))
        .filter(talk_day::COLUMN.on_date.gte(local_day(now)))
        .filter(talk_day::COLUMN.purpose.eq(day.purpose))
        .filter(talk_day::COLUMN.state.eq(TalkDayState::Planned))
        .filter(talk_day::COLUMN.opens_at.lte(now))
        .filter(talk_day::COLUMN.closes_at.gt(now))
        .order_by_asc(talk_day::Column::StartsAt)
        .limit(DAYS_LOOKED_AT)
        .into_tuple()
        .all(db)
        .await?;
    let spoken_for = Expr::col(slot::Column::Taken).add(Expr::col(slot::Column::Held));
    let free = slot::Entity::find()
        .filter(slot::COLUMN.talk_day_id.is_in(padded(days)))
        .filter(spoken_for.lt(Expr::col(slot::Column::PublicPlaces)));
    Ok(free.order_by_asc(slot::Column::StartsAt).limit(SLOTS_WEIGHED).all(db).await?)
}

/// What may be had instead of a place that was lost with its day or its host: the slots nearest to it.
pub(super) async fn alternatives_of(
    db: &impl ConnectionTrait,
    day: &talk_day::Model,
    slot: &slot::Model,
    now: Instant,
) -> Result<Vec<Alternative>, Problem> {
    let free = free_ahead(db, day, now).await?;
    Ok(rules::nearest(slot, free).into_iter().map(Alternative::from).collect())
}

/// All slots of a day, locked; in the order of their ids.
pub(super) async fn lock_all(tx: &Tx, day: TalkDayId) -> Result<Vec<slot::Model>, Problem> {
    let slots = slot::Entity::find().filter(slot::COLUMN.talk_day_id.eq(day)).order_by_asc(slot::Column::Id);
    Ok(slots.lock(LockType::NoKeyUpdate).all(tx).await?)
}

/// The refusal of a full slot, with the nearest of the free ones.
pub(super) fn full(wanted: &slot::Model, free: Vec<slot::Model>) -> Problem {
    let alternatives: Vec<Alternative> = rules::nearest(wanted, free).into_iter().map(Alternative::from).collect();
    Problem::new(Code::SlotFull).with("alternatives", alternatives)
}

impl From<slot::Model> for Alternative {
    fn from(row: slot::Model) -> Self {
        Self {
            slot: row.id,
            talk_day: row.talk_day_id,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            free: row.public_places - row.taken - row.held,
        }
    }
}
