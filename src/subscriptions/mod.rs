//! How many subscribe messages people would still take: a ledger by user and template.
//!
//! WeChat does not tell the number, so it is reckoned: one more for an accept, which the page and an event both report; one
//! less for a message that went; none once WeChat says so (43101) or the template was switched off. The ledger is an
//! estimate, WeChat's refusal is the truth. Next: [`ledger`] for the reckoning, [`ops`] for what others call.

pub mod api;
mod ledger;
mod ops;

pub use ledger::Report;
pub use ops::{exhausted, forget, left_of, popup, spent, switched_off};

use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config.service(api::list_subscription_templates).service(api::report_subscriptions);
}
