//! Another place for a booking that was lost without the person's doing, in one call.

use std::sync::Arc;

use entity::{
    Instant,
    id::{BookingId, SlotId},
};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    book::{self, BookSlot, Wish},
    bookings::{self, Booked, Held},
    places, round,
};
use crate::{
    app::App,
    auth::Villager,
    db::Tx,
    personal::{Personal, PrivateText},
    problem::{Code, Problem},
    talks::{bodies::TalkMode, rules, terms},
};

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
/// `transition_not_allowed` unless its day was called off or its host left; `slot_full` when nothing is free; those of a
/// booking.
pub async fn rebook(
    tx: &Tx,
    app: &Arc<App>,
    me: &Villager,
    id: BookingId,
    body: &Rebook,
    now: Instant,
) -> Result<Booked, Problem> {
    let Held { booking: lost, day, .. } = bookings::hold(tx, me, id, now).await?;
    rules::rebookable(&lost)?;
    let slot = match body.slot {
        Some(slot) => slot,
        None => nearest(tx, &day, lost.slot_id, now).await?,
    };
    let day = round::day_of(tx, slot).await?;
    let modes = terms::modes_of(&day)?;
    let mode = modes.into_iter().find(|mode| mode.slug() == lost.mode);
    let address = app.field_keys.open_if::<PrivateText>(lost.address.as_ref())?;
    let body = BookSlot {
        topic: lost.topic,
        summary: lost.summary,
        privacy: lost.privacy,
        mode,
        for_person: Some(lost.person_id),
        address: address.filter(|_| mode == Some(TalkMode::HomeVisit)).map(|text| text.in_the_clear().to_owned()),
    };
    let wish = Wish { app: app.clone(), me: me.clone(), slot, body, client_time: None, now };
    let answer = book::book(tx, &[&wish]).await?.pop();
    answer.unwrap_or_else(|| Err(Problem::unexpected("a wish without an answer")))
}

async fn nearest(tx: &Tx, day: &entity::talk_day::Model, lost: SlotId, now: Instant) -> Result<SlotId, Problem> {
    let wanted = places::lock_one(tx, lost).await?;
    let near = rules::nearest(&wanted, places::free_ahead(tx, day, now).await?);
    near.first().map(|slot| slot.id).ok_or_else(|| Code::SlotFull.into())
}
