//! Places: the tree of city, county, township and village, with both of its code systems.
//!
//! Everything else hangs on a division's own key, because the codes of the two systems collide and change. The real
//! divisions of Dazhou come from `config/divisions`. Next: [`api`], then [`ops`].

pub mod api;
pub mod change;
pub mod import;
mod ops;
mod reach;

pub use ops::{Lineage, find, line_up, lineage, lineages, standing, subtree};
pub use reach::{covers, reach};
use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config.service(api::list_divisions).service(api::get_division);
}
