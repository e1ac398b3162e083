//! What can be done: make, change and dismiss accounts, post people, keep units, arrange cover, record conflicts.

pub mod absences;
pub mod accounts;
pub mod conflicts;
mod postings;
pub mod units;
