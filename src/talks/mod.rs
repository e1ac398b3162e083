//! Talk days: the days on which a village listens, their slots and bookings.
pub mod recurrence;
pub mod slots;
