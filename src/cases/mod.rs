//! Cases (办件): a matter that is accepted, assigned, worked on, answered and confirmed, with honest clocks.
//!
//! [`workflow`] is the table of steps, [`advance`] the one function that takes them, [`scope`] who may know of what.
//! Next: [`api`] for the villager's side, [`staff_api`] for the desk's.

pub mod advance;
mod agency;
pub mod api;
mod co_handlers;
mod commands;
mod dispatch;
mod duplicates;
pub mod effects;
pub mod emergency;
mod explain;
mod export;
pub mod files;
mod fresh;
mod guards;
pub mod jobs;
pub mod log;
mod near;
pub mod number;
mod ops;
mod overview;
mod papers;
pub mod publication;
pub mod replay;
mod reveal;
mod reviews;
pub mod scope;
mod search;
pub mod sla;
pub mod staff_api;
mod staff_tellings;
mod take_up;
mod timeline;
mod tracked;
mod trail;
mod views;
pub mod workflow;

pub use advance::By;
pub use api::lane;
pub use commands::Principal;
pub use near::{keeps_away, near_to};
pub use ops::{
    file::Wish,
    hand_over::{busy, cover, give_back, release},
    people::{anonymise_old, forget_drafts, move_person},
    take_up::{Heard, take_up},
    track::{Tracking, tracking},
};
pub use overview::rates;
pub use papers::{HeldPaper, PapersOf};
pub use search::keep::read_new as keep_words;
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
        .service(reviews::api::list_reviews)
        .service(reviews::api::review_case)
        .service(reviews::api::add_to_review)
        .service(reviews::api::rerate_case)
        .service(reviews::staff_api::list_own_reviews)
        .service(reviews::staff_api::appeal_review)
        .service(reviews::staff_api::list_follow_ups)
        .service(reviews::staff_api::note_follow_up_contact)
        .service(reviews::staff_api::settle_follow_up)
        .service(reviews::staff_api::list_review_appeals)
        .service(reviews::staff_api::decide_review_appeal)
        .service(reviews::staff_api::list_call_backs)
        .service(reviews::staff_api::record_call_back)
        .service(api::track_case)
        .service(staff_api::list_staff_cases)
        .service(staff_api::enter_case)
        // Before the one by id, which its address would be taken for.
        .service(export::export_cases)
        .service(staff_api::get_staff_case)
        .service(staff_api::list_staff_case_events)
        .service(staff_api::act_on_staff_case)
        .service(staff_api::explain_staff_case)
        .service(api::explain_case)
        .service(duplicates::find_duplicates)
        .service(overview::api::overview_cases)
        .service(staff_api::list_co_handlers)
        .service(dispatch::api::list_duties)
        .service(dispatch::api::add_duty)
        .service(dispatch::api::remove_duty)
        .service(dispatch::api::suggest_receiver)
        .service(reveal::reveal_case)
        .service(publication::api::publish_case)
        .service(publication::api::withdraw_publication);
}
