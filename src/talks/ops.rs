//! What is done with talk days: load, decide by [`super::rules`], write, tell.

pub(super) mod book;
pub(super) mod bookings;
pub(super) mod calendar;
pub(super) mod cancel_day;
pub(super) mod host_leaves;
mod hosts;
pub(super) mod line;
mod lost_places;
pub(super) mod people;
mod places;
pub(super) mod shift_day;
pub(super) mod step;
pub(super) mod talk_days;
pub(super) mod talk_rules;
