//! Villagers: who they are, where they live, who acts for them, what they agreed to, what is kept of them.
//!
//! What tells who somebody is lies sealed and is opened only for the person themselves; everybody else sees it masked
//! ([`crate::personal`]). Residence is confirmed by a [`roster`] or the desk ([`ops::residence`], [`ops::claims`]), acting
//! for others needs an authorisation ([`ops::agents`]). Next: [`api`].

pub mod api;
mod evidence;
mod export;
mod find;
mod ops;
mod place;
mod reveal;
pub(crate) mod roster;
mod views;

pub use evidence::{evidence_shown_to_staff, evidence_shown_to_villager};
pub use find::{is_on_roster, names};
pub use ops::{
    agents::{Grant, ScopeWord, Use, authority, grants, used},
    consents::{PUBLICATION, REUSE_PAPERS, agreed, check_guardian, last_word, unpublished},
    copy::build as build_export,
    register::{find_or_register, known_by, register_by_name},
};
pub use place::person as within_reach;
pub use reveal::{is_child, is_minor, minors};

use utoipa_actix_web::service_config::ServiceConfig;

use crate::{app::App, problem::Problem};

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .configure(api::me::routes)
        .configure(api::phone::routes)
        .configure(api::residence::routes)
        .configure(api::agents::routes)
        .configure(api::consents::routes)
        .configure(api::own_data::routes)
        .configure(api::claims::routes)
        .configure(api::residents::routes)
        .configure(api::priority::routes)
        .service(reveal::reveal_person);
}

/// The sweep: what has outlived its purpose goes, children grow up.
pub async fn retain(app: &App) -> Result<(), Problem> {
    ops::residence::review_minors(app).await?;
    ops::residence::review_priority(app).await?;
    ops::forget::retain(app).await
}
