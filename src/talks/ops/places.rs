//! Places of slots: taken and given back under the lock of the slot's row, by conditional updates.
//!
//! What is reckoned under the lock (the number in line) is true whatever else runs. A CHECK of the table stands behind
//! it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    Instant, booking,
    booking::BookingPrivacy,
    id::{PersonId, SlotId, TalkDayId},
    slot, talk_day,
    talk_day::TalkDayState,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, LockType},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{round, standing};
use crate::{
    clock::local_day,
    db::{Tx, padded},
    problem::{Code, Problem},
    talks::{holds, rules, terms},
};

/// How many days are looked at for alternatives.
const DAYS_LOOKED_AT: u64 = 8;
/// How many free slots are weighed; a day has at most [`crate::talks::slots::MOST_SLOTS`] of them.
const SLOTS_WEIGHED: u64 = 205;

/// A place that could be had instead.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AlternativeSlot)]
pub struct Alternative {
    slot: SlotId,
    talk_day: TalkDayId,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    /// Free public places.
    free: i32,
}

/// That a booking is live, in the words of the partial indexes: `SQLite` takes `live = ?` for something else.
pub(super) fn live() -> Expr {
    Expr::col((booking::Entity, booking::Column::Live))
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
            .filter(
                Expr::col(slot::Column::Taken)
                    .add(Expr::col(slot::Column::Held))
                    .add(places)
                    .lte(Expr::col(slot::Column::PublicPlaces)),
            )
            .exec(tx)
            .await?;
        if usize::try_from(taken.rows_affected).ok() != Some(wanted) {
            return Err(Problem::try_again("a place was gone that had been seen"));
        }
    }
    Ok(())
}

/// One slot, locked.
pub(super) async fn lock_one(tx: &Tx, id: SlotId) -> Result<slot::Model, Problem> {
    lock(tx, BTreeSet::from([id])).await?.pop().ok_or_else(Problem::not_found)
}

/// Somebody joins the list of the slot, which is locked; their turn is what it has `joined` then.
pub(super) async fn join(tx: &Tx, id: SlotId) -> Result<slot::Model, Problem> {
    let one_more = |column| (column, Expr::col(column).add(1));
    change(tx, id, vec![one_more(slot::Column::Waiting), one_more(slot::Column::Joined)]).await
}

/// Holds so many more places for those who wait, or, negative, so many fewer; who is offered a place waits no more.
pub(super) async fn hold(tx: &Tx, id: SlotId, places: i32) -> Result<slot::Model, Problem> {
    let waiting = i32::from(places > 0);
    change(
        tx,
        id,
        vec![
            (slot::Column::Held, Expr::col(slot::Column::Held).add(places)),
            (slot::Column::Waiting, Expr::col(slot::Column::Waiting).sub(waiting)),
        ],
    )
    .await
}

/// So many more entries wait for the slot.
pub(super) async fn count_waiting(tx: &Tx, id: SlotId, more: i32) -> Result<slot::Model, Problem> {
    change(tx, id, vec![(slot::Column::Waiting, Expr::col(slot::Column::Waiting).add(more))]).await
}

/// So many more of the places kept for walk-ins and the phone are taken.
pub(super) async fn take_reserved(tx: &Tx, id: SlotId, more: i32) -> Result<slot::Model, Problem> {
    change(tx, id, vec![(slot::Column::ReserveTaken, Expr::col(slot::Column::ReserveTaken).add(more))]).await
}

async fn change(tx: &Tx, id: SlotId, columns: Vec<(slot::Column, Expr)>) -> Result<slot::Model, Problem> {
    let mut update = slot::Entity::update_many().filter(slot::COLUMN.id.eq(id));
    for (column, value) in columns {
        update = update.col_expr(column, value);
    }
    let changed = update.exec_with_returning(tx).await?;
    changed.into_iter().next().ok_or_else(|| Problem::unexpected("a slot that was locked is not there"))
}

/// Gives places of the slot back. Who calls it offers them to the waiting list: see [`super::waits::give_back`].
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
        .filter(live())
        .into_tuple()
        .all(tx)
        .await?;
    for (slot, number) in rows {
        used.entry(slot).or_default().push(number);
    }
    Ok(used)
}

/// Free slots with their days.
pub(super) struct Free {
    days: BTreeMap<TalkDayId, talk_day::Model>,
    pub(super) slots: Vec<slot::Model>,
}

/// Who would take a free place, and for what.
#[derive(Default)]
pub(super) struct Taker<'a> {
    /// Days on which they have a place.
    pub(super) busy: BTreeSet<TalkDayId>,
    pub(super) privacy: Option<BookingPrivacy>,
    /// How they want to be heard.
    pub(super) mode: Option<&'a str>,
}

impl<'a> Taker<'a> {
    /// Somebody with this matter.
    pub(super) fn with(row: &'a booking::Model, busy: BTreeSet<TalkDayId>) -> Self {
        Self { busy, privacy: Some(row.privacy), mode: Some(&row.mode) }
    }
}

impl Free {
    /// Those that this person could take for this matter: what is offered can be had.
    pub(super) fn for_taker(&self, taker: &Taker<'_>) -> Vec<slot::Model> {
        let suits = |day: &talk_day::Model| {
            let hears = taker.privacy.is_none_or(|privacy| round::check_privacy(privacy, day).is_ok());
            let modes = terms::modes_of(day).unwrap_or_default();
            let offers = taker.mode.is_none_or(|wanted| modes.iter().any(|mode| mode.slug() == wanted));
            hears && offers && !taker.busy.contains(&day.id)
        };
        let suits = |slot: &&slot::Model| self.days.get(&slot.talk_day_id).is_some_and(suits);
        self.slots.iter().filter(suits).cloned().collect()
    }
}

/// Days that have not ended on which somebody has a place.
pub(super) async fn busy_days(
    db: &impl ConnectionTrait,
    person: PersonId,
    now: Instant,
) -> Result<BTreeSet<TalkDayId>, Problem> {
    let standing = standing::look(db, [person].into(), now).await?.remove(&person).unwrap_or_default();
    Ok(standing.held.into_iter().collect())
}

/// Free slots of this day and of the open days that follow it, in the same place and for the same purpose.
pub(super) async fn free_near(db: &impl ConnectionTrait, day: &talk_day::Model, now: Instant) -> Result<Free, Problem> {
    free_from(db, day, day.on_date, now).await
}

/// Free slots of the days that can be booked now, in the same place and for the same purpose, the soonest first.
pub(super) async fn free_ahead(
    db: &impl ConnectionTrait,
    day: &talk_day::Model,
    now: Instant,
) -> Result<Free, Problem> {
    free_from(db, day, local_day(now), now).await
}

async fn free_from(
    db: &impl ConnectionTrait,
    day: &talk_day::Model,
    from: NaiveDate,
    now: Instant,
) -> Result<Free, Problem> {
    let days = talk_day::Entity::find()
        .filter(talk_day::COLUMN.division_id.eq(day.division_id))
        .filter(talk_day::COLUMN.on_date.gte(from))
        .filter(talk_day::COLUMN.purpose.eq(day.purpose))
        .filter(talk_day::COLUMN.state.eq(TalkDayState::Planned))
        .filter(talk_day::COLUMN.opens_at.lte(now))
        .filter(talk_day::COLUMN.closes_at.gt(now))
        .order_by_asc(talk_day::Column::StartsAt)
        .limit(DAYS_LOOKED_AT)
        .all(db)
        .await?;
    let days: BTreeMap<TalkDayId, talk_day::Model> = days.into_iter().map(|day| (day.id, day)).collect();
    let spoken_for = Expr::col(slot::Column::Taken).add(Expr::col(slot::Column::Held));
    let free = slot::Entity::find()
        .filter(slot::COLUMN.talk_day_id.is_in(padded(days.keys().copied())))
        .filter(spoken_for.lt(Expr::col(slot::Column::PublicPlaces)));
    let slots = free.order_by_asc(slot::Column::StartsAt).limit(SLOTS_WEIGHED).all(db).await?;
    Ok(Free { days, slots })
}

/// What may be had instead of a place that was lost with its day or its host: the slots nearest to it.
pub(super) async fn instead_of(
    db: &impl ConnectionTrait,
    lost: &booking::Model,
    slot: &slot::Model,
    day: &talk_day::Model,
    now: Instant,
) -> Result<Vec<slot::Model>, Problem> {
    let busy = busy_days(db, lost.person_id, now).await?;
    Ok(rules::nearest(slot, free_ahead(db, day, now).await?.for_taker(&Taker::with(lost, busy))))
}

/// All slots of a day, locked; in the order of their ids.
pub(super) async fn lock_all(tx: &Tx, day: TalkDayId) -> Result<Vec<slot::Model>, Problem> {
    let slots = slot::Entity::find().filter(slot::COLUMN.talk_day_id.eq(day)).order_by_asc(slot::Column::Id);
    Ok(slots.lock(LockType::NoKeyUpdate).all(tx).await?)
}

/// The refusal of a full slot, with the nearest of the free ones.
pub(super) fn full(wanted: &slot::Model, free: Vec<slot::Model>) -> Problem {
    let near: Vec<Alternative> = rules::nearest(wanted, free).into_iter().map(Alternative::from).collect();
    Problem::new(Code::SlotFull).with("alternatives", near)
}

impl From<slot::Model> for Alternative {
    fn from(row: slot::Model) -> Self {
        Self {
            slot: row.id,
            talk_day: row.talk_day_id,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            free: holds::free(&row),
        }
    }
}
