//! Danger comes before any form: words in a case's text that mean somebody must call 110, 119 or 120 first.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whom to call, in words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EmergencyCall {
    /// 110, 119 or 120.
    number: String,
    zh: String,
    en: String,
    #[serde(skip_serializing)]
    #[schema(ignore)]
    words: Vec<String>,
}

#[derive(Deserialize)]
struct Listed {
    calls: Vec<EmergencyCall>,
}

#[allow(clippy::expect_used, reason = "the list is compiled in and a test reads it")]
static CALLS: LazyLock<Vec<EmergencyCall>> = LazyLock::new(|| {
    let text = config::File::from_str(include_str!("../../config/emergency.toml"), config::FileFormat::Toml);
    let read = config::Config::builder().add_source(text).build().and_then(config::Config::try_deserialize::<Listed>);
    read.expect("config/emergency.toml is well-formed").calls
});

impl EmergencyCall {
    /// In Chinese or in English.
    #[must_use]
    pub fn in_words(&self, chinese: bool) -> &str {
        if chinese { &self.zh } else { &self.en }
    }
}

/// Whom to call because of these texts; empty when nothing sounds like danger.
#[must_use]
pub fn calls(texts: [&str; 2]) -> Vec<EmergencyCall> {
    let sounds =
        |call: &&EmergencyCall| call.words.iter().any(|word| texts.iter().any(|text| text.contains(word.as_str())));
    CALLS.iter().filter(sounds).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn danger_names_whom_to_call_and_an_errand_does_not() {
        let numbers = |text| calls(["", text]).into_iter().map(|call| call.number).collect::<Vec<_>>();
        assert_eq!(numbers("隔壁着火了，有人被困"), ["119"]);
        assert_eq!(numbers("孩子溺水了"), ["119", "120"]);
        assert!(numbers("想办低保").is_empty());
    }
}
