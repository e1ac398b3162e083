//! Signing in: a code of `wx.login` becomes the identity WeChat knows the villager by.
//!
//! The page is 微信小程序服务端 API, 小程序登录凭证校验 (`code2Session`); a code lives five minutes and is good for one
//! use. Next: [`super::session`].

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{Client, WechatError};

const PATH: &str = "/sns/jscode2session";

/// Who signed in. Its `Debug` shows nothing that identifies a person.
#[derive(Clone, Deserialize)]
pub struct Session {
    /// The villager in this mini program: 28 characters that start with `o`.
    pub openid: String,
    /// The villager in all programs of one Open Platform account; absent while the mini program belongs to none.
    pub unionid: Option<String>,
    /// The key of this sign-in (base64 of 16 bytes); it must never reach the client (开放数据校验与解密).
    pub session_key: SecretString,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Client {
    /// Exchanges a code of `wx.login` for a session; asks once more when WeChat is busy.
    ///
    /// A code that is unknown, used or over is [`WechatError::BadCode`].
    pub async fn code_to_session(&self, code: &str) -> Result<Session, WechatError> {
        let query = [
            ("appid", self.settings.app_id.as_str()),
            ("secret", self.settings.secret.expose_secret()),
            ("js_code", code),
            ("grant_type", "authorization_code"),
        ];
        self.exchange.ask(PATH, self.exchange.get(PATH, &query)).await
    }
}
