//! Talk days (村民说事日): the days on which a village listens, their slots, and who has a place.
//!
//! ```text
//! talk rule --materialised 8 weeks ahead--> talk day --cut--> slot <--taken by-- booking of a person
//! ```
//!
//! A *rule* says on which days a village listens ([`recurrence`], [`sittings`], [`terms`]); a *day* is one dated sitting, made from a
//! rule or singly; its *slots* have public places, which villagers book, and others, which are kept for walk-ins
//! ([`slots`]). What may be decided about a booking stands in [`rules`]; how it is made to stick under any concurrency
//! in `ops/bookings.rs`. On the day itself [`mod@line`] says whose turn it is, [`steps`] what may happen then. Next:
//! [`api`].

pub mod api;
pub mod bodies;
pub mod files;
mod fresh;
pub mod holds;
mod ical;
pub mod jobs;
pub mod line;
mod ops;
pub mod plan;
pub mod recurrence;
pub mod rules;
pub mod sittings;
pub mod slots;
pub mod steps;
pub mod tally;
pub mod terms;
pub mod words;

pub use api::bookings::lane;
pub use ops::{
    book::Wish,
    cover::{cover, give_back},
    keeping::{anonymise_old, drop_cancelled, forget_said, move_said},
    minutes_left_out::{leave_out, without_matters},
    people::{cancel_all, move_bookings},
    watch::{Seat, Watches},
};

use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .configure(api::days::routes)
        .configure(api::bookings::routes)
        .configure(api::waits::routes)
        .configure(api::calendar::routes)
        .configure(api::rules::routes)
        .configure(api::rule_previews::routes)
        .configure(api::staff_days::routes)
        .configure(api::desk_bookings::routes)
        .configure(api::line::routes)
        .configure(api::desk::routes)
        .configure(api::screen::routes)
        .configure(api::slip::routes)
        .configure(api::route::routes)
        .configure(api::records::routes)
        .configure(api::agenda::routes)
        .configure(api::minutes::routes)
        .configure(api::ratings::routes)
        .configure(api::council::routes)
        .configure(api::numbers::routes);
}
