//! Places held for those who wait: how long, for whom next, and why an entry does not move.
//!
//! A freed place is offered to the waiting list before anybody else may have it; the offer stands for two hours of the
//! day, and rests at night. Pure. Next: [`super::ops`] `waits`, which makes it stick.

use chrono::{NaiveTime, TimeDelta};
use entity::{Instant, slot, talk_wait, talk_wait::WaitState};
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::{instant, local_day, local_time};

/// How long a place is held, counted by day.
pub const HELD_FOR: TimeDelta = TimeDelta::hours(2);
/// When people may be expected to look: from eight in the morning ...
const WAKES: NaiveTime = NaiveTime::from_hms_opt(8, 0, 0).unwrap();
/// ... to nine in the evening.
const RESTS: NaiveTime = NaiveTime::from_hms_opt(21, 0, 0).unwrap();

/// Until when a place that is held from `now` on is held; never beyond the end of booking.
#[must_use]
pub fn held_until(now: Instant, closes_at: Instant) -> Instant {
    let (day, time) = (local_day(now), local_time(now));
    let until = if time >= RESTS {
        instant(day + TimeDelta::days(1), WAKES) + HELD_FOR
    } else {
        let from = if time < WAKES { instant(day, WAKES) } else { now };
        let today = instant(day, RESTS) - from;
        if today >= HELD_FOR { from + HELD_FOR } else { instant(day + TimeDelta::days(1), WAKES) + (HELD_FOR - today) }
    };
    until.min(closes_at)
}

/// Public places of a slot that are neither taken nor held.
#[must_use]
pub fn free(slot: &slot::Model) -> i32 {
    (slot.public_places - slot.taken - slot.held).max(0)
}

/// Why an entry of a waiting list stands where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    /// A place is held for it.
    Offered,
    /// Nobody gave a place up yet.
    NobodyGaveUp,
    /// A place that was given up is offered to somebody who waited longer.
    OfferedToAnother,
    /// There are free places, but fewer than the party needs.
    NeedsMorePlaces,
    /// It can have no place as things stand: one of the party has a place that day, or one is held for them; they are at
    /// the limit of bookings; or had their offer on that day and let it go.
    PassedOver,
    /// It does not wait any more.
    Over,
}

/// Why this entry stands where it stands.
#[must_use]
pub fn reason(wait: &talk_wait::Model, slot: &slot::Model, passed_over: bool) -> WaitReason {
    match wait.state {
        WaitState::Held => WaitReason::Offered,
        WaitState::Waiting if passed_over => WaitReason::PassedOver,
        WaitState::Waiting if slot.held > 0 => WaitReason::OfferedToAnother,
        WaitState::Waiting if free(slot) > 0 => WaitReason::NeedsMorePlaces,
        WaitState::Waiting => WaitReason::NobodyGaveUp,
        _ => WaitReason::Over,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn a_hold_lasts_two_hours_of_the_day_and_rests_at_night() {
        let far = at("2026-12-31T00:00:00Z");
        for (from, until) in [
            ("2026-11-23T10:00:00+08:00", "2026-11-23T12:00:00+08:00"),
            ("2026-11-23T19:00:00+08:00", "2026-11-23T21:00:00+08:00"),
            ("2026-11-23T20:30:00+08:00", "2026-11-24T09:30:00+08:00"),
            ("2026-11-23T21:00:00+08:00", "2026-11-24T10:00:00+08:00"),
            ("2026-11-23T23:59:59+08:00", "2026-11-24T10:00:00+08:00"),
            ("2026-11-24T03:00:00+08:00", "2026-11-24T10:00:00+08:00"),
            ("2026-11-24T08:00:00+08:00", "2026-11-24T10:00:00+08:00"),
        ] {
            assert_eq!(held_until(at(from), far), at(until), "{from}");
        }
        let closes = at("2026-11-23T11:00:00+08:00");
        assert_eq!(held_until(at("2026-11-23T10:00:00+08:00"), closes), closes, "not beyond the end of booking");
    }
}
