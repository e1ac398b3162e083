//! The calls of talk days, by audience: everybody, villagers, staff.

pub mod bookings;
pub mod days;
pub mod staff;
