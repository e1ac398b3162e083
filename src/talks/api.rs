//! The calls of talk days, by audience: everybody, villagers, staff.

pub mod agenda;
pub mod bookings;
pub mod calendar;
pub mod council;
pub mod days;
pub mod desk;
pub mod desk_bookings;
pub mod line;
pub mod minutes;
pub mod numbers;
pub mod ratings;
pub mod records;
pub mod route;
pub mod rule_previews;
pub mod rules;
pub mod screen;
pub mod slip;
pub mod staff_days;
pub mod waits;
