//! What is done with talk days: load, decide by [`super::rules`], write, tell.

pub(super) mod book;
pub(super) mod bookings;
pub(super) mod calendar;
pub(super) mod cancel_day;
pub(super) mod desk_booking;
pub(super) mod host_leaves;
mod hosts;
pub(super) mod household;
pub(super) mod line;
mod lost_places;
pub(super) mod missed;
pub(super) mod move_booking;
pub(super) mod people;
pub(super) mod places;
pub(super) mod rebook;
mod round;
pub(super) mod shift_day;
pub(super) mod step;
pub(super) mod talk_days;
pub(super) mod talk_rules;
pub(super) mod waits;
