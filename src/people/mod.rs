//! (to be written)
pub mod phone;
use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(_: &mut ServiceConfig) {}
mod register;
pub use register::find_or_register;
