//! The roster (花名册): who lives in a village, as its desk keeps it in a spreadsheet.
//!
//! ```text
//! file --read--> lines --rules--> entries and faults --import--> roster_entry, household
//! ```
//!
//! Residence is verified against it, so villagers need not come to the desk first; what a person told of themselves it
//! never overwrites, it only says to which household and group they belong. [`read`] and [`rules`] are pure, [`import`]
//! writes, [`report`] says what came of it. Next: [`import`].

pub(crate) mod import;
mod read;
pub(crate) mod report;
pub(crate) mod rules;
mod write;
