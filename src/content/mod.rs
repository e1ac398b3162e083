//! Content security: what others will see is looked at first.
//!
//! Words of villagers that anybody may read (public cases, agendas, the page of a village), and their files, are judged by
//! WeChat in a job: what passes is shown, what needs a person waits in the queue of the desk, what is risky is held and
//! whose it is told. Until then others do not see it; whose it is and who works on it see it always, and the case waits for
//! nothing. Confidential and private matters never come here. Decision 0027 says why. Next: [`ops`] for how something comes
//! in, [`check`] for the question, [`settle`] for what becomes of the answer.

pub mod api;
mod check;
mod ops;
mod own;
mod queue;
mod rules;
mod settle;
pub mod staff_api;
mod watch;

pub use check::{Question, check, media_checked};
pub use ops::{
    Words, drop_cases, drop_parts, drop_subject, forget, forget_person, has_passed, look_at, look_at_photos,
    photo_is_public, shown_photos, shown_words, words_to_quote,
};
pub use settle::Judged;
pub use watch::watch;

use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(api::list_own_content)
        .service(api::reword_content)
        .service(api::ask_for_look)
        .service(staff_api::list_content)
        .service(staff_api::decide_content);
}
