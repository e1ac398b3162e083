//! Cases (办件): a matter that is accepted, assigned, worked on, answered and confirmed, with honest clocks.
//!
//! [`workflow`] is the table of steps, [`advance`] the one function that takes them, [`scope`] who may know of what.
//! Next: [`api`] for the villager's side, [`staff_api`] for the desk's.

pub mod advance;
mod agency;
pub mod api;
mod commands;
mod emergency;
pub mod jobs;
mod near;
pub mod number;
mod ops;
mod reveal;
pub mod scope;
pub mod sla;
pub mod staff_api;
mod take_up;
mod timeline;
mod trail;
mod views;
pub mod workflow;

pub use advance::By;
pub use api::lane;
pub use commands::Principal;
pub use near::near_to;
pub use ops::{
    file::Wish,
    hand_over::{busy, cover, give_back, release},
    people::{anonymise_old, forget_drafts, move_person},
    take_up::{Heard, take_up},
    track::{Tracking, tracking},
};
pub use take_up::TakeUpCase;

use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(api::file_case)
        .service(api::list_cases)
        .service(api::get_case)
        .service(api::delete_case)
        .service(api::list_case_events)
        .service(api::act_on_case)
        .service(api::review_case)
        .service(api::track_case)
        .service(staff_api::list_staff_cases)
        .service(staff_api::enter_case)
        .service(staff_api::get_staff_case)
        .service(staff_api::list_staff_case_events)
        .service(staff_api::act_on_staff_case)
        .service(reveal::reveal_case);
}
