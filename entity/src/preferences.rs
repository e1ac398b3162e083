//! What somebody likes: kept as JSON in their row, so that each wish has a default for those who never said.

use sea_orm::entity::prelude::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A language of the interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub enum PreferredLanguage {
    /// 简体中文
    #[default]
    #[serde(rename = "zh-CN")]
    ZhCn,
    /// English
    #[serde(rename = "en")]
    En,
}

/// How somebody likes the interface.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
#[schema(as = PreferencesView)]
pub struct Preferences {
    pub language: PreferredLanguage,
    /// Larger letters and fewer things on a page.
    pub large_text: bool,
    /// Speaking comes before typing.
    pub voice_first: bool,
    /// How one is told of things beside the inbox.
    pub channels: Channels,
}

impl Preferences {
    /// As they are kept; defaults where they do not read.
    #[must_use]
    pub fn of(stored: &Json) -> Self {
        serde_json::from_value(stored.clone()).unwrap_or_default()
    }
}

/// How somebody is told of things beside the inbox. Without either, what one must hear of is told by the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(default)]
#[schema(as = ChannelsView)]
pub struct Channels {
    /// Messages in `WeChat` that one agreed to.
    pub wechat: bool,
    /// Text messages.
    pub sms: bool,
}

impl Default for Channels {
    fn default() -> Self {
        Self { wechat: true, sms: true }
    }
}
