//! Another place for a booking that was lost without the person's doing, in one call.

use std::{collections::BTreeSet, sync::Arc};

use entity::{
    Instant, booking, booking_event,
    id::{BookingId, SlotId},
    slot, talk_day,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::LockType};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    book::{self, BookSlot, Wish},
    bookings::{self, Booked},
    places, round, standing,
    step::{self, Acting},
};
use crate::{
    app::App,
    auth::Villager,
    clock::local_day,
    db::Tx,
    personal::{Personal, PrivateText},
    problem::{Code, Problem},
    talks::{bodies::TalkMode, rules, terms},
};

/// Name of the event that another place leaves at the booking that was lost.
const REBOOK: &str = "rebook";

/// The place that is wanted instead.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rebook {
    /// One of the `alternatives`; the nearest free one when it is not said.
    slot: Option<SlotId>,
}

/// Takes another place for the same matter; the lost booking stays as it is.
///
/// # Errors
/// `transition_not_allowed` unless its day was called off or its host left; `already_booked` when another place was
/// taken for it before; `slot_full` when nothing is free; those of a booking.
pub async fn rebook(
    tx: &Tx,
    app: &Arc<App>,
    me: &Villager,
    id: BookingId,
    body: &Rebook,
    now: Instant,
) -> Result<Booked, Problem> {
    let seen = booking::Entity::find_by_id(id).one(tx).await?;
    let (seen, _) = bookings::reach(tx, me, seen, local_day(now)).await?;
    rules::rebookable(&seen)?;
    if was_rebooked(tx, id).await? {
        return Err(Code::AlreadyBooked.into());
    }
    let slot = match body.slot {
        Some(slot) => slot,
        None => nearest(tx, &seen, now).await?,
    };
    // Both days, the person, both slots: in the order that everybody keeps, so the choice comes before the locks.
    let both = BTreeSet::from([seen.slot_id, slot]);
    let days = round::lock_days(tx, &both).await?;
    standing::lock_people(tx, [seen.person_id].into(), now).await?;
    let slots = places::lock(tx, both).await?;
    let lost = booking::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(tx).await?;
    let lost = lost.ok_or_else(Problem::not_found)?;
    rules::rebookable(&lost)?;
    if was_rebooked(tx, id).await? {
        return Err(Problem::try_again("a place was taken instead meanwhile"));
    }
    let lost_day = days.get(&lost.talk_day_id).ok_or_else(Problem::not_found)?;
    let event = trace(me, lost_day, &lost, now);
    let wanted = slots.iter().find(|row| row.id == slot).ok_or_else(Problem::not_found)?;
    let day = days.get(&wanted.talk_day_id).ok_or_else(Problem::not_found)?;
    let modes = terms::modes_of(day)?;
    let mode = modes.into_iter().find(|mode| mode.slug() == lost.mode);
    let address = app.field_keys.open_if::<PrivateText>(lost.address.as_ref())?;
    let body = BookSlot {
        topic: lost.topic,
        summary: lost.summary,
        privacy: lost.privacy,
        mode,
        for_person: Some(lost.person_id),
        address: address.filter(|_| mode == Some(TalkMode::HomeVisit)).map(|text| text.in_the_clear().to_owned()),
        files: None,
    };
    let wish = Wish { app: app.clone(), me: me.clone(), slot, body, client_time: None, now };
    let answer = book::book(tx, &[&wish]).await?.pop();
    let booked = answer.unwrap_or_else(|| Err(Problem::unexpected("a wish without an answer")))?;
    step::write(tx, event).await?;
    Ok(booked)
}

/// Whether another place was taken for the booking before: one tap too many must not take a second.
async fn was_rebooked(tx: &Tx, id: BookingId) -> Result<bool, Problem> {
    let events = booking_event::Entity::find().filter(booking_event::COLUMN.booking_id.eq(id));
    Ok(events.filter(booking_event::COLUMN.action.eq(REBOOK)).one(tx).await?.is_some())
}

/// What is kept of it, at the booking that was lost and that stays as it is.
fn trace(me: &Villager, day: &talk_day::Model, lost: &booking::Model, now: Instant) -> booking_event::Model {
    booking_event::Model {
        by_kind: if lost.person_id == me.person() { "villager" } else { "agent" }.to_owned(),
        person_id: Some(me.person()),
        booking_version: lost.version,
        line_version: day.line_version,
        ..Acting::clock(now).trace(day, lost, REBOOK, lost.state)
    }
}

/// The nearest place that they can take.
async fn nearest(tx: &Tx, lost: &booking::Model, now: Instant) -> Result<SlotId, Problem> {
    let slot = slot::Entity::find_by_id(lost.slot_id).one(tx).await?.ok_or_else(Problem::not_found)?;
    let day = talk_day::Entity::find_by_id(lost.talk_day_id).one(tx).await?.ok_or_else(Problem::not_found)?;
    let near = places::instead_of(tx, lost, &slot, &day, now).await?;
    near.first().map(|slot| slot.id).ok_or_else(|| Code::SlotFull.into())
}
