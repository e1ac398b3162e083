//! What staff are told: one fact for one person, written in the transaction that makes it true, like those of villagers.
//!
//! The inbox shows all of it. Who is known in WeCom gets a message, at most one in ten minutes; else the robot of the
//! group of their place says that there is something. Nothing at night, danger aside; nothing about confidential cases
//! but to who may see them, and no name of anybody. Next: [`tell`], then [`gather()`] and [`send()`] for a message from
//! its beginning to its end.

pub mod api;
mod gather;
mod group;
mod kinds;
mod ops;
mod rows;
mod send;
mod sentences;
mod who;

use serde_json::Value;

pub use gather::{gather, has_waiting};
pub use kinds::KINDS;
pub use ops::tell;
pub(super) use ops::{call_list_grew, forget};
pub use send::send;
pub use who::{free_of, holding, in_unit, nearest};

use entity::{
    id::{CaseId, DivisionId, StaffId},
    notice_delivery::NoticeUrgency,
};

/// Something that some staff are to be told.
#[derive(Clone, Debug)]
pub struct StaffTelling {
    /// Whom; each once.
    pub staff: Vec<StaffId>,
    /// A row of [`KINDS`].
    pub kind: &'static str,
    /// What it is about.
    pub case: Option<CaseId>,
    /// The place it is about, whose robot may say it.
    pub division: Option<DivisionId>,
    /// Only the inbox says what it is about.
    pub confidential: bool,
    /// More urgent than its kind.
    pub urgency: Option<NoticeUrgency>,
    /// What the sentence names: `number` of a case. Never a person.
    pub params: Value,
}
