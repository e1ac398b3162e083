//! What WeChat sends us: `GET|POST /wechat/push`.
//!
//! A push is believed ([`crate::wechat::push`]), stored as it came and answered; a job gives it its effect, in the order in
//! which its sender's pushes arrived. WeChat waits five seconds and tries three times, so that a push may come again and
//! counts once. What nobody here understands is stored all the same. Next: [`read`] for what a message says, [`process`]
//! for what it does.

pub mod api;
mod ops;
mod process;
mod read;

pub use ops::{forget, forget_sender, has_waiting, reprocess, watch};
pub use process::process;

use std::sync::Arc;

use secrecy::ExposeSecret;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{config, wechat::push::Inbox};

/// The address that WeChat pushes to; it stands outside the versioned API.
pub fn routes(config: &mut ServiceConfig) {
    config.service(api::verify_wechat_push).service(api::receive_wechat_push);
}

/// What decides whether a push may be believed; none where no token is configured.
#[must_use]
pub fn inbox(settings: &config::Wechat) -> Option<Arc<Inbox>> {
    if settings.push_token.expose_secret().is_empty() {
        return None;
    }
    // The configuration was checked when it was read.
    Inbox::new(&settings.push_token, &settings.push_aes_key, &settings.app_id).ok().map(Arc::new)
}
