//! The calls of talk days, by audience: everybody, villagers, staff.

pub mod bookings;
pub mod days;
pub mod line;
pub mod rule_previews;
pub mod rules;
pub mod staff_days;
