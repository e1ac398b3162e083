//! Periodic lists and reports (月清单, 双月点评, 季报, 年报): drawn from the events of a period that is over, signed by another
//! person, frozen, and reckoned again by whoever doubts them.
//!
//! No person and no word of a villager stands in any of them; confidential cases and private matters are in none.
//! [`walk`] reads the events in small pages, [`lives`] plays one case up to the end of the period, [`tally`] adds up,
//! [`content`] and [`figures`] are what is frozen, [`canonical`] how it is written and hashed. Next: [`api`] for the calls, [`open_data`] for
//! what everybody may read; decision 0021.

pub mod api;
mod canonical;
mod check;
mod content;
mod export;
mod figures;
mod lives;
mod measure;
mod open_data;
mod ops;
mod periods;
mod points;
mod tally;
mod views;
mod walk;

use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(api::draw_report)
        .service(api::list_reports)
        .service(api::get_report)
        .service(api::list_report_lines)
        .service(api::check_report)
        .service(api::sign_report)
        .service(api::discard_report)
        .service(api::export_report)
        .service(open_data::api::get_data_package)
        .service(open_data::api::get_open_cases)
        .service(open_data::api::get_open_rates);
}
