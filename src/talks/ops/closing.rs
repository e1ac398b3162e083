//! What is left of a day that is over: whoever was expected and of whom nobody said a word is written down as missed.
//!
//! The desk has until the next working day to say it: until then they stand on its list. Who came and was not heard to
//! the end stays for the desk, since only people know what became of it.

use chrono::{Days, TimeDelta};
use entity::{
    Instant, booking,
    booking::BookingState,
    id::TalkDayId,
    talk_day::{self, TalkDayState},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, LockType},
};

use super::{
    bookings::telling,
    step::{self, Acting, Open},
    turns,
};
use crate::{
    app::App,
    clock::local_day,
    db::Tx,
    notices,
    problem::Problem,
    talks::{rules::MISSED_COUNTS_FOR, steps::LineAction},
};

/// So long after a day has ended somebody may still be being heard.
const LINGERS: TimeDelta = TimeDelta::hours(2);
/// Days looked at in one reading.
const BATCH: u64 = 100;
/// Of whom nobody said whether they came.
const EXPECTED: [BookingState; 2] = [BookingState::ToConfirm, BookingState::Booked];

/// Days that are over.
pub(super) fn is_over(now: Instant) -> Condition {
    Condition::all().add(talk_day::COLUMN.state.eq(TalkDayState::Planned)).add(
        Condition::any()
            .add(talk_day::COLUMN.ends_at.lte(now - LINGERS))
            .add(talk_day::COLUMN.on_date.lt(local_day(now))),
    )
}

/// Days after this one of which a working day has passed, with somebody of whom nobody said a word; in the order of their
/// ids. Older ones than count are left as they are.
pub async fn unclosed(app: &App, after: Option<TalkDayId>) -> Result<Vec<TalkDayId>, Problem> {
    let (now, calendar) = (app.clock.now(), app.calendar.load_full());
    let today = local_day(now);
    let since = local_day(now - MISSED_COUNTS_FOR);
    let back = |days| today.checked_sub_days(Days::new(days));
    // A later day is never closed earlier, so that one bound says it for all.
    let last = (1..=30).filter_map(back).find(|day| calendar.add_working_days(*day, 1).on <= today);
    let Some(last) = last else { return Ok(vec![]) };
    let expected = booking::Entity::find()
        .select_only()
        .column(booking::Column::Id)
        .filter(
            Expr::col((booking::Entity, booking::Column::TalkDayId)).equals((talk_day::Entity, talk_day::Column::Id)),
        )
        .filter(booking::COLUMN.state.is_in(EXPECTED));
    let mut query = talk_day::Entity::find()
        .select_only()
        .column(talk_day::Column::Id)
        .filter(talk_day::COLUMN.on_date.between(since, last))
        .filter(is_over(now))
        .filter(Expr::exists(expected.into_query()));
    if let Some(after) = after {
        query = query.filter(talk_day::COLUMN.id.gt(after));
    }
    Ok(query.order_by_asc(talk_day::Column::Id).limit(BATCH).into_tuple().all(app.db.read()).await?)
}

/// Writes down as missed whoever was expected on a day that is over; they are told, and may object.
pub async fn close(tx: &Tx, id: TalkDayId, now: Instant) -> Result<(), Problem> {
    let day = talk_day::Entity::find_by_id(id).filter(is_over(now)).lock(LockType::NoKeyUpdate).one(tx).await?;
    let Some(mut day) = day else { return Ok(()) };
    let slots = turns::slots(tx, id).await?;
    let expected = booking::Entity::find()
        .filter(booking::COLUMN.talk_day_id.eq(id))
        .filter(booking::COLUMN.state.is_in(EXPECTED))
        .order_by_asc(booking::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(tx)
        .await?;
    let mut tellings = Vec::with_capacity(expected.len());
    for booking in expected {
        let open = Open { day: day.clone(), booking, hosting: false };
        let row = step::take(tx, open, LineAction::Missed, &Acting::clock(now), |_| ()).await?;
        day.line_version += 1;
        if let Some(slot) = slots.iter().find(|slot| slot.id == row.slot_id) {
            tellings.push(telling(&row, slot, "booking_missed"));
        }
    }
    notices::tell(tx, tellings, now).await
}
