//! Reviews (好差评): given by who the work was for, out of reach of who did it, and followed up where they are bad.
//!
//! One or two stars open a follow-up for the unit above the handler's; where money was asked it goes to the township's
//! discipline desk and nowhere else. A handler sees what was said of them in bundles, without case or name, and may appeal
//! against it; the township decides. A share of what was closed is called back by a second person. Sources: 国办函〔2019〕
//! 51号 (政务服务"好差评"), cases.md. Next: [`rules`] for what is decided, [`api`] for the villager, [`staff_api`] for staff.

pub mod api;
mod bodies;
mod ops;
pub(super) mod rules;
pub mod staff_api;

pub(super) use ops::{
    call_backs::draw,
    follow_ups::{cases_of, followed_up_by, is_open},
};
