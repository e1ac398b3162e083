//! Whom the simulator plays: one mini program, one organisation, and the address its pushes go to.
//!
//! All of it comes from the product's own configuration, so that both sides agree without being told twice. Next:
//! [`super::bind`].

use std::time::Duration;

use secrecy::SecretString;

use crate::config::{Config, SimTemplate};

/// Everything the simulator is told at its start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Of the mini program.
    pub app_id: String,
    /// Of the mini program.
    pub secret: SecretString,
    /// Of the organisation.
    pub corp_id: String,
    /// Of its application.
    pub corp_secret: SecretString,
    /// Number of its application.
    pub agent_id: String,
    /// Where pushes go; empty: nowhere.
    pub push_url: String,
    /// Signs pushes.
    pub push_token: SecretString,
    /// Seals pushes; empty: they go plain.
    pub push_aes_key: SecretString,
    /// How long one attempt of a push may take.
    pub push_within: Duration,
    /// How often a push is tried.
    pub push_attempts: u32,
    /// Message templates of the mini program.
    pub templates: Vec<SimTemplate>,
}

impl Settings {
    /// As the configuration says.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            app_id: config.wechat.app_id.clone(),
            secret: config.wechat.secret.clone(),
            corp_id: config.wecom.corp_id.clone(),
            corp_secret: config.wecom.secret.clone(),
            agent_id: config.wecom.agent_id.clone(),
            push_url: config.wechat_sim.push_url.clone(),
            push_token: config.wechat.push_token.clone(),
            push_aes_key: config.wechat.push_aes_key.clone(),
            push_within: Duration::from_millis(config.wechat_sim.push_within_ms),
            push_attempts: config.wechat_sim.push_attempts,
            templates: config.wechat_sim.templates.clone(),
        }
    }

    /// The original id of the mini program, by which its messages name it: `gh_` and 12 hexadecimal digits.
    pub(super) fn original_id(&self) -> String {
        format!("gh_{}", self.app_id.chars().skip(2).take(12).collect::<String>())
    }
}
