//! (to be written)
use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(_: &mut ServiceConfig) {}
