//! What people are told: one fact for one person, written in the transaction that makes it true.
//!
//! [`tell`] writes the notice and enqueues its delivery; the inbox in the app always shows it. What is worth more goes one
//! more way: by WeChat, by text message, or somebody at the desk calls; the next way is taken when one has surely failed
//! and not before (decision 0026). [`staff`] is the same for those who work here. The sentences live in
//! `locales/notices.yml`.
//!
//! To be read in this order: [`kinds`], what is worth telling; [`channels`], the order of the ways, and [`facts`], what they
//! are chosen by; [`hours`], the night; [`words`], what is said. Then a delivery from its beginning to its end: [`plan`] makes
//! it, [`start`] begins an attempt with what [`gather`] puts together, [`attempt`] makes it, [`outcome`] says what follows,
//! [`reports`] hears what WeChat says of it, [`delivery`] holds every change; [`mod@watch`] takes up what is stuck.

pub mod api;
mod attempt;
pub mod channels;
mod delivery;
mod facts;
mod gather;
pub mod hours;
pub mod kinds;
mod ops;
mod outcome;
mod plan;
mod reports;
pub mod staff;
mod start;
mod watch;
mod words;

pub use attempt::send;
pub use delivery::{Call, called, forget, not_reached};
pub use hours::Pace;
pub use ops::{About, Telling, tell};
pub use plan::deliver;
pub use reports::{SentReport, sent_event};
use utoipa_actix_web::service_config::ServiceConfig;
pub use watch::watch;
pub use words::sentence;

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(api::list_inbox)
        .service(api::read_notice)
        .service(staff::api::list_staff_inbox)
        .service(staff::api::read_staff_notice);
}
