//! Access tokens, which every interface but signing in wants in its query.
//!
//! [`TokenCache`] keeps one and sees to it that it is asked for once at a time; WeCom uses it too. The one of WeChat comes
//! from 获取稳定版接口调用凭据 (`stable_token`), which gives the same token to everybody who asks while it is valid, so
//! several processes need not share anything. Next: [`Client::call_with_token`].

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::{Client, Refusal, SendFault, WechatError, exchange::json};
use crate::clock::{Clock, Instant};

const PATH: &str = "/cgi-bin/stable_token";

/// WeChat hands out the next token in the last five minutes of the old one, and both are good for that time.
const RENEWED_BEFORE: TimeDelta = TimeDelta::minutes(5);
/// Tencent promises 7200 s; an absurd answer must not reach the arithmetic of dates.
const LONGEST_LIFE_S: u32 = 7 * 24 * 3600;

/// What this process remembers about a token, behind a lock that also keeps requests for it down to one at a time.
#[derive(Debug)]
pub(crate) struct TokenCache {
    cached: Mutex<Cached>,
    failures: AtomicU64,
    renewed_before: TimeDelta,
}

#[derive(Debug, Default)]
struct Cached {
    token: Option<(SecretString, Instant)>,
    failure: Option<WechatError>,
}

/// A token as it is handed out.
#[derive(Deserialize)]
pub(crate) struct Issued {
    access_token: SecretString,
    expires_in: u32,
}

impl TokenCache {
    /// Tokens are asked for again `renewed_before` their end.
    pub(crate) fn new(renewed_before: TimeDelta) -> Self {
        Self { cached: Mutex::default(), failures: AtomicU64::default(), renewed_before }
    }

    /// The token from memory, or from `fetch`.
    ///
    /// Those who wait while another's request fails get that failure instead of each trying in turn, or else the last
    /// in the queue would wait for as many time-outs as there are people before it.
    pub(crate) async fn get(
        &self,
        clock: &Clock,
        fetch: impl Future<Output = Result<Issued, WechatError>>,
    ) -> Result<SecretString, WechatError> {
        let failures = self.failures.load(Ordering::Acquire);
        let mut cached = self.cached.lock().await;
        let asked_at = clock.now();
        if let Some((token, renew_at)) = &cached.token
            && asked_at < *renew_at
        {
            return Ok(token.clone());
        }
        if let Some(failure) = &cached.failure
            && self.failures.load(Ordering::Acquire) != failures
        {
            return Err(failure.clone());
        }
        // No token was sent, so what was not accepted here is our secret.
        match fetch.await.map_err(as_configuration) {
            Ok(issued) => {
                let life = TimeDelta::seconds(issued.expires_in.min(LONGEST_LIFE_S).into());
                // Counted from before the request, so that a slow answer makes us early and not late.
                cached.token = Some((issued.access_token.clone(), asked_at + life - self.renewed_before));
                cached.failure = None;
                Ok(issued.access_token)
            }
            Err(error) => {
                cached.failure = Some(error.clone());
                self.failures.fetch_add(1, Ordering::Release);
                Err(error)
            }
        }
    }

    /// Forgets `used`, unless another token has taken its place since: that one is not to blame.
    pub(crate) async fn evict(&self, used: &SecretString) {
        let mut cached = self.cached.lock().await;
        if cached.token.as_ref().is_some_and(|(token, _)| token.expose_secret() == used.expose_secret()) {
            cached.token = None;
        }
    }

    /// Makes a call with the token `get` yields, and exactly once more with a new one when the first is rejected
    /// (40001, 40014, 42001); without a limit, a wrong answer of the server would be repeated for ever.
    pub(crate) async fn call<T, Answer, Got>(
        &self,
        get: impl Fn() -> Got,
        call: impl Fn(SecretString) -> Answer,
    ) -> Result<T, WechatError>
    where
        Got: Future<Output = Result<SecretString, WechatError>>,
        Answer: Future<Output = Result<T, WechatError>>,
    {
        self.attempt(get, call).await.map_err(|fault| fault.error)
    }

    /// As [`Self::call`]; says of a failure whether it came before the call: what wants a token first, or a new one after
    /// its own was rejected, has not been done.
    pub(crate) async fn attempt<T, Answer, Got>(
        &self,
        get: impl Fn() -> Got,
        call: impl Fn(SecretString) -> Answer,
    ) -> Result<T, SendFault>
    where
        Got: Future<Output = Result<SecretString, WechatError>>,
        Answer: Future<Output = Result<T, WechatError>>,
    {
        let unsent = |error| SendFault { error, unsent: true };
        let sent = |error| SendFault { error, unsent: false };
        let token = get().await.map_err(unsent)?;
        let refusal = match call(token.clone()).await {
            Err(WechatError::TokenRejected(refusal)) => refusal,
            outcome => return outcome.map_err(sent),
        };
        self.evict(&token).await;
        let renewed = get().await.map_err(unsent)?;
        if renewed.expose_secret() == token.expose_secret() {
            alarm(&refusal);
        }
        call(renewed).await.map_err(sent)
    }
}

impl Default for TokenCache {
    fn default() -> Self {
        Self::new(RENEWED_BEFORE)
    }
}

fn as_configuration(error: WechatError) -> WechatError {
    match error {
        WechatError::TokenRejected(refusal) => WechatError::Configuration(refusal),
        other => other,
    }
}

#[derive(Serialize)]
struct Ask<'a> {
    grant_type: &'a str,
    appid: &'a str,
    secret: &'a str,
}

impl Client {
    /// The access token, from memory or from WeChat, with at least five minutes to live.
    pub async fn access_token(&self) -> Result<SecretString, WechatError> {
        self.token.get(&self.clock, self.fetch_token()).await
    }

    /// Never with `force_refresh`: it kills the token the other processes hold, and there are twenty a day.
    async fn fetch_token(&self) -> Result<Issued, WechatError> {
        let ask = Ask {
            grant_type: "client_credential",
            appid: &self.settings.app_id,
            secret: self.settings.secret.expose_secret(),
        };
        // Not sealed: there is nothing to seal with before there is a token.
        self.exchange.ask(PATH, self.exchange.post(PATH, json(&ask)?)).await
    }

    /// Makes a call with the access token, and exactly once more with a new one when WeChat rejects the first.
    pub async fn call_with_token<T, F, Answer>(&self, call: F) -> Result<T, WechatError>
    where
        F: Fn(SecretString) -> Answer,
        Answer: Future<Output = Result<T, WechatError>>,
    {
        self.token.call(|| self.access_token(), call).await
    }

    /// Whether WeChat knows us: for `doctor` and readiness. A token in memory is proof enough, so that frequent probes
    /// cost no quota.
    pub async fn reachable(&self) -> Result<(), WechatError> {
        self.access_token().await.map(drop)
    }
}

fn alarm(refusal: &Refusal) {
    tracing::error!(
        wechat.errcode = refusal.errcode,
        wechat.rid = refusal.rid,
        "The access token was rejected and then the same one was issued again"
    );
}
