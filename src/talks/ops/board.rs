//! What the big screen and the desk see of a line: numbers, never names.

use chrono::{DateTime, Utc};
use entity::{
    Instant,
    booking::BookingState,
    id::{BookingId, TalkDayId},
};
use sea_orm::ConnectionTrait;
use serde::Serialize;
use utoipa::ToSchema;

use super::turns::{self, Turns};
use crate::problem::Problem;

/// How many of those who come next are shown.
const NEXT_SHOWN: usize = 5;

/// Event `board`: the big screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Board {
    /// Numbers that are called now, the latest first.
    pub called: Vec<i32>,
    /// Numbers that come next, at most five.
    pub next: Vec<i32>,
    /// How many wait.
    pub waiting: usize,
    /// When the line stood so.
    pub at: DateTime<Utc>,
}

/// One place of the line as the desk's live view shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LivePlace {
    booking: BookingId,
    number_in_line: i32,
    state: BookingState,
    /// Position in the order, from 1.
    turn: Option<usize>,
    estimated_at: Option<DateTime<Utc>>,
}

/// Event `line`: the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LiveLine {
    /// Everybody who has a place, by number.
    pub items: Vec<LivePlace>,
    /// When the line stood so.
    pub at: DateTime<Utc>,
}

/// Both, read at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub board: Board,
    pub line: LiveLine,
}

impl Seen {
    /// Whether it shows the same, whenever it was read.
    pub fn same_as(&self, other: &Self) -> bool {
        let numbers = |seen: &Self| (seen.board.called.clone(), seen.board.next.clone(), seen.board.waiting);
        let states = |seen: &Self| -> Vec<_> {
            seen.line.items.iter().map(|place| (place.booking, place.state, place.turn)).collect()
        };
        numbers(self) == numbers(other) && states(self) == states(other)
    }
}

/// Reads the line of a day.
pub async fn read(db: &impl ConnectionTrait, day: TalkDayId, now: Instant) -> Result<Seen, Problem> {
    let slots = turns::slots(db, day).await?;
    let turns = turns::read(db, day, &slots, now).await?;
    Ok(Seen { board: board(&turns, now), line: live(&turns, now) })
}

fn board(turns: &Turns, now: Instant) -> Board {
    let mut called: Vec<_> = turns.placed.iter().filter(|row| row.state == BookingState::Called).collect();
    called.sort_by_key(|row| (std::cmp::Reverse(row.called_at), row.number));
    Board {
        called: called.iter().map(|row| row.number).collect(),
        next: turns.order.iter().take(NEXT_SHOWN).map(|turn| turn.number).collect(),
        waiting: turns.order.len(),
        at: now,
    }
}

fn live(turns: &Turns, now: Instant) -> LiveLine {
    let place = |row: &crate::talks::line::Placed| {
        let turn = turns.of(row.id);
        LivePlace {
            booking: row.id,
            number_in_line: row.number,
            state: row.state,
            turn: turn.map(|(turn, _)| turn),
            estimated_at: turn.map(|(_, at)| at),
        }
    };
    LiveLine { items: turns.placed.iter().map(place).collect(), at: now }
}
