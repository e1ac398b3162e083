//! The client of the WeCom server API (`https://qyapi.weixin.qq.com`), by which staff are known to their organisation.
//!
//! WeCom speaks as WeChat does, so it stands on the same exchange and token cache ([`crate::wechat`]); what its numbers
//! mean and who may come in is its own. Next: [`members`](Client::member_of_code) for signing staff in,
//! [`messages`](Client::send_text) and [`Robots`] for telling them something.

mod members;
mod messages;
mod robot;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};

pub use self::{
    members::Member,
    messages::{MOST_AT_ONCE, Unreached, WecomText},
    robot::Robots,
};
use crate::{
    clock::Clock,
    wechat::{
        ANSWER_WITHIN, WechatError,
        exchange::{Exchange, Service, json},
        token::{Issued, TokenCache},
    },
};

/// A token is the same for everybody until its end (获取 `access_token`), so there is no new one to be had much before.
const RENEWED_BEFORE: TimeDelta = TimeDelta::seconds(10);

/// Who we are to WeCom.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Scheme, host and port, such as `https://qyapi.weixin.qq.com`.
    pub base_url: String,
    /// Of the organisation: `ww` and 16 hexadecimal digits.
    pub corp_id: String,
    /// Of the application.
    pub secret: SecretString,
    /// Number of the application.
    pub agent_id: String,
}

/// Why a member was not found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WecomError {
    /// WeCom knows who it is, and they do not belong to the organisation.
    #[error("not a member of the organisation")]
    NotAMember,
    /// WeCom refused or could not be reached; the classes are those of WeChat.
    #[error(transparent)]
    Api(#[from] WechatError),
}

/// A client of the WeCom server API; clones share connections and the access token.
#[derive(Clone, Debug)]
pub struct Client {
    exchange: Exchange,
    settings: Settings,
    clock: Clock,
    token: Arc<TokenCache>,
}

impl Client {
    /// A client that has not sent anything yet. Fails when an `https` base URL meets a machine without CA certificates.
    pub fn new(settings: Settings, clock: Clock) -> Result<Self, reqwest::Error> {
        let exchange = Exchange::new(Service::WeCom, &settings.base_url, ANSWER_WITHIN)?;
        Ok(Self { exchange, settings, clock, token: Arc::new(TokenCache::new(RENEWED_BEFORE)) })
    }

    /// The access token of the application, from memory or from WeCom.
    pub async fn access_token(&self) -> Result<SecretString, WechatError> {
        self.token.get(&self.clock, self.fetch_token()).await
    }

    async fn fetch_token(&self) -> Result<Issued, WechatError> {
        let query = [("corpid", self.settings.corp_id.as_str()), ("corpsecret", self.settings.secret.expose_secret())];
        let path = "/cgi-bin/gettoken";
        self.exchange.ask(path, self.exchange.get(path, &query)).await
    }

    /// A POST with the token, and exactly once more with a new one when WeCom rejects the first.
    async fn post_with_token<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, WechatError> {
        let body = json(body)?;
        let ask = async |token: SecretString| {
            let request = self.exchange.post(path, body.clone()).query(&[("access_token", token.expose_secret())]);
            self.exchange.ask(path, request).await
        };
        self.token.call(|| self.access_token(), ask).await
    }

    /// A GET with the token, and exactly once more with a new one when WeCom rejects the first.
    async fn get_with_token<T: DeserializeOwned>(&self, path: &str, query: &impl Serialize) -> Result<T, WechatError> {
        let ask = async |token: SecretString| {
            let request = self.exchange.get(path, query).query(&[("access_token", token.expose_secret())]);
            self.exchange.ask(path, request).await
        };
        self.token.call(|| self.access_token(), ask).await
    }
}
