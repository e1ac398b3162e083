//! What is done with talk days: load, decide by [`super::rules`], write, tell.

pub(super) mod board;
pub(super) mod book;
pub(super) mod bookings;
pub(super) mod call;
pub(super) mod find;
mod hosts;
pub(super) mod line;
pub(super) mod people;
mod places;
pub(super) mod queue;
pub(super) mod route;
pub(super) mod slip;
pub(super) mod step;
pub(super) mod talk_days;
pub(super) mod talk_rules;
mod turns;
pub(super) mod undo;
pub(super) mod walk_in;
pub(super) mod watch;
