//! Places that people lose without their doing: taken back, told, with the nearest free place beside it.
//!
//! The day is locked by the caller, then its slots; counters are reckoned on the rows that were locked and written once.

use std::collections::{BTreeMap, BTreeSet};

use entity::{
    Instant, booking,
    booking::{BookingPlace, BookingState},
    id::{PersonId, SlotId, TalkDayId},
    slot, talk_day, talk_wait,
    talk_wait::WaitState,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, Set,
    sea_query::{Expr, ExprTrait},
};
use serde_json::json;

use super::places::{self, Taker};
use crate::{
    db::{Tx, padded},
    notices::{self, About, Telling},
    problem::Problem,
    talks::{
        rules::{self, spoken},
        terms::stored,
    },
};

/// What people are told: the sentence with a place nearby, the one without, and why.
pub(super) struct Why<'a> {
    pub(super) with_place: &'static str,
    pub(super) without: &'static str,
    pub(super) reason: &'a str,
}

/// Cancels the live bookings that a condition names; the rows as they are then.
pub(super) async fn cancel(
    tx: &Tx,
    which: Condition,
    reason: &'static str,
    now: Instant,
) -> Result<Vec<booking::Model>, Problem> {
    let gone = booking::Entity::update_many()
        .col_expr(booking::Column::State, BookingState::Cancelled.into())
        .col_expr(booking::Column::Live, false.into())
        .col_expr(booking::Column::CancelReason, reason.into())
        .col_expr(booking::Column::ChangedAt, now.into())
        .col_expr(booking::Column::Version, Expr::col(booking::Column::Version).add(1))
        .filter(places::live())
        .filter(which)
        .exec_with_returning(tx)
        .await?;
    Ok(gone)
}

/// Takes what these bookings held out of the counters of their slots; the caller writes the slots.
pub(super) fn uncount(slots: &mut [slot::Model], gone: &[booking::Model]) {
    for row in gone {
        let Some(slot) = slots.iter_mut().find(|slot| slot.id == row.slot_id) else { continue };
        match row.place {
            BookingPlace::Public => slot.taken -= 1,
            BookingPlace::Reserve => slot.reserve_taken -= 1,
            BookingPlace::Line => {}
        }
        slot.released += 1;
    }
}

/// Writes places and counters of slots that differ from what they were.
pub(super) async fn write(tx: &Tx, before: &[slot::Model], after: &[slot::Model]) -> Result<(), Problem> {
    for slot in after.iter().filter(|slot| !before.contains(slot)) {
        let row = slot::ActiveModel {
            id: Set(slot.id),
            places: Set(slot.places),
            public_places: Set(slot.public_places),
            taken: Set(slot.taken),
            held: Set(slot.held),
            reserve_taken: Set(slot.reserve_taken),
            waiting: Set(slot.waiting),
            released: Set(slot.released),
            ..Default::default()
        };
        row.update(tx).await?;
    }
    Ok(())
}

/// Tells who lost a place, each of the nearest free one that nobody before them was told of, if there is one.
pub(super) async fn tell(
    tx: &Tx,
    day: &talk_day::Model,
    slots: &[slot::Model],
    lost: &[booking::Model],
    why: Why<'_>,
    now: Instant,
) -> Result<(), Problem> {
    if lost.is_empty() {
        return Ok(());
    }
    let free = places::free_ahead(tx, day, now).await?;
    let busy = busy(tx, lost, &free.slots).await?;
    let room = |slot: &slot::Model| slot.public_places - slot.taken - slot.held;
    let mut left: BTreeMap<SlotId, i32> = free.slots.iter().map(|slot| (slot.id, room(slot))).collect();
    let mut tellings = Vec::with_capacity(lost.len());
    for row in lost {
        let Some(wanted) = slots.iter().find(|slot| slot.id == row.slot_id) else { continue };
        let busy = busy.get(&row.person_id).cloned().unwrap_or_default();
        let near = rules::nearest(wanted, free.for_taker(&Taker::with(row, busy)));
        let unpromised = near.iter().find(|slot| left.get(&slot.id).is_some_and(|left| *left > 0));
        let next = unpromised.or(near.first());
        if let Some(left) = next.and_then(|slot| left.get_mut(&slot.id)) {
            *left -= 1;
        }
        let mut params = json!({"when": spoken(wanted.starts_at), "reason": why.reason});
        if let (Some(next), Some(params)) = (next, params.as_object_mut()) {
            params.insert("next".to_owned(), spoken(next.starts_at).into());
        }
        let kind = if next.is_some() { why.with_place } else { why.without };
        tellings.push(Telling { person: row.person_id, kind, about: About::Booking(row.id), params });
    }
    notices::tell(tx, tellings, now).await
}

/// Who of them has a place on which of the days with free slots: there they can have no other.
async fn busy(
    tx: &Tx,
    lost: &[booking::Model],
    free: &[slot::Model],
) -> Result<BTreeMap<PersonId, BTreeSet<TalkDayId>>, Problem> {
    let days: BTreeSet<TalkDayId> = free.iter().map(|slot| slot.talk_day_id).collect();
    let people: BTreeSet<PersonId> = lost.iter().map(|row| row.person_id).collect();
    let live: Vec<(PersonId, TalkDayId)> = booking::Entity::find()
        .select_only()
        .columns([booking::Column::PersonId, booking::Column::TalkDayId])
        .filter(booking::COLUMN.person_id.is_in(padded(people)))
        .filter(booking::COLUMN.talk_day_id.is_in(padded(days)))
        .filter(places::live())
        .into_tuple()
        .all(tx)
        .await?;
    let mut busy = BTreeMap::<PersonId, BTreeSet<TalkDayId>>::new();
    for (person, day) in live {
        busy.entry(person).or_default().insert(day);
    }
    Ok(busy)
}

/// Ends every entry of the day's waiting lists and tells the people; the counters are taken out of the slots.
pub(super) async fn end_waits(
    tx: &Tx,
    day: TalkDayId,
    slots: &mut [slot::Model],
    reason: &str,
    now: Instant,
) -> Result<(), Problem> {
    let ended = talk_wait::Entity::update_many()
        .col_expr(talk_wait::Column::State, WaitState::Ended.into())
        .col_expr(talk_wait::Column::EndedAt, now.into())
        .filter(talk_wait::COLUMN.talk_day_id.eq(day))
        .filter(talk_wait::COLUMN.state.is_in([WaitState::Waiting, WaitState::Held]))
        .exec_with_returning(tx)
        .await?;
    for slot in slots.iter_mut() {
        slot.waiting = 0;
        slot.held = 0;
    }
    tell_waiting(tx, slots, &ended, "wait_day_cancelled", &json!({"reason": reason}), now).await
}

/// Tells everybody of these entries, with the start of the slot they wait for as `when`.
pub(super) async fn tell_waiting(
    tx: &Tx,
    slots: &[slot::Model],
    waits: &[talk_wait::Model],
    kind: &'static str,
    params: &serde_json::Value,
    now: Instant,
) -> Result<(), Problem> {
    let mut tellings = Vec::new();
    for row in waits {
        let Some(slot) = slots.iter().find(|slot| slot.id == row.slot_id) else { continue };
        let mut params = params.clone();
        if let Some(params) = params.as_object_mut() {
            params.insert("when".to_owned(), spoken(slot.starts_at).into());
        }
        for person in stored::<Vec<PersonId>>(&row.party)? {
            tellings.push(Telling { person, kind, about: About::Oneself, params: params.clone() });
        }
    }
    notices::tell(tx, tellings, now).await
}
