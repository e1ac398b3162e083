//! Subscribe messages: what a villager agreed to get in WeChat, by templates of the mini program.
//!
//! The page is 订阅消息, 发送订阅消息. There is no key that makes a repetition harmless: who gets no answer knows nothing, and
//! WeChat's own report (`subscribe_msg_sent_event`) is the only word on it; [`SendFault::may_have_arrived`] says which
//! failures are of that kind. Next: [`fields`] for the rules of the values.

pub mod fields;

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Client, SendFault, exchange::json};

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
    /// Sorted by [`super::WechatError`]; see [`SendFault::may_have_arrived`] for those after which nobody knows.
    pub async fn send_subscribe_message(&self, message: &SubscribeMessage) -> Result<Option<String>, SendFault> {
        let body = json(message).map_err(|error| SendFault { error, unsent: true })?;
        let send = async |token: SecretString| self.exchange.ask(PATH, self.sealed_post(PATH, &body, &token)).await;
        let taken: Taken = self.token.attempt(|| self.access_token(), send).await?;
        Ok(taken.msgid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_the_message_is_read_as_it_comes() {
        let read = |text: &str| serde_json::from_str::<Taken>(text).unwrap().msgid;
        assert_eq!(read(r#"{"msgid": 2063483646487756803}"#).as_deref(), Some("2063483646487756803"));
        assert_eq!(read(r#"{"msgid": "17"}"#).as_deref(), Some("17"));
        assert_eq!(read("{}"), None);
    }
}
