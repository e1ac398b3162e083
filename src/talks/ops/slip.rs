//! The slip that somebody takes along: their number, and about when it will be their turn.

use entity::{Instant, booking, booking::BookingChannel, booking::BookingState, id::BookingId, talk_day};
use sea_orm::EntityTrait;

use super::line::{InLine, Viewed};
use crate::{
    app::App,
    auth::{Staff, duty::SeeTalkLine},
    divisions,
    problem::Problem,
};

/// What a slip says. Neither name nor matter: slips are left lying about.
pub struct Slip {
    pub village: String,
    pub day: talk_day::Model,
    pub number: i32,
    pub code: String,
    /// When their slot starts, or when they came.
    pub at: Instant,
    pub walked_in: bool,
    /// How many come before, and about when it will be their turn; of somebody who waits.
    pub turn: Option<(usize, Instant)>,
}

/// The slip of a booking; 404 where the staff have no part in its day, or when it was given up.
pub async fn read(app: &App, staff: &Staff<SeeTalkLine>, id: BookingId) -> Result<Slip, Problem> {
    let db = app.db.read();
    let row = booking::Entity::find_by_id(id).one(db).await?.ok_or_else(Problem::not_found)?;
    let viewed = Viewed::open(db, staff, row.talk_day_id, app.clock.now()).await?;
    if row.state == BookingState::Cancelled {
        return Err(Problem::not_found());
    }
    let entry = viewed.entries(db, &app.field_keys, vec![row]).await?.pop();
    let InLine { booking, slot, turn, .. } = entry.ok_or_else(Problem::not_found)?;
    let village = divisions::find(db, viewed.day.division_id).await?.display_name;
    let walked_in = booking.channel == BookingChannel::WalkIn;
    Ok(Slip {
        village,
        day: viewed.day,
        number: booking.number_in_line,
        code: booking.code,
        at: booking.arrived_at.filter(|_| walked_in).unwrap_or(slot.starts_at),
        walked_in,
        turn: turn.map(|(turn, at)| (turn.saturating_sub(1), at)),
    })
}
