//! Tables as types, one file per table, and the newtypes their columns hold.
//!
//! Nothing here knows of HTTP, of clocks or of rules: a feature loads these rows and decides. The shape of the database
//! itself is the `migration` crate's; a test compares the two. Read [`id`] first, then the table you came for.
#![allow(
    missing_docs,
    reason = "columns are named by the words of the glossary; what needs saying is said at the table"
)]

pub mod id;
pub mod preferences;
pub mod sealed;

pub mod absence;
pub mod api_key;
pub mod audit_entry;
pub mod audit_head;
pub mod authorisation;
pub mod authorisation_use;
pub mod booking;
pub mod booking_event;
pub mod calendar_day;
pub mod calendar_version;
pub mod call_back;
pub mod case;
pub mod case_against;
pub mod case_event;
pub mod case_search;
pub mod co_handler;
pub mod conflict;
pub mod consent;
pub mod content_check;
pub mod council_matter;
pub mod data_export;
pub mod division;
pub mod division_change;
pub mod division_setting;
pub mod duty_entry;
pub mod file;
pub mod follow_up;
pub mod host_cover;
pub mod household;
pub mod idempotent_answer;
pub mod job;
pub mod minutes_signature;
pub mod notice;
pub mod notice_delivery;
pub mod open311_request;
pub mod person;
pub mod phone_code;
pub mod posting;
pub mod publication;
pub mod refresh_token;
pub mod report;
pub mod report_line;
pub mod residence_claim;
pub mod review;
pub mod review_appeal;
pub mod roster_entry;
pub mod service_item;
pub mod session;
pub mod slot;
pub mod staff;
pub mod staff_notice;
pub mod subscription;
pub mod sweep;
pub mod talk_day;
pub mod talk_minutes;
pub mod talk_rating;
pub mod talk_record;
pub mod talk_rule;
pub mod talk_wait;
pub mod talk_waiter;
pub mod throttle;
pub mod unit;
pub mod upload;
pub mod webhook;
pub mod webhook_delivery;
pub mod wechat_account;
pub mod wechat_push;

/// An instant: UTC, milliseconds.
pub type Instant = chrono::DateTime<chrono::Utc>;
