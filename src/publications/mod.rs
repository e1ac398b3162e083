//! The page of a village: minutes of talk days, and public matters with their answers.
//!
//! What is shown was masked, looked at ([`crate::content`]), and has a last day. Where its words could make a person known
//! they agreed to that apart (个人信息保护法 23, 25); whoever it tells of is told, and takes it down in one call. What ended
//! leaves who, when and why, and of the words a digest. Next: [`make`] for how something comes to be, [`end`] for how it goes,
//! [`api`] for what anybody reads.

pub mod api;
mod end;
mod find;
mod make;
pub mod own_api;
pub mod staff_api;

pub use end::{case_ended, expire, forget, forget_person, left_out, person_ended, words_held};
pub use find::standing;
pub use make::{Minutes, Part, minutes_part, of_minutes, show_if_passed};

use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(api::list_publications)
        .service(api::get_publication)
        .service(own_api::list_own_publications)
        .service(own_api::take_back_publication)
        .service(staff_api::publish_answer)
        .service(staff_api::list_staff_publications)
        .service(staff_api::take_down_publication);
}
