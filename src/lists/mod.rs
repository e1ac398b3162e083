//! (to be written)
use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(_: &mut ServiceConfig) {}

/// Whether a list has a code.
#[must_use]
pub fn knows(list: &str, code: &str) -> bool {
    !list.is_empty() && !code.is_empty()
}
