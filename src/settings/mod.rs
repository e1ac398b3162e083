//! Settings of a place: the numbers of the rules, desk hours, days off of its own. The nearest place that sets one rules.
//!
//! A case asks [`of_case`] for its [`Clocks`]: what holds where it lies. Everything is read from memory; another process
//! takes changes over when its worker next looks ([`refresh`]). Next: [`terms`] for the numbers, [`api`] for the calls.

pub mod api;
mod bodies;
mod calendars;
mod clocks;
mod ops;
pub mod terms;

use std::sync::Arc;

use entity::case;
use utoipa_actix_web::service_config::ServiceConfig;

pub use clocks::{Clocks, Own, Settings};
pub use ops::{lineage, load, refresh};
pub use terms::{Term, Terms};

use crate::app::App;

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(api::get_settings)
        .service(api::change_settings)
        .service(calendars::list_calendars)
        .service(calendars::publish_calendar);
}

/// What holds in the place of a case.
#[must_use]
pub fn of_case(app: &App, case: &case::Model) -> Arc<Clocks> {
    app.settings.load().of(&[case.village_id, case.township_id, case.county_id])
}
