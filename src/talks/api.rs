//! The calls of talk days, by audience: everybody, villagers, staff.

pub mod bookings;
pub mod days;
pub mod desk;
pub mod line;
pub mod route;
pub mod rules;
pub mod screen;
pub mod slip;
pub mod staff_days;
