//! Messages of the application to members: 发送应用消息.
//!
//! A member takes 30 messages a minute and 1000 an hour from all applications together, and what is more vanishes without
//! a word; whoever sends keeps far below. The same text to the same members within the half hour is dropped by WeCom
//! (`enable_duplicate_check`), so that a message without an answer may be sent again; another message has to differ in its
//! text. Next: [`super::Robots`].

use serde::{Deserialize, Serialize};

use super::Client;
use crate::wechat::WechatError;

const PATH: &str = "/cgi-bin/message/send";
/// Members of one message.
pub const MOST_AT_ONCE: usize = 1000;
/// Bytes of a text; WeCom cuts what is longer.
const TEXT_BYTES: usize = 2048;
/// For how long WeCom drops repetitions.
const DROPPED_WITHIN_S: u32 = 1800;

/// A text for members.
#[derive(Clone, Debug)]
pub struct WecomText<'a> {
    /// Whom, by their userids; at most [`MOST_AT_ONCE`].
    pub members: &'a [String],
    /// What.
    pub text: &'a str,
}

#[derive(Serialize)]
struct Ask<'a> {
    touser: String,
    msgtype: &'static str,
    agentid: u64,
    text: Content<'a>,
    enable_duplicate_check: u8,
    duplicate_check_interval: u32,
}

#[derive(Serialize)]
pub(super) struct Content<'a> {
    pub(super) content: &'a str,
}

/// Members the message did not reach, in lower case as WeCom answers them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unreached(Vec<String>);

impl Unreached {
    /// Whether this member is one of them.
    #[must_use]
    pub fn has(&self, member: &str) -> bool {
        self.0.contains(&member.to_lowercase())
    }
}

#[derive(Deserialize)]
struct Sent {
    #[serde(default)]
    invaliduser: String,
    #[serde(default)]
    unlicenseduser: String,
}

/// The text, cut to so many bytes at a whole character.
pub(super) fn within(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes.min(text.len()))).unwrap_or_default()
}

impl Client {
    /// Sends a text and says whom it did not reach; where it reached nobody, WeCom refuses it (81013). Whoever was sent the
    /// same within the last half hour is not sent it again, and WeCom does not say so.
    pub async fn send_text(&self, message: WecomText<'_>) -> Result<Unreached, WechatError> {
        let ask = Ask {
            touser: message.members.join("|"),
            msgtype: "text",
            agentid: self.settings.agent_id.parse().unwrap_or_default(),
            text: Content { content: within(message.text, TEXT_BYTES) },
            enable_duplicate_check: 1,
            duplicate_check_interval: DROPPED_WITHIN_S,
        };
        let sent: Sent = self.post_with_token(PATH, &ask).await?;
        let names = sent.invaliduser.split('|').chain(sent.unlicenseduser.split('|'));
        Ok(Unreached(names.filter(|name| !name.is_empty()).map(str::to_lowercase).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_whole_characters_and_names_compare_without_case() {
        assert_eq!(within("村村通", 7), "村村");
        assert_eq!(within("abc", 2048), "abc");
        let unreached = Unreached(vec!["zhang.san".to_owned()]);
        assert!(unreached.has("Zhang.San") && !unreached.has("li.si"));
    }
}
