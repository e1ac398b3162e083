//! Villagers: what they tell of themselves, and how the desk finds those it met before.
//!
//! Name and phone are sealed at rest and opened only for the person themselves; everybody else sees them masked.
//! Next: [`api`] for `/me`.

pub mod api;
mod ops;
mod register;
mod reveal;

pub use register::find_or_register;
pub use reveal::is_minor;

use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config.service(api::get_me).service(api::update_me).service(reveal::reveal_person);
}
