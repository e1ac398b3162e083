//! Content security: whether a text, a picture or a recording may be shown to others.
//!
//! The pages are 小程序安全, 内容安全 (`msgSecCheck` and `mediaCheckAsync`, version 2): a text is answered at once, a file
//! by an event within half an hour. Both want the openid of somebody who was here within two hours. Next:
//! [`crate::content`], which decides what becomes of the answer.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Client, Invalid, WechatError};

const TEXT: &str = "/wxa/msg_sec_check";
const MEDIA: &str = "/wxa/media_check_async";
/// The longest text of one question.
pub const CONTENT_CHARS: usize = 2500;
/// The version of both interfaces that tells what it found.
const VERSION: u8 = 2;

/// Where the words will stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// 资料
    Profile = 1,
    /// 评论
    Comment = 2,
    /// 论坛
    Forum = 3,
    /// 社交日志
    SocialLog = 4,
}

/// What is advised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suggest {
    /// Nothing is wrong with it.
    Pass,
    /// A person should look; also whatever word comes that we do not know.
    Review,
    /// It should not be shown.
    Risky,
}

impl Suggest {
    /// As a word of WeChat's.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Review => "review",
            Self::Risky => "risky",
        }
    }

    /// A word of WeChat's, which is not always one we know.
    #[must_use]
    pub fn of(word: &str) -> Self {
        match word {
            "pass" => Self::Pass,
            "risky" => Self::Risky,
            _ => Self::Review,
        }
    }
}

/// A text to be judged.
#[derive(Clone, Serialize)]
pub struct TextQuestion<'a> {
    version: u8,
    openid: &'a str,
    scene: u8,
    content: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
}

impl<'a> TextQuestion<'a> {
    /// A text of 1 to 2500 characters by this user.
    ///
    /// # Errors
    /// Where it is empty or longer.
    pub fn new(openid: &'a str, scene: Scene, content: &'a str) -> Result<Self, Invalid> {
        if !(1..=CONTENT_CHARS).contains(&content.chars().count()) {
            return Err(Invalid("content: 1 to 2500 characters"));
        }
        Ok(Self { version: VERSION, openid, scene: scene as u8, content, title: None })
    }

    /// What stands above it.
    #[must_use]
    pub fn titled(mut self, title: &'a str) -> Self {
        self.title = Some(title).filter(|title| !title.is_empty());
        self
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextVerdict {
    /// What is advised.
    pub suggest: Suggest,
    /// 100 where nothing is wrong.
    pub label: i64,
    /// What each strategy found, without the words that it found.
    pub detail: Vec<Value>,
    /// By which WeChat finds the question again.
    pub trace_id: String,
}

#[derive(Deserialize)]
struct Answered {
    result: Found,
    #[serde(default)]
    detail: Vec<Value>,
    #[serde(default)]
    trace_id: String,
}

#[derive(Deserialize)]
struct Found {
    suggest: String,
    #[serde(default, deserialize_with = "text_or_number")]
    label: i64,
}

/// Labels are numbers on the page, and texts at times.
fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_i64().unwrap_or_default(),
        Value::String(text) => text.trim().parse().unwrap_or_default(),
        _ => 0,
    })
}

impl From<Answered> for TextVerdict {
    fn from(answered: Answered) -> Self {
        let mut detail = answered.detail;
        for strategy in &mut detail {
            if let Some(strategy) = strategy.as_object_mut() {
                // A piece of somebody's words: it is kept nowhere but where the words are.
                strategy.remove("keyword");
            }
        }
        detail.truncate(20);
        Self {
            suggest: Suggest::of(&answered.result.suggest),
            label: answered.result.label,
            detail,
            trace_id: answered.trace_id,
        }
    }
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// A recording.
    Audio = 1,
    /// A picture.
    Picture = 2,
}

/// A file to be judged.
#[derive(Clone, Serialize)]
pub struct MediaQuestion<'a> {
    version: u8,
    openid: &'a str,
    scene: u8,
    media_url: &'a str,
    media_type: u8,
}

impl<'a> MediaQuestion<'a> {
    /// A file of this user that WeChat can fetch.
    ///
    /// # Errors
    /// Where the address is none of the web.
    pub fn new(openid: &'a str, scene: Scene, media: Media, media_url: &'a str) -> Result<Self, Invalid> {
        if !media_url.starts_with("https://") && !media_url.starts_with("http://") {
            return Err(Invalid("media_url: an address of the web"));
        }
        Ok(Self { version: VERSION, openid, scene: scene as u8, media_url, media_type: media as u8 })
    }
}

#[derive(Deserialize)]
struct Taken {
    trace_id: String,
}

impl Client {
    /// Has a text judged. A user who was not here lately is [`WechatError::NotSeenLately`].
    pub async fn check_text(&self, question: &TextQuestion<'_>) -> Result<TextVerdict, WechatError> {
        Ok(self.post_with_token::<Answered>(TEXT, question).await?.into())
    }

    /// Has a file judged; the answer is the trace by which the event will name it.
    pub async fn check_media(&self, question: &MediaQuestion<'_>) -> Result<String, WechatError> {
        Ok(self.post_with_token::<Taken>(MEDIA, question).await?.trace_id)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn verdict(answer: Value) -> TextVerdict {
        serde_json::from_value::<Answered>(answer).unwrap().into()
    }

    #[test]
    fn an_answer_is_read_with_labels_of_either_kind_and_without_the_words_it_found() {
        let answer = |label: Value| {
            json!({
                "result": {"suggest": "risky", "label": label},
                "detail": [{"strategy": "keyword", "errcode": 0, "keyword": "坏话", "level": 90}, {"strategy": "x", "errcode": 0}],
                "trace_id": "t",
            })
        };
        let expected = TextVerdict {
            suggest: Suggest::Risky,
            label: 20003,
            detail: vec![
                json!({"strategy": "keyword", "errcode": 0, "level": 90}),
                json!({"strategy": "x", "errcode": 0}),
            ],
            trace_id: "t".to_owned(),
        };
        assert_eq!(verdict(answer(json!(20003))), expected);
        assert_eq!(verdict(answer(json!("20003"))), expected);
    }

    #[test]
    fn a_word_that_nobody_knows_is_for_a_person() {
        assert_eq!(verdict(json!({"result": {"suggest": "perhaps"}})).suggest, Suggest::Review);
        assert_eq!(Suggest::of(""), Suggest::Review);
        assert!(serde_json::from_value::<Answered>(json!({"errcode": 0})).is_err(), "an answer of the first version");
    }

    #[test]
    fn what_wechat_would_not_take_is_not_asked() {
        for content in [String::new(), "村".repeat(2501)] {
            assert!(TextQuestion::new("o", Scene::Forum, &content).is_err());
        }
        let question =
            serde_json::to_value(TextQuestion::new("o", Scene::Forum, "路灯").unwrap().titled("灯")).unwrap();
        assert_eq!(question, json!({"version": 2, "openid": "o", "scene": 3, "content": "路灯", "title": "灯"}));
        assert!(MediaQuestion::new("o", Scene::Forum, Media::Picture, "file:///x").is_err());
        let question = MediaQuestion::new("o", Scene::Forum, Media::Audio, "https://x/y").unwrap();
        let expected = json!({"version": 2, "openid": "o", "scene": 3, "media_url": "https://x/y", "media_type": 1});
        assert_eq!(serde_json::to_value(question).unwrap(), expected);
    }
}
