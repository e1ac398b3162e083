//! What can be done with cases: file, act, review, find, track.
//!
//! Filing makes the row and its first event; every later change goes through [`super::advance`].

pub mod act;
pub mod alarms;
pub mod closed_list;
mod draft;
pub mod file;
pub(super) mod filing;
pub mod find;
pub mod hand_over;
pub mod listing;
pub mod merging;
pub mod people;
mod prepare;
pub(super) mod receiver;
pub(super) mod requests;
pub mod staff_lists;
pub(super) mod take_up;
pub mod track;
