//! Talk days: the days on which a village listens, their slots and bookings.
pub mod jobs;
pub mod recurrence;
pub mod slots;
use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(_: &mut ServiceConfig) {}
