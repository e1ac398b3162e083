//! What people are told: one fact for one person, written in the transaction that makes it true.
//!
//! [`tell`] writes the notice and enqueues its delivery; the inbox in the app always shows it. What is worth more goes one
//! more way: by WeChat, by text message, or somebody at the desk calls; the next way is taken when one has surely failed
//! and not before (decision 0026). [`staff`] is the same for those who work here. The sentences live in
//! `locales/notices.yml`. Next: [`kinds`] for what is worth telling, [`channels`] for the order of the ways, [`plan`],
//! [`start`], [`attempt`] and [`outcome`] for a delivery from its beginning to its end.

pub mod api;
mod attempt;
pub mod channels;
mod facts;
pub mod hours;
pub mod kinds;
mod ledger;
mod ops;
mod outcome;
mod plan;
pub mod staff;
mod start;
mod watch;
mod words;

pub use attempt::send;
pub use hours::Pace;
pub use ops::{About, Telling, tell};
pub use outcome::{SentReport, forget, sent_event};
pub use plan::deliver;
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
