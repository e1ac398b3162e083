//! Whether a villager's session key still holds.
//!
//! The page is 小程序登录, 检验登录态 (`checkSessionKey`); the key never travels, a signature with it does. Next:
//! [`super::open_data`], for which a session key is kept.

use secrecy::{ExposeSecret, SecretString};

use super::{Client, WechatError, open_data};

const PATH: &str = "/wxa/checksession";

impl Client {
    /// Whether `session_key` is the one WeChat has for `openid` now; if not, the villager signs in anew.
    pub async fn check_session(&self, openid: &str, session_key: &SecretString) -> Result<bool, WechatError> {
        let signature = open_data::session_signature(session_key, "");
        let ask = async |token: SecretString| {
            let query = [
                ("access_token", token.expose_secret()),
                ("openid", openid),
                ("signature", &signature),
                ("sig_method", "hmac_sha256"),
            ];
            self.exchange.ask::<serde::de::IgnoredAny>(PATH, self.exchange.get(PATH, &query)).await
        };
        match self.call_with_token(ask).await {
            Ok(_) => Ok(true),
            Err(WechatError::SessionOver(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
