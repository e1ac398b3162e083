//! Subscribe messages: what a villager agreed to get in WeChat, by templates of the mini program.
//!
//! The page is 订阅消息, 发送订阅消息. There is no key that makes a repetition harmless: who gets no answer knows nothing, and
//! WeChat's own report (`subscribe_msg_sent_event`) is the only word on it; [`SendFault::left_the_house`] says which
//! failures are of that kind. Next: [`fields`] for the rules of the values.

pub mod fields;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Client, Outage, WechatError};

const PATH: &str = "/cgi-bin/message/subscribe/send";

/// A message as it leaves; its values keep the rules of [`fields`].
#[derive(Clone, Debug, Serialize)]
pub struct SubscribeMessage {
    /// Whom, by their openid.
    pub touser: String,
    /// By which template.
    pub template_id: String,
    /// The page that its card opens, with a query perhaps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Key of a field -> value.
    pub data: BTreeMap<String, Value>,
    /// Which version of the mini program the card opens.
    pub miniprogram_state: String,
    /// `zh_CN` or `en_US`: of WeChat's own words around it.
    pub lang: &'static str,
}

/// A value, as WeChat wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Value {
    /// The text.
    pub value: String,
}

/// Why a message did not go, or may not have gone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct SendFault {
    /// What went wrong.
    pub error: WechatError,
    /// The request had not begun: there was no access token.
    pub before: bool,
}

impl SendFault {
    /// Whether WeChat may have taken the message although no answer came.
    #[must_use]
    pub fn left_the_house(&self) -> bool {
        if self.before {
            return false;
        }
        match self.error {
            // Nobody was reached, or a gateway on the way said that it passes nothing on.
            WechatError::Transport(Outage::Unconnected | Outage::Status(400..=499 | 503)) => false,
            WechatError::Transport(_) | WechatError::Unreadable => true,
            _ => false,
        }
    }
}

#[derive(Deserialize)]
struct Taken {
    #[serde(default, deserialize_with = "number_as_text")]
    msgid: Option<String>,
}

/// A number of 64 bits that is in the answer of some accounts only.
fn number_as_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Option::<serde_json::Value>::deserialize(deserializer)? {
        Some(serde_json::Value::String(text)) => Some(text),
        Some(serde_json::Value::Number(number)) => Some(number.to_string()),
        _ => None,
    })
}

impl Client {
    /// Sends a message and says which number WeChat gave it, where it says so.
    ///
    /// # Errors
    /// Sorted by [`WechatError`]; see [`SendFault::left_the_house`] for those after which nobody knows.
    pub async fn send_subscribe_message(&self, message: &SubscribeMessage) -> Result<Option<String>, SendFault> {
        // Asked for first: what fails here has surely not gone.
        self.access_token().await.map_err(|error| SendFault { error, before: true })?;
        let taken = self.post_with_token::<Taken>(PATH, message).await;
        taken.map(|taken| taken.msgid).map_err(|error| SendFault { error, before: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wechat::Refusal;

    #[test]
    fn only_a_missing_answer_leaves_it_open_whether_it_went() {
        let fault = |error| SendFault { error, before: false };
        for outage in [Outage::TimedOut, Outage::Other, Outage::Status(500), Outage::Status(502)] {
            assert!(fault(WechatError::Transport(outage)).left_the_house(), "{outage:?}");
            assert!(!SendFault { error: WechatError::Transport(outage), before: true }.left_the_house());
        }
        assert!(fault(WechatError::Unreadable).left_the_house());
        for outage in [Outage::Unconnected, Outage::Status(412), Outage::Status(503)] {
            assert!(!fault(WechatError::Transport(outage)).left_the_house(), "{outage:?}");
        }
        let refusal = Refusal { errcode: 43101, rid: None };
        assert!(!fault(WechatError::NotSubscribed(refusal)).left_the_house());
    }

    #[test]
    fn a_number_of_the_message_is_read_as_it_comes() {
        let read = |text: &str| serde_json::from_str::<Taken>(text).unwrap().msgid;
        assert_eq!(read(r#"{"msgid": 2063483646487756803}"#).as_deref(), Some("2063483646487756803"));
        assert_eq!(read(r#"{"msgid": "17"}"#).as_deref(), Some("17"));
        assert_eq!(read("{}"), None);
    }
}
