//! The access token, which every interface but signing in wants in its query.
//!
//! It comes from 获取稳定版接口调用凭据 (`stable_token`), which gives the same token to everybody who asks while it is
//! valid, so several processes need not share anything. Next: [`Client::call_with_token`], by which the other
//! capabilities make their calls.

use std::sync::atomic::Ordering;

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{Client, Refusal, WechatError};
use crate::clock::Instant;

const PATH: &str = "/cgi-bin/stable_token";

/// WeChat hands out the next token in the last five minutes of the old one, and both are good for that time.
const RENEWED_BEFORE: TimeDelta = TimeDelta::minutes(5);
/// WeChat promises 7200 s; an absurd answer must not reach the arithmetic of dates.
const LONGEST_LIFE_S: u32 = 7 * 24 * 3600;

/// What this process remembers about the token, behind a lock that also keeps requests for it down to one at a time.
#[derive(Debug, Default)]
pub(super) struct Cached {
    token: Option<(SecretString, Instant)>,
    failure: Option<WechatError>,
}

#[derive(Serialize)]
struct Ask<'a> {
    grant_type: &'a str,
    appid: &'a str,
    secret: &'a str,
}

#[derive(Deserialize)]
struct Issued {
    access_token: SecretString,
    expires_in: u32,
}

impl Client {
    /// The access token, from memory or from WeChat, with at least five minutes to live.
    ///
    /// Those who wait while another's request fails get that failure instead of each trying in turn, or else the last
    /// in the queue would wait for as many time-outs as there are people before it.
    pub async fn access_token(&self) -> Result<SecretString, WechatError> {
        let failures = self.token_failures.load(Ordering::Acquire);
        let mut cached = self.token.lock().await;
        let asked_at = self.clock.now();
        if let Some((token, renew_at)) = &cached.token
            && asked_at < *renew_at
        {
            return Ok(token.clone());
        }
        if let Some(failure) = &cached.failure
            && self.token_failures.load(Ordering::Acquire) != failures
        {
            return Err(failure.clone());
        }
        match self.fetch_token().await {
            Ok(issued) => {
                let life = TimeDelta::seconds(issued.expires_in.min(LONGEST_LIFE_S).into());
                // Counted from before the request, so that a slow answer makes us early and not late.
                cached.token = Some((issued.access_token.clone(), asked_at + life - RENEWED_BEFORE));
                cached.failure = None;
                Ok(issued.access_token)
            }
            Err(error) => {
                cached.failure = Some(error.clone());
                self.token_failures.fetch_add(1, Ordering::Release);
                Err(error)
            }
        }
    }

    /// Never with `force_refresh`: it kills the token the other processes hold, and there are twenty a day.
    async fn fetch_token(&self) -> Result<Issued, WechatError> {
        let ask = Ask {
            grant_type: "client_credential",
            appid: &self.settings.app_id,
            secret: self.settings.secret.expose_secret(),
        };
        // No token was sent, so what WeChat did not accept here is our secret.
        self.ask_patiently(PATH, self.post(PATH, &ask)?).await.map_err(|error| match error {
            WechatError::TokenRejected(refusal) => WechatError::Configuration(refusal),
            other => other,
        })
    }

    /// Forgets `used`, unless another token has taken its place since: that one is not to blame.
    pub async fn evict(&self, used: &SecretString) {
        let mut cached = self.token.lock().await;
        if cached.token.as_ref().is_some_and(|(token, _)| token.expose_secret() == used.expose_secret()) {
            cached.token = None;
        }
    }

    /// Makes a call with the access token, and exactly once more with a new one when WeChat rejects the first
    /// (40001, 40014, 42001); without a limit, a wrong answer of WeChat would be repeated for ever.
    pub async fn call_with_token<T, F, Answer>(&self, call: F) -> Result<T, WechatError>
    where
        F: Fn(SecretString) -> Answer,
        Answer: Future<Output = Result<T, WechatError>>,
    {
        let token = self.access_token().await?;
        let refusal = match call(token.clone()).await {
            Err(WechatError::TokenRejected(refusal)) => refusal,
            outcome => return outcome,
        };
        self.evict(&token).await;
        let renewed = self.access_token().await?;
        if renewed.expose_secret() == token.expose_secret() {
            alarm(&refusal);
        }
        call(renewed).await
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
        "WeChat rejected the access token and then issued the same one again"
    );
}
