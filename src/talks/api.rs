//! The calls of talk days, by audience: everybody, villagers, staff.

pub mod agenda;
pub mod bookings;
pub mod council;
pub mod days;
pub mod line;
pub mod minutes;
pub mod numbers;
pub mod ratings;
pub mod records;
pub mod rules;
pub mod staff_days;
