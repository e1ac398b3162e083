//! The client of the WeChat server API (`https://api.weixin.qq.com`), one file per capability.
//!
//! It is a concrete struct with a base URL and no trait, so that tests and development run the very code of production
//! against [`crate::wechat_sim`]. Next: [`login`](Client::code_to_session) for signing in, [`phone`](Client::phone_number),
//! [`mini_code`](Client::unlimited_code) and [`link`](Client::url_link) for what wants the access token, [`push`] for
//! what WeChat sends us, [`open_data`] for what phones send us sealed by WeChat, [`WechatError`] for what may go wrong.

mod error;
pub(crate) mod exchange;
mod link;
mod login;
mod mini_code;
pub mod open_data;
mod phone;
pub mod push;
mod security;
mod session;
pub mod subscribe;
#[cfg(test)]
mod tests;
pub(crate) mod token;
#[cfg(test)]
mod vectors;

use std::{sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};

pub use self::{
    error::{Invalid, Outage, Refusal, SendFault, WechatError, hint_of, rid_of},
    exchange::{ANSWER_WITHIN, CONNECT_WITHIN},
    link::{LinkEnd, UrlLink},
    login::Session,
    mini_code::{Picture, UnlimitedCode, Version},
    phone::PhoneNumber,
    security::{CONTENT_CHARS, Media, MediaQuestion, Scene, Suggest, TextQuestion, TextVerdict},
};
use self::{
    exchange::{Exchange, Service, json},
    token::TokenCache,
};
use crate::clock::Clock;

/// Where the API officially lives. The signature of signed requests covers this address whatever the base URL is.
pub const OFFICIAL_URL: &str = "https://api.weixin.qq.com";

/// Who we are to WeChat.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Scheme, host and port, such as `https://api.weixin.qq.com`.
    pub base_url: String,
    /// `AppID` of the mini program: `wx` and 16 hexadecimal digits.
    pub app_id: String,
    /// `AppSecret` of the mini program.
    pub secret: SecretString,
}

/// A client of the WeChat server API; clones share connections and the access token.
#[derive(Clone, Debug)]
pub struct Client {
    exchange: Exchange,
    settings: Settings,
    clock: Clock,
    token: Arc<TokenCache>,
}

/// A request as it leaves: what [`Client::seal`] made of a path and a body.
struct Sealed {
    /// The address a signature covers: the official one, without the query.
    signed_url: String,
    body: Vec<u8>,
}

impl Client {
    /// A client that has not sent anything yet. Fails when an `https` base URL meets a machine without CA certificates.
    pub fn new(settings: Settings, clock: Clock) -> Result<Self, reqwest::Error> {
        Self::answering_within(ANSWER_WITHIN, settings, clock)
    }

    /// Like [`Client::new`], with another limit for one whole exchange.
    pub fn answering_within(limit: Duration, settings: Settings, clock: Clock) -> Result<Self, reqwest::Error> {
        let exchange = Exchange::new(Service::WeChat, &settings.base_url, limit)?;
        Ok(Self { exchange, settings, clock, token: Arc::default() })
    }

    /// The one place every body with a token passes before it is sent. Accounts that switch "API 安全" on (开发前必读)
    /// have it encrypted and signed here, over [`OFFICIAL_URL`] and the path and not over the base URL; this project
    /// does neither yet, so the body leaves as it came.
    #[allow(clippy::unused_self, reason = "keys and app id will be read here")]
    fn seal(&self, path: &str, body: Vec<u8>) -> Sealed {
        Sealed { signed_url: format!("{OFFICIAL_URL}{path}"), body }
    }

    /// POSTs `body` with the token, sealed, and reads a JSON answer.
    async fn post_with_token<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, WechatError> {
        let body = json(body)?;
        self.call_with_token(async |token| self.exchange.ask(path, self.sealed_post(path, &body, &token)).await).await
    }

    fn sealed_post(&self, path: &str, body: &[u8], token: &SecretString) -> reqwest::RequestBuilder {
        let sealed = self.seal(path, body.to_vec());
        tracing::trace!(wechat.url = sealed.signed_url, "A request leaves");
        self.exchange.post(path, sealed.body).query(&[("access_token", token.expose_secret())])
    }
}
