//! `wechat.*`, `wecom.*` and `wechat_sim.*`: the servers of Tencent and the simulator that stands in for them.
//!
//! What is wrong with them is found at the start and not at the first villager. Next: [`crate::wechat`], [`crate::wecom`]
//! and [`crate::wechat_sim`], which are built from it.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::Config;
use crate::{wechat::push::Inbox, wechat_sim::is_key};

/// `wechat.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wechat {
    /// Base address of the API.
    pub base_url: String,
    /// Of the mini-program.
    pub app_id: String,
    /// Of the mini-program.
    pub secret: SecretString,
    /// Of the message push; needed with `push_aes_key`.
    pub push_token: SecretString,
    /// Of the message push in safe or compatible mode, 43 characters; empty in plain mode.
    pub push_aes_key: SecretString,
}

/// `wecom.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wecom {
    /// Base address of the API.
    pub base_url: String,
    /// Of the organisation.
    pub corp_id: String,
    /// Of the application.
    pub secret: SecretString,
    /// Of the application.
    pub agent_id: String,
}

/// `wechat_sim.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WechatSim {
    /// Address and port.
    pub bind: String,
    /// Start it beside the server.
    pub enabled: bool,
    /// Where it pushes messages and events to; empty: nowhere.
    pub push_url: String,
    /// How long one attempt of a push may take.
    pub push_within_ms: u64,
    /// How often a push is tried.
    pub push_attempts: u32,
    /// Message templates it knows.
    #[serde(default)]
    pub templates: Vec<SimTemplate>,
}

/// `wechat_sim.templates`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SimTemplate {
    /// 43 characters.
    pub id: String,
    /// How long an "accept" lasts.
    pub kind: SimTemplateKind,
    /// Keys such as `thing1`, `time2`.
    pub fields: Vec<String>,
    /// What `enum_string` keys may hold.
    #[serde(default)]
    pub values: BTreeMap<String, Vec<String>>,
}

/// How long an "accept" of a template lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SimTemplateKind {
    /// For one message.
    OneTime,
    /// Until it is taken back.
    LongTerm,
}

impl Config {
    /// Names what would only fail later.
    pub(super) fn check_tencent(&self, faults: &mut Vec<String>) {
        let mut wrong = |text: &str| faults.push(text.to_owned());
        let Wechat { push_token, push_aes_key, app_id, .. } = &self.wechat;
        if Inbox::new(push_token, push_aes_key, app_id).is_err() {
            wrong("wechat.push_aes_key must be the 43 characters of EncodingAESKey, or empty in plain mode");
        }
        if push_token.expose_secret().is_empty() && !push_aes_key.expose_secret().is_empty() {
            wrong("wechat.push_token is needed with wechat.push_aes_key");
        }
        for (name, url) in [("wechat.base_url", &self.wechat.base_url), ("wecom.base_url", &self.wecom.base_url)] {
            if !url.starts_with("https://") && !url.starts_with("http://") {
                wrong(&format!("{name} must begin with https:// (http:// for the simulator)"));
            }
        }
        self.check_wecom(faults);
        self.check_simulator(faults);
    }

    fn check_wecom(&self, faults: &mut Vec<String>) {
        let parts = [
            ("wecom.corp_id", self.wecom.corp_id.is_empty()),
            ("wecom.secret", self.wecom.secret.expose_secret().is_empty()),
            ("wecom.agent_id", self.wecom.agent_id.is_empty()),
        ];
        if parts.iter().any(|(_, missing)| !missing) {
            let missing = parts.iter().filter(|(_, missing)| *missing);
            faults.extend(missing.map(|(name, _)| format!("{name} is missing, and WeCom is configured in part")));
        }
    }

    fn check_simulator(&self, faults: &mut Vec<String>) {
        let mut wrong = |text: &str| faults.push(text.to_owned());
        let sim = &self.wechat_sim;
        if !sim.push_url.is_empty() && !sim.push_url.starts_with("http://") {
            wrong("wechat_sim.push_url must begin with http://, or be empty");
        }
        if !(1..=60_000).contains(&sim.push_within_ms) || !(1..=10).contains(&sim.push_attempts) {
            wrong("wechat_sim.push_within_ms must be 1 to 60000, wechat_sim.push_attempts 1 to 10");
        }
        for template in &sim.templates {
            if template.id.is_empty() || template.fields.is_empty() || !template.fields.iter().all(|key| is_key(key)) {
                wrong("wechat_sim.templates need an id, and fields such as thing1 or time2");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    #[test]
    fn wrong_settings_of_wechat_are_found_at_the_start() {
        type Change = fn(&mut Config);
        let changes: [(Change, &str); 8] = [
            (|config| config.wechat.push_aes_key = "x".into(), "wechat.push_aes_key"),
            (|config| config.wechat.push_token = "".into(), "wechat.push_token"),
            (|config| config.wecom.secret = "".into(), "wecom.secret"),
            (|config| config.wecom.base_url = "qyapi.weixin.qq.com".to_owned(), "wecom.base_url"),
            (|config| config.wechat_sim.push_url = "https://x".to_owned(), "wechat_sim.push_url"),
            (|config| config.wechat_sim.push_attempts = 0, "wechat_sim.push_attempts"),
            (|config| config.wechat_sim.templates[0].fields.push("thing".to_owned()), "wechat_sim.templates"),
            (|config| config.wechat_sim.templates[0].fields.clear(), "wechat_sim.templates"),
        ];
        for (change, name) in changes {
            let mut config = Config::of_files(Environment::Test).unwrap();
            change(&mut config);
            let fault = config.check().unwrap_err().to_string();
            assert!(fault.contains(name), "{fault}");
        }
    }
}
