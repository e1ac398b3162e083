//! Taking the last step back, within a minute: the finger slipped.

use entity::{
    Instant, booking,
    booking::{BookingOutcome, BookingPlace, BookingState},
    booking_event,
    id::{BookingId, CaseId, TalkDayId},
    talk_day,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::LockType,
};
use serde::Deserialize;

use super::{
    call::{TakeStep, lock_day},
    step::{self, Acting, Open},
    walk_in,
};
use crate::{
    auth::{Staff, duty::Need},
    db::Tx,
    problem::{Code, Problem},
    talks::steps::{STEPS, UNDO_WITHIN, acted_at},
};

/// Name of the event that a step taken back leaves.
const UNDO: &str = "undo";

/// What a step has written down of the columns it changes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Before {
    arrived_at: Option<Instant>,
    called_at: Option<Instant>,
    ended_at: Option<Instant>,
    outcome: Option<BookingOutcome>,
    case_id: Option<CaseId>,
}

/// Whether more hangs on how it ended than this row: a case, or a matter of the council. That is not taken back.
pub(super) fn is_kept(row: &booking::Model) -> bool {
    row.state == BookingState::Concluded
        && (row.case_id.is_some() || matches!(row.outcome, Some(BookingOutcome::Case | BookingOutcome::Council)))
}

/// Takes the last step of a booking back; of somebody who was entered as a walk-in, the entry itself.
///
/// # Errors
/// `not_found`, `stale`, `undo_too_late`; `transition_not_allowed` when there is no step, when something else has
/// changed the booking since, or when a case or a matter of the council has come of it.
pub async fn undo<N: Need>(
    tx: &Tx,
    staff: &Staff<N>,
    id: BookingId,
    body: &TakeStep,
    acting: &Acting,
) -> Result<booking::Model, Problem> {
    let open = step::open(tx, staff, id).await?;
    if body.version.is_some_and(|version| version != open.booking.version) {
        return Err(Code::Stale.into());
    }
    taken_back(tx, open, acting).await
}

/// Takes the last step back that whoever acts has taken on this day.
///
/// # Errors
/// As [`undo`].
pub async fn undo_last<N: Need>(
    tx: &Tx,
    staff: &Staff<N>,
    id: TalkDayId,
    acting: &Acting,
) -> Result<booking::Model, Problem> {
    let (day, hosting) = lock_day(tx, staff, id).await?;
    let last = booking_event::Entity::find()
        .filter(booking_event::COLUMN.talk_day_id.eq(id))
        .filter(booking_event::COLUMN.staff_id.eq(acting.staff))
        .filter(booking_event::COLUMN.undone_at.is_null())
        // Not what the desk did by phone, such as moving a booking: that is no step of the line.
        .filter(booking_event::COLUMN.action.is_in(line_steps()))
        .order_by_desc(booking_event::Column::LineVersion)
        .order_by_desc(booking_event::Column::Id)
        .one(tx)
        .await?;
    let last = last.ok_or(Code::TransitionNotAllowed)?;
    let booking = booking::Entity::find_by_id(last.booking_id).lock(LockType::NoKeyUpdate).one(tx).await?;
    let booking = booking.ok_or_else(Problem::not_found)?;
    taken_back(tx, Open { day, booking, hosting }, acting).await
}

/// Names of what can be the last step of a day.
fn line_steps() -> impl Iterator<Item = &'static str> {
    STEPS.iter().map(|step| step.slug).chain([walk_in::WALK_IN])
}

/// The step taken back, the day and the booking being locked.
pub(super) async fn taken_back(tx: &Tx, open: Open, acting: &Acting) -> Result<booking::Model, Problem> {
    let Open { day, booking, .. } = open;
    let last = step::last_event(tx, booking.id).await?.ok_or(Code::TransitionNotAllowed)?;
    if last.to_state != booking.state || is_kept(&booking) {
        return Err(Code::TransitionNotAllowed.into());
    }
    let at = acted_at(acting.said_at, Some(last.acted_at), acting.now);
    if at - last.acted_at > UNDO_WITHIN {
        return Err(Code::UndoTooLate.into());
    }
    let entered = last.action == walk_in::WALK_IN;
    let to = if entered { BookingState::Cancelled } else { last.from_state };
    trace(tx, &day, &booking, &last, to, at, acting).await?;
    let booking = if entered { withdraw(tx, booking).await? } else { restore(tx, booking, &last).await? };
    step::moved(tx, &day).await?;
    Ok(booking)
}

/// The step is marked, and who took it back is written down.
async fn trace(
    tx: &Tx,
    day: &talk_day::Model,
    booking: &booking::Model,
    last: &booking_event::Model,
    to: BookingState,
    at: Instant,
    acting: &Acting,
) -> Result<(), Problem> {
    // It is no step of its own that could be taken back.
    let event = booking_event::Model { acted_at: at, undone_at: Some(at), ..acting.trace(day, booking, UNDO, to) };
    step::write(tx, event).await?;
    let mut marked = last.clone().into_active_model();
    marked.undone_at = Set(Some(at));
    marked.update(tx).await?;
    Ok(())
}

async fn restore(tx: &Tx, row: booking::Model, last: &booking_event::Model) -> Result<booking::Model, Problem> {
    let before = last.before.as_ref().map(Before::deserialize).transpose().map_err(Problem::unexpected)?;
    let before = before.ok_or(Code::TransitionNotAllowed)?;
    let version = row.version + 1;
    let mut row = row.into_active_model();
    row.state = Set(last.from_state);
    row.arrived_at = Set(before.arrived_at);
    row.called_at = Set(before.called_at);
    row.ended_at = Set(before.ended_at);
    row.outcome = Set(before.outcome);
    row.case_id = Set(before.case_id);
    row.version = Set(version);
    Ok(row.update(tx).await?)
}

async fn withdraw(tx: &Tx, row: booking::Model) -> Result<booking::Model, Problem> {
    if row.place == BookingPlace::Reserve {
        walk_in::give_back(tx, row.slot_id).await?;
    }
    let version = row.version + 1;
    let mut row = row.into_active_model();
    row.state = Set(BookingState::Cancelled);
    row.live = Set(false);
    row.cancel_reason = Set(Some("entered_by_mistake".to_owned()));
    row.version = Set(version);
    Ok(row.update(tx).await?)
}
