//! The client of the WeChat server API (`https://api.weixin.qq.com`), one file per capability.
//!
//! It is a concrete struct with a base URL and no trait, so that tests and development run the very code of production
//! against [`crate::wechat_sim`]. Next: [`login`](Client::code_to_session) for signing in, [`token`](Client::access_token)
//! for the access token all other interfaces want, [`WechatError`] for what may go wrong.

mod error;
mod login;
#[cfg(test)]
mod tests;
mod token;

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use reqwest::{RequestBuilder, header, redirect};
use secrecy::SecretString;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::sync::Mutex;

pub use self::{
    error::{Outage, Refusal, WechatError, rid_of},
    login::Session,
};
use crate::clock::Clock;

/// How long connecting to WeChat may take.
pub const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long one whole exchange with WeChat may take; a villager waits for it.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Answers of the interfaces used here are a few hundred bytes; what is larger comes from something else.
const ANSWER_BYTES: usize = 1 << 20;
/// The shortest pause before the one repetition after `-1` (系统繁忙).
const BUSY_PAUSE_MS: u64 = 100;

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
    http: reqwest::Client,
    settings: Settings,
    clock: Clock,
    token: Arc<Mutex<token::Cached>>,
    token_failures: Arc<AtomicU64>,
}

/// The two fields every failed answer has; a successful one has `errcode` 0 or none.
#[derive(Deserialize)]
struct Verdict {
    #[serde(default)]
    errcode: i64,
    #[serde(default)]
    errmsg: String,
}

impl Client {
    /// A client that has not sent anything yet. Fails when an `https` base URL meets a machine without CA certificates.
    pub fn new(settings: Settings, clock: Clock) -> Result<Self, reqwest::Error> {
        Self::answering_within(ANSWER_WITHIN, settings, clock)
    }

    /// Like [`Client::new`], with another limit for one whole exchange.
    pub fn answering_within(limit: Duration, mut settings: Settings, clock: Clock) -> Result<Self, reqwest::Error> {
        // Whoever installed a provider first is as good; building without any would panic.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .timeout(limit)
            // WeChat does not redirect, and a URL with our secret in it must not be carried to another host.
            .redirect(redirect::Policy::none());
        if settings.base_url.starts_with("http://") {
            // The simulator: reached directly, and without looking for CA certificates, which a bare machine lacks.
            http = http.no_proxy().tls_certs_only([]);
        }
        settings.base_url.truncate(settings.base_url.trim_end_matches('/').len());
        Ok(Self { http: http.build()?, settings, clock, token: Arc::default(), token_failures: Arc::default() })
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.settings.base_url)
    }

    /// A GET whose query is `query`.
    fn get(&self, path: &str, query: &impl Serialize) -> RequestBuilder {
        self.http.get(self.url(path)).query(query)
    }

    /// A POST of raw UTF-8 JSON: escaped Chinese makes the content check miss words. A body in memory always gets a
    /// Content-Length, without which WeChat answers 412.
    fn post(&self, path: &str, body: &impl Serialize) -> Result<RequestBuilder, WechatError> {
        let body = serde_json::to_vec(body).map_err(|_| WechatError::Unreadable)?;
        Ok(self.http.post(self.url(path)).header(header::CONTENT_TYPE, "application/json; charset=utf-8").body(body))
    }

    /// Sends and reads the answer; `path` is for the log, since the URL holds secrets.
    async fn ask<T: DeserializeOwned>(&self, path: &str, request: RequestBuilder) -> Result<T, WechatError> {
        let outcome = match self.exchange(request).await {
            Ok(body) => read(&body),
            Err(error) => Err(error),
        };
        if let Err(error) = &outcome {
            note(path, error);
        }
        outcome
    }

    /// [`Client::ask`], and once more after a short pause when WeChat is busy.
    async fn ask_patiently<T: DeserializeOwned>(&self, path: &str, request: RequestBuilder) -> Result<T, WechatError> {
        let again = request.try_clone();
        match (self.ask(path, request).await, again) {
            (Err(WechatError::Busy(_)), Some(again)) => {
                // Spread out, so that all who met the same hiccup do not come back at the same moment.
                let pause = Duration::from_millis(rand::random_range(BUSY_PAUSE_MS..=3 * BUSY_PAUSE_MS));
                tokio::time::sleep(pause).await;
                self.ask(path, again).await
            }
            (outcome, _) => outcome,
        }
    }

    async fn exchange(&self, request: RequestBuilder) -> Result<Vec<u8>, WechatError> {
        let mut response = request.send().await?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(WechatError::Transport(Outage::Status(response.status().as_u16())));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > ANSWER_BYTES {
                return Err(WechatError::Unreadable);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// Reads a JSON answer. Its first byte says that it is one: the Content-Type may be `text/plain` all the same.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, WechatError> {
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(WechatError::Unreadable);
    }
    let verdict: Verdict = serde_json::from_slice(body).map_err(|_| WechatError::Unreadable)?;
    if verdict.errcode != 0 {
        return Err(WechatError::refused(verdict.errcode, &verdict.errmsg));
    }
    serde_json::from_slice(body).map_err(|_| WechatError::Unreadable)
}

/// Logs a failure where its request id is known; what only an operator can repair is an error, the rest passes.
fn note(path: &str, error: &WechatError) {
    let refusal = error.refusal();
    let errcode = refusal.map(|refusal| refusal.errcode);
    let rid = refusal.and_then(|refusal| refusal.rid.as_deref());
    match error {
        WechatError::Configuration(_) | WechatError::DataBug(_) | WechatError::Unreadable => {
            tracing::error!(wechat.path = path, wechat.errcode = errcode, wechat.rid = rid, "WeChat: {error}");
        }
        WechatError::BadCode(_) => {
            tracing::info!(wechat.path = path, wechat.errcode = errcode, wechat.rid = rid, "WeChat: {error}");
        }
        _ => tracing::warn!(wechat.path = path, wechat.errcode = errcode, wechat.rid = rid, "WeChat: {error}"),
    }
}
