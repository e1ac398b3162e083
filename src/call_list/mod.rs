//! The desk's call list: people whom no machine reaches, and what somebody tells them.
//!
//! A notice whose last way failed, and every notice of somebody with neither app nor phone, waits here until a person has
//! called, come by or handed over paper; who reads it in the app meanwhile disappears from the list. What is confidential
//! waits at the discipline desk of the township and nowhere else, for whoever may see the case. Next: [`ops`].

pub mod api;
mod bodies;
mod ops;

use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config.service(api::list_calls).service(api::get_call_sheet).service(api::finish_call).service(api::fail_call);
}
