//! Whose turn it is, and about when it will be the others': reckoned from rows alone.
//!
//! Those who booked and those who walked in are called by turns, weighted by how the places of the day are shared out
//! between them; so neither waits for ever, and the same rows give the same order on every server and at every replay.
//! Pure. Next: [`super::ops`] `turns`, which reads the rows.

use std::collections::{BTreeMap, VecDeque};

use chrono::TimeDelta;
use entity::{Instant, booking::BookingState, id::BookingId};

/// What of a booking its turn depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// Which.
    pub id: BookingId,
    /// Its number in line.
    pub number: i32,
    /// Where it stands.
    pub state: BookingState,
    /// When its slot starts, for somebody who was given a time; `None` for who walked in.
    pub promised: Option<Instant>,
    /// When they came.
    pub arrived_at: Option<Instant>,
    /// When they were called last.
    pub called_at: Option<Instant>,
    /// Concluded or missed.
    pub ended_at: Option<Instant>,
}

/// How the places of a day are shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    booked: u32,
    walk_ins: u32,
}

/// Whatever the shares: of so many turns at least one is a walk-in's, and one somebody's who booked.
const LEAST_OF: u32 = 10;

impl Shares {
    /// By the places that can be booked and those that are kept for walk-ins.
    #[must_use]
    pub fn of(public: u32, kept: u32) -> Self {
        let least = (public.saturating_add(kept)).div_ceil(LEAST_OF).max(1);
        Self { booked: public.max(least), walk_ins: kept.max(least) }
    }
}

/// How fast the line moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// What one takes.
    pub each: TimeDelta,
    /// When each of those who listen will be free; at least one.
    pub free_at: Vec<Instant>,
}

/// So many must have been heard today before their time tells more than the plan.
const ENOUGH_HEARD: usize = 3;
/// How many listen at the same time is seen from so far back.
const SEEN_BACK: TimeDelta = TimeDelta::minutes(30);

/// The pace of a day: the median of how long those heard today took, before that a place's share of its slot.
///
/// By the plan one listens (a slot of many places is then short for each); by what happened, as many as have heard
/// people at the same time within half an hour.
#[must_use]
pub fn pace(rows: &[Placed], planned: TimeDelta, now: Instant) -> Pace {
    let called = |row: &&Placed| row.state == BookingState::Called;
    let mut took: Vec<TimeDelta> =
        rows.iter().filter(|row| row.state == BookingState::Concluded).filter_map(heard).collect();
    took.retain(|span| *span > TimeDelta::zero());
    took.sort_unstable();
    let median = took.get(took.len() / 2).copied().filter(|_| took.len() >= ENOUGH_HEARD);
    let each = median.unwrap_or(planned);
    let mut free_at: Vec<Instant> =
        rows.iter().filter(called).filter_map(|row| row.called_at).map(|at| (at + each).max(now)).collect();
    free_at.sort_unstable();
    if median.is_none() {
        return Pace { each, free_at: vec![free_at.last().copied().unwrap_or(now)] };
    }
    for _ in free_at.len()..at_once(rows, now).max(1) {
        free_at.insert(0, now);
    }
    Pace { each, free_at }
}

fn heard(row: &Placed) -> Option<TimeDelta> {
    Some(row.ended_at? - row.called_at?)
}

/// The most who were heard at the same time of late.
fn at_once(rows: &[Placed], now: Instant) -> usize {
    let spans: Vec<(Instant, Instant)> = rows
        .iter()
        .filter_map(|row| {
            let from = row.called_at?;
            let to = match row.state {
                BookingState::Called => now + TimeDelta::milliseconds(1),
                BookingState::Concluded => row.ended_at?,
                _ => return None,
            };
            (now - to <= SEEN_BACK).then_some((from, to))
        })
        .collect();
    let within = |at: Instant| spans.iter().filter(|(from, to)| *from <= at && at < *to).count();
    spans.iter().map(|(from, _)| within(*from)).max().unwrap_or(0)
}

/// A turn to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Whose.
    pub id: BookingId,
    /// Their number in line.
    pub number: i32,
    /// When it will be, if all goes on as today; who has a promised time is not called before it.
    pub estimated_at: Instant,
}

/// Those who wait, in the order in which they will be called.
///
/// Somebody who booked is due when their slot starts, or when they come if that is later; until then they let walk-ins
/// pass. Both kinds are served by start-time fair queueing (Goyal, Vin, Cheng 1996): each turn costs its kind the more
/// the smaller its share, and who comes starts at what the line has reached, so that no kind saves up turns while
/// nobody of it is there.
#[must_use]
pub fn order(rows: &[Placed], shares: Shares, pace: &Pace, now: Instant) -> Vec<Turn> {
    let mut line = Waiting::of(rows, shares, now);
    let mut desks = pace.free_at.clone();
    let mut turns = Vec::new();
    let mut at = now;
    while let Some((row, ready)) = line.call(at) {
        desks.sort_unstable();
        let free = desks.first().copied().unwrap_or(now);
        let estimated_at = if row.promised.is_some() { free.max(ready) } else { free };
        turns.push(Turn { id: row.id, number: row.number, estimated_at });
        if let Some(desk) = desks.first_mut() {
            *desk = estimated_at + pace.each;
        }
        at = desks.iter().min().copied().unwrap_or(now).max(at);
    }
    turns
}

/// What the line has come to.
struct Fair {
    shares: Shares,
    reached: u64,
    booked: u64,
    walk_ins: u64,
}

impl Fair {
    /// The tag by which somebody who is ready now waits: the lower, the sooner.
    fn tag(&mut self, booked: bool) -> u64 {
        let (last, cost) =
            if booked { (&mut self.booked, self.shares.walk_ins) } else { (&mut self.walk_ins, self.shares.booked) };
        let tag = self.reached.max(*last);
        *last = tag + u64::from(cost);
        tag
    }
}

/// Sorts as they are called: by tag, who booked first, then by when they were ready and their number.
type Key = (u64, bool, Instant, i32, BookingId);

/// Those who are ready, and those who are there but not yet due.
struct Waiting<'a> {
    fair: Fair,
    ready: BTreeMap<Key, &'a Placed>,
    early: VecDeque<(Instant, &'a Placed)>,
}

impl<'a> Waiting<'a> {
    /// Everything that happened until now, once more.
    fn of(rows: &'a [Placed], shares: Shares, now: Instant) -> Self {
        let fair = Fair { shares, reached: 0, booked: 0, walk_ins: 0 };
        let mut line = Self { fair, ready: BTreeMap::new(), early: VecDeque::new() };
        // Whoever is ready at the very moment of a call was there before it.
        let mut moves: Vec<(Instant, bool, i32, BookingId, &Placed)> = Vec::new();
        for row in rows {
            let Some(ready) = ready(row) else { continue };
            moves.push((ready, false, row.number, row.id, row));
            moves.extend(called(row).map(|at| (at, true, row.number, row.id, row)));
        }
        moves.sort_unstable_by_key(|(at, call, number, id, _)| (*at, *call, *number, *id));
        let mut tags = BTreeMap::new();
        for (at, call, _, id, row) in moves {
            if call {
                let tag = tags.get(&id).copied().unwrap_or_default();
                line.fair.reached = line.fair.reached.max(tag);
            } else if at > now {
                line.early.push_back((at, row));
            } else if row.state == BookingState::CheckedIn {
                line.comes(at, row);
            } else {
                tags.insert(id, line.fair.tag(row.promised.is_some()));
            }
        }
        line
    }

    fn comes(&mut self, ready: Instant, row: &'a Placed) {
        let booked = row.promised.is_some();
        self.ready.insert((self.fair.tag(booked), !booked, ready, row.number, row.id), row);
    }

    /// Takes the next out; who is not yet due only when nobody else is there.
    fn call(&mut self, at: Instant) -> Option<(&'a Placed, Instant)> {
        while self.early.front().is_some_and(|(ready, _)| *ready <= at) || self.ready.is_empty() {
            let (ready, row) = self.early.pop_front()?;
            self.comes(ready, row);
        }
        let ((tag, _, ready, _, _), row) = self.ready.pop_first()?;
        self.fair.reached = self.fair.reached.max(tag);
        Some((row, ready))
    }
}

/// When somebody who came may be called: who booked not before their slot, unless they were called all the same.
/// `None` of those who never came, and of those who were set aside or left before it was their turn.
fn ready(row: &Placed) -> Option<Instant> {
    let arrived = row.arrived_at?;
    let due = row.promised.map_or(arrived, |promised| promised.max(arrived));
    if row.state == BookingState::CheckedIn { Some(due) } else { called(row).map(|called| due.min(called)) }
}

/// When it was their turn. Whoever has checked in again waits again.
fn called(row: &Placed) -> Option<Instant> {
    row.called_at.filter(|_| row.state != BookingState::CheckedIn)
}

#[cfg(test)]
mod tests;
