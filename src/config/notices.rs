//! `notices.*`: when and how people are told beside the inbox.
//!
//! Templates of subscribe messages stand here with what goes into their fields, so that a wrong one is found at the start
//! and not at the first villager. Next: [`crate::notices`].

use std::collections::BTreeMap;

use chrono::NaiveTime;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::Config;
use crate::wechat_sim::is_key;

/// `notices.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notices {
    /// Local time from which nothing leaves the house.
    pub quiet_from: String,
    /// Local time until which nothing does.
    pub quiet_until: String,
    /// Minutes over which what waited for the morning is spread.
    pub spread_minutes: u32,
    /// Somebody who used the app within so many days reads the inbox.
    pub seen_within_days: u32,
    /// Seconds that a message without an answer is waited for.
    pub unknown_after_s: u32,
    /// More than so many messages within `together_within_s` become one.
    pub together_over: u32,
    /// Seconds.
    pub together_within_s: u32,
    /// Messages to villagers that one process starts in a minute.
    pub per_minute: u32,
    /// Which version of the mini program a message opens: `formal`, `trial` or `developer`.
    pub miniprogram_state: String,
    /// Templates of subscribe messages.
    #[serde(default)]
    pub templates: Vec<NoticeTemplate>,
    /// Statistical code of a place -> key of the robot in its staff's group.
    #[serde(default)]
    pub robots: BTreeMap<String, SecretString>,
}

/// `notices.templates`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeTemplate {
    /// What it is for: one of [`PURPOSES`].
    pub purpose: String,
    /// 43 characters, as the console shows it.
    pub id: String,
    /// Whether one consent is for many messages.
    #[serde(default)]
    pub long_term: bool,
    /// The page it opens, with `{case}`, `{booking}` or `{notice}` in it; empty: the card opens nothing.
    #[serde(default)]
    pub page: String,
    /// Key of a field -> what stands in it, with any of [`PLACEHOLDERS`].
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
}

/// What templates are for: progress of cases, talk days, anything else.
pub const PURPOSES: [&str; 3] = ["progress", "talk_day", "general"];
/// What a field may hold: a heading, the number of the case, a word for its state, when it happened, the time it is about,
/// the whole sentence, how many there are.
pub const PLACEHOLDERS: [&str; 7] = ["title", "number", "state", "at", "when", "text", "count"];
/// What an address may hold.
const IN_PAGES: [&str; 3] = ["case", "booking", "notice"];

impl Notices {
    /// The quiet hours, when they can be read.
    #[must_use]
    pub fn quiet_hours(&self) -> Option<(NaiveTime, NaiveTime)> {
        let read = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").ok();
        Some((read(&self.quiet_from)?, read(&self.quiet_until)?))
    }
}

impl Config {
    /// Names what would only fail at the first message.
    pub(super) fn check_notices(&self, faults: &mut Vec<String>) {
        let mut wrong = |text: String| faults.push(text);
        let notices = &self.notices;
        if notices.quiet_hours().is_none_or(|(from, until)| from < until) {
            wrong(
                "notices.quiet_from and quiet_until must be HH:MM, from the evening to the morning; equal: none"
                    .to_owned(),
            );
        }
        if notices.together_over == 0 || notices.per_minute == 0 || notices.unknown_after_s == 0 {
            wrong("notices.together_over, per_minute and unknown_after_s must be 1 or more".to_owned());
        }
        if notices.spread_minutes > 240 || notices.seen_within_days > 365 || notices.together_within_s > 86_400 {
            wrong("notices.spread_minutes: at most 240; seen_within_days: 365; together_within_s: 86400".to_owned());
        }
        if !["formal", "trial", "developer"].contains(&notices.miniprogram_state.as_str()) {
            wrong("notices.miniprogram_state must be formal, trial or developer".to_owned());
        }
        for (place, key) in &notices.robots {
            let is_code = place.len() == 12 && place.bytes().all(|byte| byte.is_ascii_digit());
            if !is_code || key.expose_secret().is_empty() {
                wrong("notices.robots: the 12 digits of a place = the key of its group's robot".to_owned());
            }
        }
        for (at, template) in notices.templates.iter().enumerate() {
            let twice = notices.templates.iter().take(at).any(|other| other.id == template.id);
            faults.extend(template.faults(twice));
        }
    }
}

impl NoticeTemplate {
    fn faults(&self, twice: bool) -> Vec<String> {
        let mut faults = Vec::new();
        let mut wrong = |text: &str| faults.push(format!("notices.templates ({}): {text}", self.id));
        let of_an_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if self.id.len() != 43 || !self.id.bytes().all(of_an_id) {
            wrong("id must be the 43 characters of the console");
        }
        if twice {
            wrong("this id stands there twice");
        }
        if !PURPOSES.contains(&self.purpose.as_str()) {
            wrong("purpose must be progress, talk_day or general");
        }
        if self.fields.is_empty() || !self.fields.keys().all(|key| is_key(key)) {
            wrong("fields need keys such as thing1 or time2");
        }
        if self.page.starts_with('/') || !known(&self.page, &IN_PAGES) {
            wrong("page must have no slash in front, and no placeholder but {case}, {booking} and {notice}");
        }
        if !self.fields.values().all(|text| known(text, &PLACEHOLDERS)) {
            wrong("fields hold only {title}, {number}, {state}, {at}, {when}, {text} and {count}");
        }
        faults
    }
}

/// Whether every `{word}` of a text is one of these.
fn known(text: &str, words: &[&str]) -> bool {
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('{') {
        let Some((word, after)) = behind.split_once('}') else { return false };
        if !words.contains(&word) {
            return false;
        }
        rest = after;
    }
    !rest.contains('}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    #[test]
    fn wrong_templates_and_hours_are_found_at_the_start() {
        type Change = fn(&mut Notices);
        let changes: [(Change, &str); 11] = [
            (|notices| notices.templates[0].id = "short".to_owned(), "43 characters"),
            (|notices| notices.templates[1].id = notices.templates[0].id.clone(), "twice"),
            (|notices| notices.templates[0].purpose = "spam".to_owned(), "purpose"),
            (|notices| drop(notices.templates[0].fields.insert("thing".to_owned(), "x".to_owned())), "fields need"),
            (|notices| drop(notices.templates[0].fields.insert("thing9".to_owned(), "{nam}".to_owned())), "hold only"),
            (|notices| drop(notices.templates[0].fields.insert("thing9".to_owned(), "{title".to_owned())), "hold only"),
            (|notices| notices.templates[0].page = "/pages/case".to_owned(), "slash"),
            (|notices| notices.templates[0].page = "pages/case?id={person}".to_owned(), "placeholder"),
            (|notices| notices.quiet_from = "9 pm".to_owned(), "quiet_from"),
            (|notices| notices.miniprogram_state = "release".to_owned(), "miniprogram_state"),
            (|notices| drop(notices.robots.insert("碑庙镇".to_owned(), "key".into())), "notices.robots"),
        ];
        for (change, told) in changes {
            let mut config = Config::of_files(Environment::Test).unwrap();
            change(&mut config.notices);
            let fault = config.check().unwrap_err().to_string();
            assert!(fault.contains(told), "{told}: {fault}");
        }
    }
}
