//! What people are told: one fact for one person, written in the transaction that makes it true.
//!
//! [`tell`] writes the notice and enqueues its delivery; the inbox in the app always shows it, other channels are the
//! delivery's business. The sentences live in `locales/notices.yml`. Next: [`api`].

pub mod api;
mod ops;

pub use ops::{About, Telling, deliver, tell};
use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config.service(api::list_inbox).service(api::read_notice);
}
