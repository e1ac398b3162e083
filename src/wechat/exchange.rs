//! One exchange with a server of Tencent: sending, waiting, reading, and sorting of what went wrong.
//!
//! WeChat and WeCom speak alike (JSON, HTTP 200 for every refusal, a token in the query) and differ in what their error
//! numbers mean, so both clients stand on this one. Next: [`super::token`] for the access token.

use std::time::Duration;

use reqwest::{RequestBuilder, header, redirect};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Outage, WechatError};

/// How long connecting may take.
pub const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long one whole exchange may take; a villager waits for it.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Answers are a few hundred bytes, pictures some ten thousand; what is larger comes from something else.
const ANSWER_BYTES: usize = 1 << 20;
/// The shortest pause before the one repetition after `-1` (系统繁忙).
const BUSY_PAUSE_MS: u64 = 100;

/// Whose error numbers an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    WeChat,
    WeCom,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::WeChat => "WeChat",
            Self::WeCom => "WeCom",
        }
    }

    fn refused(self, errcode: i64, errmsg: &str) -> WechatError {
        match self {
            Self::WeChat => WechatError::refused(errcode, errmsg),
            Self::WeCom => WechatError::refused_by_wecom(errcode, errmsg),
        }
    }
}

/// Connections to one server and how to talk over them; clones share the connections.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    http: reqwest::Client,
    base_url: String,
    service: Service,
}

/// The two fields every failed answer has; a successful one has `errcode` 0 or none.
#[derive(Deserialize)]
struct Verdict {
    #[serde(default)]
    errcode: i64,
    #[serde(default)]
    errmsg: String,
}

impl Exchange {
    /// Fails when an `https` base URL meets a machine without CA certificates.
    pub(crate) fn new(service: Service, base_url: &str, limit: Duration) -> Result<Self, reqwest::Error> {
        // Whoever installed a provider first is as good; building without any would panic.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .timeout(limit)
            // Tencent does not redirect, and a URL with our secret in it must not be carried to another host.
            .redirect(redirect::Policy::none());
        if base_url.starts_with("http://") {
            // The simulator: reached directly, and without looking for CA certificates, which a bare machine lacks.
            http = http.no_proxy().tls_certs_only([]);
        }
        Ok(Self { http: http.build()?, base_url: base_url.trim_end_matches('/').to_owned(), service })
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// A GET whose query is `query`.
    pub(crate) fn get(&self, path: &str, query: &impl Serialize) -> RequestBuilder {
        self.http.get(self.url(path)).query(query)
    }

    /// A POST of JSON. A body in memory always gets a Content-Length, without which WeChat answers 412.
    pub(crate) fn post(&self, path: &str, body: Vec<u8>) -> RequestBuilder {
        self.http.post(self.url(path)).header(header::CONTENT_TYPE, "application/json; charset=utf-8").body(body)
    }

    /// Sends and reads a JSON answer; `path` is for the log, since the URL holds secrets. Asks once more after a short
    /// pause when the service is busy.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, path: &str, request: RequestBuilder) -> Result<T, WechatError> {
        self.patiently(path, request, |body| read(self.service, body)).await
    }

    /// Like [`Self::ask`] for an interface that answers with a picture, or with JSON when it refuses.
    pub(crate) async fn ask_bytes(&self, path: &str, request: RequestBuilder) -> Result<Vec<u8>, WechatError> {
        let keep = |body: &[u8]| match read::<serde::de::IgnoredAny>(self.service, body) {
            Err(WechatError::Unreadable) if !looks_like_json(body) => Ok(body.to_vec()),
            Err(error) => Err(error),
            Ok(_) => Err(WechatError::Unreadable),
        };
        self.patiently(path, request, keep).await
    }

    async fn patiently<T>(
        &self,
        path: &str,
        request: RequestBuilder,
        read: impl Fn(&[u8]) -> Result<T, WechatError>,
    ) -> Result<T, WechatError> {
        let again = request.try_clone();
        let outcome = self.once(path, request, &read).await;
        if let (Err(WechatError::Busy(_)), Some(again)) = (&outcome, again) {
            // Spread out, so that all who met the same hiccup do not come back at the same moment.
            let pause = Duration::from_millis(rand::random_range(BUSY_PAUSE_MS..=3 * BUSY_PAUSE_MS));
            tokio::time::sleep(pause).await;
            return self.once(path, again, &read).await;
        }
        outcome
    }

    async fn once<T>(
        &self,
        path: &str,
        request: RequestBuilder,
        read: impl Fn(&[u8]) -> Result<T, WechatError>,
    ) -> Result<T, WechatError> {
        let outcome = receive(request).await.and_then(|body| read(&body));
        if let Err(error) = &outcome {
            note(self.service, path, error);
        }
        outcome
    }
}

/// Raw UTF-8 JSON: escaped Chinese makes the content check miss words.
pub(crate) fn json(body: &impl Serialize) -> Result<Vec<u8>, WechatError> {
    serde_json::to_vec(body).map_err(|_| WechatError::Unreadable)
}

async fn receive(request: RequestBuilder) -> Result<Vec<u8>, WechatError> {
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

/// The first byte says whether an answer is JSON: the Content-Type may be `text/plain` all the same.
fn looks_like_json(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}

/// Reads a JSON answer, or the refusal that came instead.
pub(crate) fn read<T: DeserializeOwned>(service: Service, body: &[u8]) -> Result<T, WechatError> {
    if !looks_like_json(body) {
        return Err(WechatError::Unreadable);
    }
    let verdict: Verdict = serde_json::from_slice(body).map_err(|_| WechatError::Unreadable)?;
    if verdict.errcode != 0 {
        return Err(service.refused(verdict.errcode, &verdict.errmsg));
    }
    serde_json::from_slice(body).map_err(|_| WechatError::Unreadable)
}

/// Logs a failure where its request id is known; what only an operator can repair is an error, the rest passes.
fn note(service: Service, path: &str, error: &WechatError) {
    let refusal = error.refusal();
    let errcode = refusal.map(|refusal| refusal.errcode);
    let rid = refusal.and_then(|refusal| refusal.rid.as_deref());
    let name = service.name();
    match error {
        WechatError::Configuration(_) | WechatError::DataBug(_) | WechatError::Unreadable => {
            tracing::error!(wechat.path = path, wechat.errcode = errcode, wechat.rid = rid, "{name}: {error}");
        }
        WechatError::BadCode(_)
        | WechatError::SessionOver(_)
        | WechatError::NotSubscribed(_)
        | WechatError::NotSeenLately(_) => {
            tracing::info!(wechat.path = path, wechat.errcode = errcode, wechat.rid = rid, "{name}: {error}");
        }
        _ => tracing::warn!(wechat.path = path, wechat.errcode = errcode, wechat.rid = rid, "{name}: {error}"),
    }
}
