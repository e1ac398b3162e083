//! What is done with talk days: load, decide by [`super::rules`], write, tell.

pub(super) mod book;
pub(super) mod bookings;
mod hosts;
pub(super) mod line;
pub(super) mod people;
mod places;
pub(super) mod rule_days;
pub(super) mod step;
pub(super) mod talk_days;
pub(super) mod talk_rules;
