//! Service items: what a village desk runs errands for, with papers, forms, fees and both time limits.
//!
//! Items are versioned: a running case keeps the version it was filed under, whatever is published later. They come from
//! a file or are published by the county, and say field by field where each value is from and what is only an estimate.
//! [`item`] is their shape, [`form`] what is to be filled in, [`material`] what is to be brought, [`questions`] whether it
//! is worth coming. Next: [`api`] for everybody, [`staff_api`] for who keeps them; `src/guide/forms.md` for writing forms.

pub mod api;
pub mod form;
pub mod import;
pub mod item;
pub mod material;
mod names;
mod ops;
mod prepare;
pub mod questions;
mod requirements;
mod rules;
mod speech;
pub mod staff_api;
mod versions;
mod views;

pub use material::Material;
pub use names::{ItemName, ItemNames};
pub use ops::{ItemTerms, current_terms, is_offered};
pub use requirements::{Requirements, RequirementsOfItems, form_fault};

use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(api::list_items)
        .service(api::get_item)
        .service(api::pre_check_item)
        .service(prepare::prepare_item)
        .service(staff_api::export_catalogue)
        .service(staff_api::import_catalogue)
        .service(staff_api::list_item_versions)
        .service(staff_api::publish_item)
        .service(staff_api::retire_item);
}
