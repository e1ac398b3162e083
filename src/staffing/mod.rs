//! Staffing (人员与岗位): who works where, with which duties, who stands in for whom, and who is near to whom.
//!
//! An *account* signs in; a *posting* is one person in one *unit* with some duties for some time; an *absence* moves open
//! work to a stand-in and back; a *conflict* records a near relation, which [`crate::cases`] then minds. Peers leave work
//! with people who are away or gone; here it never stays there. Next: [`api`], then [`rules`] for what may be decided
//! without a database.

pub mod api;
mod bodies;
pub mod jobs;
mod ops;
mod rules;
mod scope;

use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .configure(api::units::routes)
        .configure(api::accounts::routes)
        .configure(api::absences::routes)
        .configure(api::conflicts::routes);
}
