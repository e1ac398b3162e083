//! The line of a day as its rows tell it: who waits, in which order, how long about.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use entity::{
    Instant, booking,
    booking::{BookingChannel, BookingState},
    id::{BookingId, SlotId, TalkDayId},
    slot,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};

use super::places;
use crate::{
    problem::Problem,
    talks::line::{self, Placed, Shares, Turn},
};

/// Everybody of a day's line, and the turns to come.
pub(super) struct Turns {
    /// Live bookings, by their number.
    pub(super) placed: Vec<Placed>,
    /// Those who wait, the next first.
    pub(super) order: Vec<Turn>,
    positions: BTreeMap<BookingId, (usize, Instant)>,
}

/// Only what the order depends on: a poller reads it again and again.
#[derive(FromQueryResult)]
struct Row {
    id: BookingId,
    slot_id: SlotId,
    number_in_line: i32,
    state: BookingState,
    channel: BookingChannel,
    arrived_at: Option<Instant>,
    called_at: Option<Instant>,
    ended_at: Option<Instant>,
}

impl Turns {
    /// The position and time of somebody who waits.
    pub(super) fn of(&self, id: BookingId) -> Option<(usize, Instant)> {
        self.positions.get(&id).copied()
    }
}

/// The slots of a day, in order.
pub(super) async fn slots(db: &impl ConnectionTrait, day: TalkDayId) -> Result<Vec<slot::Model>, Problem> {
    let slots = slot::Entity::find().filter(slot::COLUMN.talk_day_id.eq(day)).order_by_asc(slot::Column::StartsAt);
    Ok(slots.all(db).await?)
}

/// The line as it stood or stands at `at`: who came later is left out.
pub(super) async fn read(
    db: &impl ConnectionTrait,
    day: TalkDayId,
    slots: &[slot::Model],
    at: Instant,
) -> Result<Turns, Problem> {
    use booking::Column;
    let columns = [Column::Id, Column::SlotId, Column::NumberInLine, Column::State, Column::Channel];
    let times = [Column::ArrivedAt, Column::CalledAt, Column::EndedAt];
    let rows: Vec<Row> = booking::Entity::find()
        .select_only()
        .columns(columns.into_iter().chain(times))
        .filter(booking::COLUMN.talk_day_id.eq(day))
        .filter(places::live())
        .order_by_asc(Column::NumberInLine)
        .into_model()
        .all(db)
        .await?;
    let starts: BTreeMap<SlotId, Instant> = slots.iter().map(|slot| (slot.id, slot.starts_at)).collect();
    let placed: Vec<Placed> = rows.iter().map(|row| placed(row, &starts)).collect();
    let came: Vec<Placed> = placed.iter().filter(|row| row.arrived_at.is_none_or(|came| came <= at)).cloned().collect();
    let pace = line::pace(&came, planned(slots), at);
    let order = line::order(&came, shares(slots), &pace, at);
    let positions = order.iter().zip(1..).map(|(turn, position)| (turn.id, (position, turn.estimated_at))).collect();
    Ok(Turns { placed, order, positions })
}

fn placed(row: &Row, starts: &BTreeMap<SlotId, Instant>) -> Placed {
    let promised = starts.get(&row.slot_id).copied().filter(|_| row.channel != BookingChannel::WalkIn);
    Placed {
        id: row.id,
        number: row.number_in_line,
        state: row.state,
        promised,
        arrived_at: row.arrived_at,
        called_at: row.called_at,
        ended_at: row.ended_at,
    }
}

fn shares(slots: &[slot::Model]) -> Shares {
    let public: u32 = slots.iter().map(|slot| slot.public_places.unsigned_abs()).sum();
    let kept: u32 = slots.iter().map(|slot| (slot.places - slot.public_places).unsigned_abs()).sum();
    Shares::of(public, kept)
}

/// What one takes by the plan.
fn planned(slots: &[slot::Model]) -> TimeDelta {
    let quarter = TimeDelta::minutes(15);
    slots.first().map_or(quarter, |slot| (slot.ends_at - slot.starts_at) / slot.places.max(1))
}
