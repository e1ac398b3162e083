//! Robots of groups: 群机器人. Whoever knows the key may speak, so the key is a secret; 20 messages a minute.

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::messages::{Content, within};
use crate::wechat::{
    ANSWER_WITHIN, WechatError,
    exchange::{Exchange, Service, json},
};

const PATH: &str = "/cgi-bin/webhook/send";
/// Bytes of a text.
const TEXT_BYTES: usize = 2048;

/// The way to robots; it needs no account of an organisation. Clones share connections.
#[derive(Clone, Debug)]
pub struct Robots(Exchange);

#[derive(Serialize)]
struct Ask<'a> {
    msgtype: &'static str,
    text: Content<'a>,
}

impl Robots {
    /// At the server of WeCom. Fails when an `https` base URL meets a machine without CA certificates.
    pub fn new(base_url: &str) -> Result<Self, reqwest::Error> {
        Ok(Self(Exchange::new(Service::WeCom, base_url, ANSWER_WITHIN)?))
    }

    /// Says something in the group of the robot that has this key.
    pub async fn say(&self, key: &SecretString, text: &str) -> Result<(), WechatError> {
        let body = json(&Ask { msgtype: "text", text: Content { content: within(text, TEXT_BYTES) } })?;
        let request = self.0.post(PATH, body).query(&[("key", key.expose_secret())]);
        self.0.ask::<serde::de::IgnoredAny>(PATH, request).await.map(drop)
    }
}
