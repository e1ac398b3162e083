//! Villagers: what they tell of themselves, what rosters say of them, and how the desk finds those it met before.
//!
//! What tells who somebody is, is sealed at rest and opened only for the person themselves; everybody else sees it masked,
//! or says why not and is written down. Next: [`api`] for `/me`, [`staff_api`] for the desk, [`roster`] for imports.

pub mod api;
mod export;
mod find;
mod ops;
mod place;
mod register;
pub(crate) mod roster;
pub mod staff_api;
mod views;

pub use register::find_or_register;

use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(api::get_me)
        .service(api::update_me)
        .service(staff_api::list_people)
        .service(staff_api::get_person)
        .service(staff_api::list_roster)
        .service(staff_api::import_roster)
        .service(staff_api::export_register);
}
