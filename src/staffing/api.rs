//! `/staff/units`, `/staff/accounts`, `/staff/absences`.

pub mod absences;
pub mod accounts;
pub mod conflicts;
pub mod units;
