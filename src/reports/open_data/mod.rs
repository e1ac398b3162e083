//! Open data (开放数据): what signed monthly lists come to, for everybody, as a data package.
//!
//! No person, no case, no word of a villager; only months that were signed. What is said of fewer than five is left blank
//! and counts are rounded to five, so that two tables cannot be subtracted to find one household (decision 0021). Next:
//! [`table`] for the rules, [`package`] for the descriptor.

pub mod api;
mod ops;
mod package;
mod table;
