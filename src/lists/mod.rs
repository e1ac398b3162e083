//! Closed lists: topics, reasons, tags. What a code may be is decided here and nowhere else.
//!
//! They stand in `config/lists.toml` with their labels and are compiled in, so that every server of a version knows the
//! same codes. Other features ask [`knows`]; clients read `GET /lists/{name}`. Next: [`api`].

pub mod api;

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::problem::Language;

/// The calls of this feature.
pub fn routes(config: &mut ServiceConfig) {
    config.service(api::get_list);
}

/// An entry of a list.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ListEntry {
    /// What is sent and stored.
    pub code: String,
    /// How it reads in Chinese.
    pub zh: String,
    /// How it reads in English.
    pub en: String,
}

static LISTS: LazyLock<BTreeMap<String, Vec<ListEntry>>> = LazyLock::new(|| {
    // The text is part of the program and a test reads it: it cannot fail on a machine where that test passed.
    read(include_str!("../../config/lists.toml")).unwrap_or_default()
});

fn read(text: &str) -> Result<BTreeMap<String, Vec<ListEntry>>, config::ConfigError> {
    let file = config::File::from_str(text, config::FileFormat::Toml);
    config::Config::builder().add_source(file).build()?.try_deserialize()
}

/// The entries of a list, in their order.
#[must_use]
pub fn entries(list: &str) -> Option<&'static [ListEntry]> {
    LISTS.get(list).map(Vec::as_slice)
}

/// How a code of a list reads; one that the list lacks stays as it is.
#[must_use]
pub fn name(list: &str, code: &str, language: Language) -> String {
    let entry = entries(list).and_then(|entries| entries.iter().find(|entry| entry.code == code));
    let name = entry.map(|entry| if language == Language::En { &entry.en } else { &entry.zh });
    name.map_or(code, String::as_str).to_owned()
}

/// Whether a list has a code.
#[must_use]
pub fn knows(list: &str, code: &str) -> bool {
    entries(list).is_some_and(|entries| entries.iter().any(|entry| entry.code == code))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::auth::Duty;

    #[test]
    fn the_lists_of_the_contract_are_there_and_every_code_is_a_plain_word() {
        let lists = read(include_str!("../../config/lists.toml")).unwrap();
        let names: Vec<&str> = lists.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "call_back_results",
                "concerns",
                "consent_purposes",
                "contact_ways",
                "duties",
                "escalate_reasons",
                "extend_reasons",
                "follow_up_outcomes",
                "milestones",
                "pause_reasons",
                "registers",
                "reject_reasons",
                "reopen_reasons",
                "return_reasons",
                "review_tags",
                "right_channels",
                "talk_formats",
                "talk_purposes",
                "topics",
                "transfer_reasons",
                "webhook_events",
            ]
        );
        for (name, entries) in lists {
            let codes: BTreeSet<&str> = entries.iter().map(|entry| entry.code.as_str()).collect();
            assert_eq!(codes.len(), entries.len(), "{name} has a code twice");
            for entry in &entries {
                let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
                assert!(!entry.code.is_empty() && entry.code.bytes().all(plain), "{name}: {}", entry.code);
                assert!(!entry.zh.is_empty() && !entry.en.is_empty(), "{name}: {} has no label", entry.code);
            }
        }
    }

    #[test]
    fn the_duties_are_those_of_the_table() {
        let listed: Vec<&str> = entries("duties").unwrap().iter().map(|entry| entry.code.as_str()).collect();
        let table: Vec<&str> = Duty::ALL.iter().map(|duty| duty.slug()).collect();
        assert_eq!(listed, table);
    }

    #[test]
    fn a_code_is_known_only_in_its_own_list() {
        assert!(knows("topics", "roads"));
        assert!(!knows("concerns", "roads"));
        assert!(!knows("no_such_list", "roads"));
        assert!(!knows("topics", ""));
    }
}
