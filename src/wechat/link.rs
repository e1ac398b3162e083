//! Links that open the mini program from a text message or a browser.
//!
//! The page is 小程序码与小程序链接, 获取加密 URL Link (`generateUrlLink`); short links are for shops only, these are for
//! everybody. Next: [`super::mini_code`], for walls and paper.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{Client, Invalid, Version, WechatError};
use crate::clock::Instant;

const PATH: &str = "/wxa/generate_urllink";
const QUERY_CHARS: usize = 1024;
/// Our limit, as for codes.
const PAGE_CHARS: usize = 256;
const LONGEST_DAYS: u8 = 30;

/// When a link ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkEnd {
    /// At this instant, at most thirty days ahead.
    At(Instant),
    /// After so many days, 1 to 30.
    InDays(u8),
}

/// The order for a link, checked when it is made.
#[derive(Clone, Debug, Serialize)]
pub struct UrlLink {
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    expire_type: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    expire_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expire_interval: Option<u8>,
    env_version: Version,
}

impl UrlLink {
    /// A link to the first page that ends at `end`; `now` is for checking that.
    pub fn new(end: LinkEnd, now: Instant) -> Result<Self, Invalid> {
        let (expire_type, expire_time, expire_interval) = match end {
            LinkEnd::At(end) if end > now && end - now <= TimeDelta::days(LONGEST_DAYS.into()) => {
                (0, Some(end.timestamp()), None)
            }
            LinkEnd::At(_) => return Err(Invalid("end: within the next thirty days")),
            LinkEnd::InDays(days) if (1..=LONGEST_DAYS).contains(&days) => (1, None, Some(days)),
            LinkEnd::InDays(_) => return Err(Invalid("end: 1 to 30 days")),
        };
        Ok(Self { path: None, query: None, expire_type, expire_time, expire_interval, env_version: Version::Release })
    }

    /// Opens `path`, a page of the published version, with `query` (at most 1024 characters, without a question mark
    /// in front, percent-encoded where it is not ASCII).
    pub fn page(mut self, path: &str, query: &str) -> Result<Self, Invalid> {
        let visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if !(1..=PAGE_CHARS).contains(&path.len()) || !visible(path) || path.contains(['?', '#']) {
            return Err(Invalid("path: a page, without a query"));
        }
        if query.len() > QUERY_CHARS || !visible(query) || query.starts_with('?') {
            return Err(Invalid("query: at most 1024 visible ASCII characters"));
        }
        self.path = Some(path.to_owned());
        self.query = (!query.is_empty()).then(|| query.to_owned());
        Ok(self)
    }

    /// Another version than the published one.
    #[must_use]
    pub fn version(mut self, version: Version) -> Self {
        self.env_version = version;
        self
    }
}

#[derive(Deserialize)]
struct Made {
    url_link: String,
}

impl Client {
    /// Has WeChat make a link, such as `https://wxaurl.cn/...`.
    pub async fn url_link(&self, order: &UrlLink) -> Result<String, WechatError> {
        Ok(self.post_with_token::<Made>(PATH, order).await?.url_link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_end_within_thirty_days_and_have_a_plain_query() {
        let now = Instant::UNIX_EPOCH;
        for end in [
            LinkEnd::InDays(0),
            LinkEnd::InDays(31),
            LinkEnd::At(now),
            LinkEnd::At(now + TimeDelta::days(30) + TimeDelta::seconds(1)),
        ] {
            assert!(UrlLink::new(end, now).is_err(), "{end:?}");
        }
        let order = UrlLink::new(LinkEnd::At(now + TimeDelta::days(30)), now).unwrap();
        for (path, query) in [("", ""), ("a?b", ""), ("a", "?b=1"), ("a", "b=村"), ("a", &"b".repeat(1025))] {
            assert!(order.clone().page(path, query).is_err(), "{path} {query}");
        }
        assert_eq!(
            serde_json::to_string(&order.page("pages/case", "id=1").unwrap()).unwrap(),
            r#"{"path":"pages/case","query":"id=1","expire_type":0,"expire_time":2592000,"env_version":"release"}"#
        );
    }
}
