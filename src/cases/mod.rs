//! Cases: a matter somebody follows from submission to closing.
pub mod jobs;
pub mod number;
use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(_: &mut ServiceConfig) {}
