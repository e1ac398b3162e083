//! What may happen to a booking on its day, as data: from which states, to which.
//!
//! Checks, the `actions` of every view and the tests read the same table. Pure. Next: [`super::ops`] `step`, which makes
//! a step stick.

use chrono::{NaiveDate, TimeDelta};
use entity::{Instant, booking::BookingState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{clock, problem::Code};

/// A step that staff take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineAction {
    /// The desk has spoken with somebody who missed two days and will come this time.
    Confirm,
    /// The person is there.
    CheckIn,
    /// It is their turn.
    Call,
    /// Called once more.
    Recall,
    /// Set aside: they are not ready, or a paper is missing.
    Park,
    /// They were not there when it was their turn.
    Missed,
    /// They were heard.
    Conclude,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// What.
    pub action: LineAction,
    /// Its stable name, also in addresses with `-` for `_`.
    pub slug: &'static str,
    /// In which states it may be taken.
    pub from: &'static [BookingState],
    /// What the booking is then.
    pub to: BookingState,
}

use BookingState::{Booked, Called, CheckedIn, Concluded, Missed, Parked, ToConfirm};

/// The table.
pub const STEPS: &[Step] = &[
    Step { action: LineAction::Confirm, slug: "confirm", from: &[ToConfirm], to: Booked },
    // Who comes late after all was missed too soon.
    Step { action: LineAction::CheckIn, slug: "check_in", from: &[ToConfirm, Booked, Missed], to: CheckedIn },
    Step { action: LineAction::Call, slug: "call", from: &[CheckedIn, Parked], to: Called },
    Step { action: LineAction::Recall, slug: "recall", from: &[Called], to: Called },
    Step { action: LineAction::Park, slug: "park", from: &[CheckedIn, Called], to: Parked },
    Step {
        action: LineAction::Missed,
        slug: "missed",
        from: &[ToConfirm, Booked, CheckedIn, Called, Parked],
        to: Missed,
    },
    Step { action: LineAction::Conclude, slug: "conclude", from: &[Called], to: Concluded },
];

impl LineAction {
    /// Its row.
    #[must_use]
    pub fn step(self) -> Option<&'static Step> {
        STEPS.iter().find(|step| step.action == self)
    }
}

/// Names of the steps that may be taken in a state.
#[must_use]
pub fn possible(state: BookingState) -> Vec<&'static str> {
    STEPS.iter().filter(|step| step.from.contains(&state)).map(|step| step.slug).collect()
}

/// So long after a step it can be taken back.
pub const UNDO_WITHIN: TimeDelta = TimeDelta::minutes(1);

/// Whether a step may be taken at this time: people are heard on the day itself; who booked has not missed it before
/// their slot starts, and may be written down as missed when all is over.
pub fn in_time(
    action: LineAction,
    state: BookingState,
    on_date: NaiveDate,
    slot_starts: Instant,
    at: Instant,
) -> Result<(), Code> {
    let today = clock::local_day(at) == on_date;
    match (action, state) {
        (LineAction::Missed, ToConfirm | Booked) if at < slot_starts => Err(Code::DayNotRunning),
        (LineAction::Missed | LineAction::Confirm | LineAction::Conclude, _) => Ok(()),
        // Who came and was not heard to the end before the day was over is called so that it can be concluded.
        (LineAction::Call, CheckedIn | Parked) if clock::local_day(at) > on_date => Ok(()),
        _ if today => Ok(()),
        _ => Err(Code::DayNotRunning),
    }
}

/// The longest a desk may have been without its line and still be believed about when something was done.
const LONGEST_WITHOUT_LINE: TimeDelta = TimeDelta::hours(12);

/// When a step was taken: as the desk's clock says, where that lies between the step before and now; else now.
#[must_use]
pub fn acted_at(said: Option<Instant>, not_before: Option<Instant>, now: Instant) -> Instant {
    let plausible =
        |at: &Instant| *at <= now && now - *at <= LONGEST_WITHOUT_LINE && not_before.is_none_or(|b| *at >= b);
    said.filter(plausible).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_stands_once_in_the_table_under_its_name() {
        for step in STEPS {
            assert_eq!(serde_json::to_value(step.action).unwrap(), step.slug);
            assert_eq!(STEPS.iter().filter(|other| other.action == step.action).count(), 1);
        }
        assert_eq!(possible(Called), ["recall", "park", "missed", "conclude"]);
        assert!(possible(Concluded).is_empty());
    }

    #[test]
    fn people_are_heard_on_their_day_and_missed_not_before_their_slot() {
        let day: NaiveDate = "2026-11-25".parse().unwrap();
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let slot = at("2026-11-25T02:00:00Z");
        let eve = at("2026-11-24T15:59:59Z");
        for action in [LineAction::CheckIn, LineAction::Call, LineAction::Recall, LineAction::Park] {
            assert_eq!(in_time(action, Booked, day, slot, eve), Err(Code::DayNotRunning));
            assert_eq!(in_time(action, Booked, day, slot, at("2026-11-24T16:00:00Z")), Ok(()));
        }
        assert_eq!(
            in_time(LineAction::Missed, Booked, day, slot, at("2026-11-25T01:59:59Z")),
            Err(Code::DayNotRunning)
        );
        assert_eq!(in_time(LineAction::Missed, Called, day, slot, at("2026-11-25T01:59:59Z")), Ok(()));
        let morrow = at("2026-11-25T16:00:00Z");
        assert_eq!(in_time(LineAction::Call, CheckedIn, day, slot, morrow), Ok(()), "to be concluded");
        assert_eq!(in_time(LineAction::CheckIn, Booked, day, slot, morrow), Err(Code::DayNotRunning));
        assert_eq!(in_time(LineAction::Missed, Booked, day, slot, slot), Ok(()));
        assert_eq!(in_time(LineAction::Confirm, ToConfirm, day, slot, eve), Ok(()));
    }

    #[test]
    fn the_clock_of_the_desk_is_believed_within_reason() {
        let now: Instant = "2026-11-25T02:00:00Z".parse().unwrap();
        let ago = |minutes| Some(now - TimeDelta::minutes(minutes));
        assert_eq!(acted_at(None, None, now), now);
        assert_eq!(Some(acted_at(ago(7), ago(9), now)), ago(7));
        assert_eq!(acted_at(ago(7), ago(5), now), now, "before the step before");
        assert_eq!(acted_at(ago(-1), None, now), now, "in the future");
        assert_eq!(acted_at(ago(13 * 60), None, now), now, "too long ago");
    }
}
