//! Calls about people: for villagers `/me/...`, for staff `/staff/people/...`, rosters, registers and `/staff/residence-claims`.

pub mod agents;
pub mod claims;
pub mod consents;
pub mod me;
pub mod own_data;
pub mod phone;
pub mod priority;
pub mod residence;
pub mod residents;
