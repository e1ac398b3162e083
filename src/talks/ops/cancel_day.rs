//! Calling a day off: everybody who has a place, or waits for one, loses it and is told why and of the nearest free one.

use entity::{Instant, booking, booking::BookingState, id::TalkDayId, talk_day::TalkDayState};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, IntoActiveModel, Set};

use super::{
    lost_places::{self, Why},
    places, talk_days,
    talk_days::SlottedDay,
};
use crate::{
    auth::{Staff, duty::ManageTalks},
    db::Tx,
    problem::{Code, Problem},
};

/// Calls a day off. Who is being heard in this moment is heard to the end.
///
/// # Errors
/// `not_found`; `transition_not_allowed` when it is over or was called off before; 422 for a reason that says nothing.
pub async fn cancel(
    tx: &Tx,
    staff: &Staff<ManageTalks>,
    id: TalkDayId,
    reason: &str,
    now: Instant,
) -> Result<SlottedDay, Problem> {
    let reason = talk_days::reason(reason)?;
    let day = talk_days::lock(tx, staff, id).await?;
    if day.state == TalkDayState::Cancelled || day.ends_at <= now {
        return Err(Code::TransitionNotAllowed.into());
    }
    let (version, line_version) = (day.version + 1, day.line_version + 1);
    let mut row = day.into_active_model();
    row.state = Set(TalkDayState::Cancelled);
    row.cancel_reason = Set(Some(reason.clone()));
    row.changed_at = Set(Some(now));
    row.version = Set(version);
    row.line_version = Set(line_version);
    let day = row.update(tx).await?;

    let before = places::lock_all(tx, id).await?;
    let mut slots = before.clone();
    let waiting = [BookingState::ToConfirm, BookingState::Booked, BookingState::CheckedIn, BookingState::Parked];
    let theirs = Condition::all().add(booking::COLUMN.talk_day_id.eq(id)).add(booking::COLUMN.state.is_in(waiting));
    let lost = lost_places::cancel(tx, theirs, "day_cancelled", now).await?;
    lost_places::uncount(&mut slots, &lost);
    lost_places::end_waits(tx, id, &mut slots, &reason, now).await?;
    lost_places::write(tx, &before, &slots).await?;
    let why = Why { with_place: "booking_day_cancelled", without: "booking_day_cancelled_no_place", reason: &reason };
    lost_places::tell(tx, &day, &slots, &lost, why, now).await?;
    talk_days::find(tx, id).await
}
