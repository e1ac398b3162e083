//! Open311 `GeoReport` v2: public matters for programs that speak it, to read and, with a key, to file.
//!
//! It is a face of what is there: a service is a topic, a request is a case that its villager lets anybody see
//! ([`crate::cases::publication`]), `expected_datetime` is the case's own clock. Nobody's name, phone or number on a receipt
//! is shown; confidential cases and private matters are none of it. Failures have Open311's shape, in the format that was
//! asked for. The specification: <https://wiki.open311.org/GeoReport_v2>, frozen. Next: [`api`] for reading, [`post`] for
//! filing, [`keys_api`] for keys; decision 0023.

pub mod api;
mod find;
mod form;
mod format;
mod keys;
pub mod keys_api;
mod place;
pub mod post;
mod views;

pub use format::Open311Error;
pub use keys::forget;

use utoipa_actix_web::service_config::ServiceConfig;

/// The calls outside the versioned API.
pub fn facade(config: &mut ServiceConfig) {
    config
        .service(api::discover_open311)
        .service(api::discover_open311_v2)
        .service(api::list_open311_services)
        .service(api::define_open311_service)
        .service(api::list_open311_requests)
        .service(post::file_open311_request)
        .service(api::get_open311_request)
        .service(api::get_open311_token);
}

/// The calls of those who keep keys.
pub fn routes(config: &mut ServiceConfig) {
    config.service(keys_api::list_api_keys).service(keys_api::make_api_key).service(keys_api::revoke_api_key);
}
