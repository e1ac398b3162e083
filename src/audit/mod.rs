//! The audit: who did or read what, with a reason, in a chain that shows when it was tampered with.
//!
//! [`record`] adds an entry in the transaction of what it tells of; each entry carries a keyed hash over itself and the
//! one before, so that a changed, cut or slipped-in row is found and named (个人信息保护法 54, 网络数据安全管理条例 17;
//! 信访工作条例 46). Log lines hold no personal data, and neither do entries: they name rows. Next: [`chain`].

pub mod chain;

pub use chain::{Actor, Entry, record};
