//! The desk moves people along: one step of one booking, or whoever is next.
//!
//! Two desks that press the button at the same time get two people: the day is locked first, and who is next is read
//! under that lock.

use entity::{Instant, booking, booking::BookingState, id::BookingId, id::TalkDayId, slot, talk_day};
use sea_orm::{EntityTrait, QuerySelect, sea_query::LockType};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    line,
    step::{self, Acting, Open},
    turns,
};
use crate::{
    auth::{Staff, duty::Need},
    db::Tx,
    problem::{Code, Problem},
    talks::steps::{self, LineAction},
};

/// A step with a booking.
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeStep {
    /// The version that was looked at; 409 `stale` when it is another by now.
    pub(super) version: Option<i32>,
}

/// Takes a step with a booking.
///
/// # Errors
/// `not_found`, `stale`, `transition_not_allowed`, `day_not_running`.
pub async fn take<N: Need>(
    tx: &Tx,
    staff: &Staff<N>,
    id: BookingId,
    action: LineAction,
    body: &TakeStep,
    acting: &Acting,
) -> Result<booking::Model, Problem> {
    let open = step::open(tx, staff, id).await?;
    if body.version.is_some_and(|version| version != open.booking.version) {
        return Err(Code::Stale.into());
    }
    taken(tx, open, action, acting).await
}

/// The step, when it is in time.
pub(super) async fn taken(tx: &Tx, open: Open, action: LineAction, acting: &Acting) -> Result<booking::Model, Problem> {
    let slot = slot::Entity::find_by_id(open.booking.slot_id).one(tx).await?;
    let slot = slot.ok_or_else(|| Problem::unexpected("a booking of no slot"))?;
    let fits = action.step().is_some_and(|step| step.from.contains(&open.booking.state));
    // What the state forbids is told first: a concluded talk is not "too early".
    if fits {
        steps::in_time(action, open.booking.state, open.day.on_date, slot.starts_at, said(acting))?;
    }
    step::take(tx, open, action, acting, |_| ()).await
}

/// When it was done, as far as the desk's clock is believed.
pub(super) fn said(acting: &Acting) -> Instant {
    steps::acted_at(acting.said_at, None, acting.now)
}

/// Locks the day; 404 where the staff have no part in it. Also whether they host it.
pub(super) async fn lock_day<N: Need>(
    tx: &Tx,
    staff: &Staff<N>,
    id: TalkDayId,
) -> Result<(talk_day::Model, bool), Problem> {
    let day = talk_day::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(tx).await?;
    let day = day.ok_or_else(Problem::not_found)?;
    let hosting = line::hosting(tx, staff, &day).await?;
    Ok((day, hosting))
}

/// Calls whoever is next.
///
/// # Errors
/// `not_found`, `line_empty`, `day_not_running`.
pub async fn call_next<N: Need>(
    tx: &Tx,
    staff: &Staff<N>,
    id: TalkDayId,
    acting: &Acting,
) -> Result<booking::Model, Problem> {
    let (day, hosting) = lock_day(tx, staff, id).await?;
    let slots = turns::slots(tx, id).await?;
    // A queue that is sent again must not call who came since; a clock that is slow must not hide who is there.
    let at = if acting.key.is_some() { said(acting) } else { acting.now };
    let turns = turns::read(tx, id, &slots, at).await?;
    let next = turns.order.first().ok_or(Code::LineEmpty)?;
    let booking = booking::Entity::find_by_id(next.id).lock(LockType::NoKeyUpdate).one(tx).await?;
    let booking = booking.filter(|row| row.state == BookingState::CheckedIn);
    let booking = booking.ok_or_else(|| Problem::try_again("who was next has gone"))?;
    taken(tx, Open { day, booking, hosting }, LineAction::Call, acting).await
}
