//! Tables as types, one file per table, and the newtypes their columns hold.
//!
//! Nothing here knows of HTTP, of clocks or of rules: a feature loads these rows and decides. The shape of the database
//! itself is the `migration` crate's; a test compares the two. Read [`id`] first, then the table you came for.
#![allow(
    missing_docs,
    reason = "columns are named by the words of the glossary; what needs saying is said at the table"
)]

pub mod id;
pub mod sealed;

pub mod booking;
pub mod calendar_day;
pub mod calendar_version;
pub mod case;
pub mod case_against;
pub mod case_event;
pub mod division;
pub mod idempotent_answer;
pub mod job;
pub mod notice;
pub mod person;
pub mod posting;
pub mod refresh_token;
pub mod review;
pub mod service_item;
pub mod session;
pub mod slot;
pub mod staff;
pub mod sweep;
pub mod talk_day;
pub mod talk_rule;
pub mod throttle;
pub mod unit;
pub mod wechat_account;

/// An instant: UTC, milliseconds.
pub type Instant = chrono::DateTime<chrono::Utc>;
