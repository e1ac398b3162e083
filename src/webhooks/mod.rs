//! Webhooks: servers of others (a township's, a province's system) that are told what becomes of cases.
//!
//! A receiver belongs to a place and is told of it and everything below it, by messages of Standard Webhooks whose bodies
//! are `CloudEvents` 1.0. A message names the case and its state and no person, unless the county entitled the receiver to a
//! field on a legal ground, for some time. Confidential cases and private matters are never told. A sweep ([`fan_out`])
//! finds what happened, a job ([`deliver`]) tells it, once at least and again with growing pauses; what nobody took stays
//! as a dead letter that can be replayed. Decision 0022 says why. Next: [`events`] for what is told, [`sender`] for where
//! it may go.

pub mod api;
mod bodies;
mod deliver;
pub mod deliveries_api;
pub mod events;
mod fan_out;
mod ops;
mod replay;
mod schedule;
mod sender;
pub mod signature;

pub use deliver::{Attempt, deliver};
pub use fan_out::{fan_out, forget, has_receivers};
pub use sender::Sender;

use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(api::list_webhooks)
        .service(api::make_webhook)
        .service(api::get_webhook)
        .service(api::change_webhook)
        .service(api::remove_webhook)
        .service(api::rotate_webhook_secret)
        .service(deliveries_api::test_webhook)
        .service(deliveries_api::list_deliveries)
        .service(deliveries_api::replay_webhook)
        .service(deliveries_api::replay_delivery);
}
