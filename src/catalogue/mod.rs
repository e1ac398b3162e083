//! Service items: what a village desk runs errands for, with papers, fees and both time limits.
//!
//! Items are versioned: a running case keeps the version it was filed under. They come from a file, and say field by
//! field where each value is from and what is only an estimate. Next: [`api`], then [`import`].

pub mod api;
pub mod import;
mod names;
mod ops;

pub use names::ItemNames;
pub use ops::{ItemTerms, current_terms};

use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config.service(api::list_items).service(api::get_item);
}
