//! What is said by which way: sentences, fields of a template, a text message, what somebody says on the phone.
//!
//! Of confidential cases and private matters only the app says more than that there is something (privacy, 5). Pure.

use std::{collections::BTreeMap, fmt::Write as _};

use entity::{Instant, notice};
use rust_i18n::t;
use serde_json::Value;

use super::kinds::{self, Purpose};
use crate::{
    clock::china,
    config::NoticeTemplate,
    problem::Language,
    wechat::subscribe::{
        Value as FieldValue,
        fields::{Unfit, fit},
    },
};

/// The longest text that is handed to a gateway, in characters.
const SMS_CHARS: usize = 300;

/// The sentence of a notice.
#[must_use]
pub fn sentence(kind: &str, params: &Value, language: Language) -> String {
    filled(&t!(format!("notice.{kind}"), locale = language.tag()), params)
}

/// A sentence of the locale files with its texts in it, each put in once. Nobody reads a placeholder: what was not given is
/// an ellipsis.
pub(super) fn filled(sentence: &str, params: &Value) -> String {
    let mut text = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some((before, behind)) = rest.split_once("%{") {
        let (name, after) = behind.split_once('}').unwrap_or((behind, ""));
        text.push_str(before);
        text.push_str(params.get(name).and_then(Value::as_str).unwrap_or_else(|| {
            tracing::error!(notice.param = name, sentence, "a sentence is not given what it names");
            "…"
        }));
        rest = after;
    }
    text.push_str(rest);
    text
}

/// Notices that are told at once: the one that goes, and those that go with it.
#[derive(Clone)]
pub(super) struct Told {
    /// The oldest first; none where all were read meanwhile, and then nothing is said.
    pub(super) notices: Vec<notice::Model>,
    /// Nothing of what it is about may be said outside.
    pub(super) discreet: bool,
    pub(super) language: Language,
}

impl Told {
    fn only(&self) -> Option<&notice::Model> {
        if self.notices.len() == 1 { self.notices.first() } else { None }
    }

    fn say(&self, key: &str) -> String {
        let count = self.notices.len();
        t!(format!("told.{key}"), locale = self.language.tag(), count = count).into_owned()
    }

    /// One line about all of it.
    pub(super) fn summary(&self) -> String {
        match self.only() {
            Some(_) if self.discreet => self.say("discreet"),
            Some(one) => sentence(&one.kind, &one.params, self.language),
            None => self.say("together"),
        }
    }

    /// What the fields of a template hold.
    ///
    /// # Errors
    /// [`Unfit`] where the configuration asks for a word that no list has.
    pub(super) fn data(&self, template: &NoticeTemplate) -> Result<BTreeMap<String, FieldValue>, Unfit> {
        let newest = self.notices.last();
        let at = newest.map_or_else(Instant::default, |newest| newest.created_at);
        let open = self.only().filter(|_| !self.discreet);
        let param = |name: &str| {
            let value = open.and_then(|one| one.params.get(name)).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let kind = open.map(|one| kinds::of(&one.kind));
        let title = match kind.map(|kind| kind.purpose) {
            _ if self.only().is_none() => self.say("title.together"),
            Some(Purpose::Progress) => self.say("title.progress"),
            Some(Purpose::Talk) => self.say("title.talk"),
            Some(Purpose::General) => self.say("title.general"),
            None => self.say("title.discreet"),
        };
        let values = [
            ("title", title),
            ("number", param("number")),
            ("state", kind.map_or("新消息", |kind| kind.state).to_owned()),
            ("at", at.with_timezone(&china()).format("%Y年%-m月%-d日 %H:%M").to_string()),
            ("when", param("when")),
            ("text", self.summary()),
            ("count", self.notices.len().to_string()),
        ];
        let fields = template.fields.iter().map(|(key, pattern)| {
            let text = put_in(pattern, &values);
            Ok((key.clone(), FieldValue { value: fit(key, &text, at)? }))
        });
        fields.collect()
    }

    /// The page that a template opens; none when it is about something that this is not.
    pub(super) fn page(&self, template: &NoticeTemplate) -> Option<String> {
        let one = self.only();
        let id = |id: Option<uuid::Uuid>| id.map(|id| id.to_string());
        let values = [
            ("case", one.and_then(|one| id(one.case_id.map(|case| case.0)))),
            ("booking", one.and_then(|one| id(one.booking_id.map(|booking| booking.0)))),
            ("notice", one.map(|one| one.id.to_string())),
        ];
        let asked = |name: &str| template.page.contains(&format!("{{{name}}}"));
        if template.page.is_empty() || values.iter().any(|(name, value)| asked(name) && value.is_none()) {
            return None;
        }
        let values = values.map(|(name, value)| (name, value.unwrap_or_default()));
        Some(put_in(&template.page, &values))
    }

    /// A text message.
    pub(super) fn sms(&self) -> String {
        let mut text = self.summary();
        if self.only().is_none() && !self.discreet {
            for (at, one) in self.notices.iter().enumerate() {
                let _ = write!(text, " {}. {}", at + 1, sentence(&one.kind, &one.params, self.language));
            }
        }
        if text.chars().count() <= SMS_CHARS {
            return text;
        }
        text.chars().take(SMS_CHARS - 1).chain(['…']).collect()
    }
}

/// A pattern with its values, each put in once: what a value says is never read as a placeholder.
fn put_in(pattern: &str, values: &[(&str, String)]) -> String {
    let mut text = String::new();
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else { break };
        text.push_str(before);
        let value = values.iter().find(|(known, _)| *known == name);
        text.push_str(value.map_or("", |(_, value)| value.as_str()));
        rest = after;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use entity::id::{CaseId, NoticeId, PersonId};
    use serde_json::json;

    use super::*;
    use crate::{
        config::{Config, Environment},
        wechat_sim::fits,
    };

    fn notice(kind: &str) -> notice::Model {
        notice::Model {
            id: NoticeId::fresh(),
            person_id: PersonId::fresh(),
            kind: kind.to_owned(),
            case_id: Some(CaseId::fresh()),
            booking_id: None,
            params: json!({"number": "SS-7K4M-2Q", "when": "11月25日 09:00", "until": "2026-12-01", "due_on": null}),
            created_at: "2026-11-23T02:00:00Z".parse().unwrap(),
            delivered_at: None,
            read_at: None,
        }
    }

    fn told(kinds: &[&str], discreet: bool) -> Told {
        let notices = kinds.iter().map(|kind| notice(kind)).collect();
        Told { notices, discreet, language: Language::ZhCn }
    }

    #[test]
    fn every_kind_fits_the_templates_of_the_test_configuration() {
        let config = Config::of_files(Environment::Test).unwrap();
        for template in &config.notices.templates {
            for kind in kinds::KINDS {
                for discreet in [false, true] {
                    let data = told(&[kind.name], discreet).data(template).unwrap();
                    for (key, field) in &data {
                        assert!(fits(key, &field.value), "{} {key} {}", kind.name, field.value);
                    }
                }
            }
        }
        let progress = &config.notices.templates[0];
        let one = told(&["case_answered"], false);
        let data = one.data(progress).unwrap();
        assert_eq!(data["character_string1"].value, "SS-7K4M-2Q");
        assert_eq!(data["phrase2"].value, "有答复了");
        assert_eq!(data["time4"].value, "2026年11月23日 10:00");
        let case = one.notices[0].case_id.unwrap();
        assert_eq!(one.page(progress), Some(format!("pages/case?id={case}")));
        assert_eq!(told(&["case_answered", "case_accepted"], false).page(progress), None);
    }

    #[test]
    fn what_is_confidential_says_neither_number_nor_matter() {
        let config = Config::of_files(Environment::Test).unwrap();
        let discreet = told(&["case_answered"], true);
        let data = discreet.data(&config.notices.templates[0]).unwrap();
        let all = format!("{data:?} {} {}", discreet.sms(), told(&["case_answered", "case_rejected"], true).sms());
        for word in ["SS-7K4M-2Q", "办件", "答复", "受理", "投诉", "举报"] {
            assert!(!all.contains(word), "{word}: {all}");
        }
    }

    #[test]
    fn nobody_reads_a_placeholder() {
        for language in [Language::ZhCn, Language::En] {
            for kind in kinds::KINDS {
                let said = sentence(kind.name, &json!({}), language);
                assert!(!said.contains("%{") && !said.contains("notice."), "{} {said}", kind.name);
            }
        }
        let said = sentence("case_paused", &json!({"number": "%{until}", "until": null}), Language::ZhCn);
        assert_eq!(said, "您的办件 %{until} 暂停计时到 …，请看说明");
        assert_eq!((filled("a%{b", &json!({})), filled("", &json!(null))), ("a…".to_owned(), String::new()));
    }

    #[test]
    fn a_value_is_no_placeholder_and_a_text_has_an_end() {
        assert_eq!(put_in("a{x}b{y}{z", &[("x", "{y}".to_owned()), ("y", "1".to_owned())]), "a{y}b1{z");
        let many: Vec<&str> = std::iter::repeat_n("case_supplement_reminder", 40).collect();
        assert_eq!(told(&many, false).sms().chars().count(), SMS_CHARS);
        assert!(told(&["case_answered", "case_accepted"], false).sms().contains("2 条"));
    }
}
