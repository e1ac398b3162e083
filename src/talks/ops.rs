//! What is done with talk days: load, decide by [`super::rules`], write, tell.

pub(super) mod agenda;
pub(super) mod book;
pub(super) mod bookings;
pub(super) mod conclude;
pub(super) mod council;
mod hosts;
pub(super) mod keeping;
pub(super) mod line;
mod matters;
pub(super) mod minutes;
mod minutes_document;
pub(super) mod minutes_due;
pub(super) mod minutes_signing;
pub(super) mod numbers;
pub(super) mod people;
mod places;
pub(super) mod ratings;
pub(super) mod records;
pub(super) mod screening;
pub(super) mod step;
pub(super) mod talk_days;
pub(super) mod talk_rules;
