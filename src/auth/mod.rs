//! Who is calling, and what may they do.
//!
//! [`authenticate`] checks the token and its session once per call; [`Villager`] and [`Staff`] are proofs that only
//! this module can make, and operations demand them: forgetting authorisation does not compile. What a duty allows is
//! the table in [`duty`]. Next: [`ops`] for signing in, [`own`] for one's own account and its second factor.

pub mod accounts;
mod actor;
pub mod api;
pub mod duty;
pub mod ops;
mod own;
pub mod own_api;
mod password;
mod sessions;
mod throttle;
mod tokens;
pub mod totp;
mod trail;

pub use actor::{AnyStaff, Posted, Staff, Villager, authenticate};
pub use duty::Duty;
pub use password::{Passwords, hash as hash_password};
pub use sessions::{Sessions, sessions};
pub use throttle::{Limits, account_key, address_of, check_bad_push, check_open_read, count as count_try};
pub use tokens::Keyring;

use utoipa_actix_web::service_config::ServiceConfig;

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(api::sign_in_wechat)
        .service(api::sign_in_staff)
        .service(api::sign_in_wecom)
        .service(api::refresh_session)
        .service(api::sign_out)
        .service(own_api::get_own_account)
        .service(own_api::change_own_password)
        .service(own_api::enrol_totp)
        .service(own_api::confirm_totp);
}
