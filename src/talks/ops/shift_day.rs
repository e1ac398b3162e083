//! Shifting a day whole: to another date, to another time, with its slots, its numbers and everybody who is in.
//!
//! Nobody loses a place by it; everybody is told the old time and the new one, and may leave until it starts.

use chrono::TimeDelta;
use entity::{
    Instant, booking, booking::BookingState, id::TalkDayId, slot, talk_day, talk_day::TalkDayState, talk_wait,
    talk_wait::WaitState,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Set,
    sea_query::{Expr, ExprTrait},
};
use serde_json::json;

use super::{lost_places, places, talk_days, talk_days::SlottedDay};
use crate::{
    auth::{Staff, duty::ManageTalks},
    clock,
    db::Tx,
    notices::{self, About, Telling},
    problem::{Code, OnUnique, Problem},
    talks::{bodies::ShiftTalkDay, rules::spoken, terms},
};

/// Shifts a day that has not begun.
///
/// # Errors
/// `not_found`; `transition_not_allowed` when it was called off or has begun, or somebody has checked in; 422 for a time
/// that is past, too far, the same, or beyond midnight; `already_exists` where its rule has a day on that date.
pub async fn shift(
    tx: &Tx,
    staff: &Staff<ManageTalks>,
    id: TalkDayId,
    body: &ShiftTalkDay,
    now: Instant,
) -> Result<SlottedDay, Problem> {
    let reason = talk_days::reason(&body.reason)?;
    let day = talk_days::lock(tx, staff, id).await?;
    if day.state == TalkDayState::Cancelled || day.starts_at <= now {
        return Err(Code::TransitionNotAllowed.into());
    }
    let by = span(&day, body, now)?;
    let slots = move_slots(tx, places::lock_all(tx, id).await?, by).await?;
    let booked = move_bookings(tx, id, now).await?;
    let day = move_day(tx, day, body, by, now).await?;
    let mut tellings = Vec::with_capacity(booked.len());
    for row in booked {
        let Some(slot) = slots.iter().find(|slot| slot.id == row.slot_id) else { continue };
        let (before, when) = (spoken(slot.starts_at - by), spoken(slot.starts_at));
        let params = json!({"before": before, "when": when, "reason": reason});
        let about = About::Booking(row.id);
        tellings.push(Telling { person: row.person_id, kind: "booking_day_shifted", about, params });
    }
    notices::tell(tx, tellings, now).await?;
    let waits = talk_wait::Entity::find()
        .filter(talk_wait::COLUMN.talk_day_id.eq(day.id))
        .filter(talk_wait::COLUMN.state.is_in([WaitState::Waiting, WaitState::Held]))
        .order_by_asc(talk_wait::Column::Id)
        .all(tx)
        .await?;
    let params = json!({"reason": reason, "before": spoken(day.starts_at - by)});
    lost_places::tell_waiting(tx, &slots, &waits, "wait_day_shifted", &params, now).await?;
    talk_days::find(tx, id).await
}

/// By how much everything moves.
fn span(day: &talk_day::Model, body: &ShiftTalkDay, now: Instant) -> Result<TimeDelta, Problem> {
    terms::check_date(body.date, now)?;
    let starts = body.starts.map_or_else(|| clock::local_time(day.starts_at), |time| time.0);
    let (starts_at, at) = (clock::instant(body.date, starts), if body.starts.is_some() { "/starts" } else { "/date" });
    let by = starts_at - day.starts_at;
    if by.is_zero() {
        return Err(Problem::field("/date", "unchanged"));
    }
    if starts_at <= now {
        return Err(Problem::field(at, "past"));
    }
    if clock::local_day(day.ends_at + by) != body.date {
        return Err(Problem::field(at, "out_of_range"));
    }
    Ok(by)
}

/// Later ones first when they move on, earlier ones first when they move back: no two meet on the way.
async fn move_slots(tx: &Tx, mut slots: Vec<slot::Model>, by: TimeDelta) -> Result<Vec<slot::Model>, Problem> {
    slots.sort_by_key(|slot| slot.starts_at);
    if by > TimeDelta::zero() {
        slots.reverse();
    }
    for slot in &mut slots {
        slot.starts_at += by;
        slot.ends_at += by;
        let row = slot::ActiveModel {
            id: Set(slot.id),
            starts_at: Set(slot.starts_at),
            ends_at: Set(slot.ends_at),
            ..Default::default()
        };
        row.update(tx).await?;
    }
    Ok(slots)
}

/// Their time is another: what was looked at before is stale. Who has checked in cannot be sent to another day.
async fn move_bookings(tx: &Tx, day: TalkDayId, now: Instant) -> Result<Vec<booking::Model>, Problem> {
    let moved = booking::Entity::update_many()
        .col_expr(booking::Column::ChangedAt, now.into())
        .col_expr(booking::Column::Version, Expr::col(booking::Column::Version).add(1))
        .filter(booking::COLUMN.talk_day_id.eq(day))
        .filter(places::live())
        .exec_with_returning(tx)
        .await?;
    if moved.iter().all(|row| matches!(row.state, BookingState::Booked | BookingState::ToConfirm)) {
        Ok(moved)
    } else {
        Err(Code::TransitionNotAllowed.into())
    }
}

async fn move_day(
    tx: &Tx,
    day: talk_day::Model,
    body: &ShiftTalkDay,
    by: TimeDelta,
    now: Instant,
) -> Result<talk_day::Model, Problem> {
    let first = day.shifted_from.unwrap_or(day.on_date);
    // Booking that is open stays open; one that is not opens at midnight, so many days before as ever.
    let opens_at = if day.opens_at <= now { day.opens_at } else { day.opens_at + (body.date - day.on_date) };
    let (starts_at, ends_at, closes_at) = (day.starts_at + by, day.ends_at + by, day.closes_at + by);
    let (version, line_version) = (day.version + 1, day.line_version + 1);
    let mut row = day.into_active_model();
    row.on_date = Set(body.date);
    row.starts_at = Set(starts_at);
    row.ends_at = Set(ends_at);
    row.opens_at = Set(opens_at);
    row.closes_at = Set(closes_at);
    // Back on its first date it stands for no other.
    row.shifted_from = Set((first != body.date).then_some(first));
    row.shifted_at = Set(Some(now));
    row.changed_at = Set(Some(now));
    row.version = Set(version);
    row.line_version = Set(line_version);
    row.update(tx).await.on_unique(Code::AlreadyExists)
}
