//! Configuration in three layers: what is compiled in, the file of the environment, environment variables.
//!
//! Unknown keys are refused and secrets do not print, because a server that guesses its configuration is a server that
//! leaks. The keys and their meaning stand in `config/default.toml`. Next: `tencent` for WeChat and
//! WeCom, [`crate::app`], which is built from all of it.

mod tencent;

use std::{collections::BTreeMap, net::IpAddr, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

pub use self::tencent::{SimTemplate, SimTemplateKind, Wechat, WechatSim, Wecom};

/// Where the program runs. Only development and test know demonstration accounts and `/_dev`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// A workstation: embedded database, simulator, demonstration village.
    Development,
    /// The test suite.
    Test,
    /// Real villagers.
    Production,
}

impl Environment {
    fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Test => "test",
            Self::Production => "production",
        }
    }
}

/// The whole configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// From `SHUOSHI_ENV`.
    #[serde(skip, default = "development")]
    pub environment: Environment,
    /// The listener.
    pub http: Http,
    /// The database.
    pub database: Database,
    /// Files.
    pub data: Data,
    /// The WeChat server API.
    pub wechat: Wechat,
    /// The WeCom server API.
    pub wecom: Wecom,
    /// Sessions and throttles.
    pub auth: Auth,
    /// Keys of personal data.
    pub crypto: Crypto,
    /// The simulator.
    pub wechat_sim: WechatSim,
    /// Background work.
    pub jobs: Jobs,
    /// Logs.
    pub log: Log,
}

fn development() -> Environment {
    Environment::Development
}

/// `http.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Address and port.
    pub bind: String,
    /// Threads, 0: one a core.
    pub workers: usize,
    /// Bytes of the largest JSON body.
    pub body_limit: usize,
    /// Seconds after which a call that has no answer yet is told to come back; uploads may take longer.
    pub answer_within_s: u64,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
}

/// `database.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// `sqlite://...` or `postgres://...`; holds a password, so it does not print.
    pub url: SecretString,
    /// Connections of this process.
    pub max_connections: u32,
    /// How durable an `SQLite` commit is.
    pub synchronous: Synchronous,
    /// Whether `PostgreSQL` statements stay prepared.
    pub statement_cache: bool,
}

/// How durable a commit is (`SQLite`).
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Synchronous {
    /// Survives a power cut.
    Full,
    /// May lose the last moments in a power cut.
    Normal,
}

/// `data.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Folder of files.
    pub dir: PathBuf,
}

/// `auth.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Key id -> base64.
    pub jwt_keys: BTreeMap<String, SecretString>,
    /// The one that signs.
    pub active_jwt_key: String,
    /// Life of an access token.
    pub access_minutes: i64,
    /// Life of a refresh token.
    pub refresh_days: i64,
    /// Throttles.
    pub throttle: Throttle,
}

/// `auth.throttle.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Throttle {
    /// Failed sign-ins an account in 15 minutes.
    pub staff_failures_per_account: u32,
    /// Failed sign-ins an address in 15 minutes.
    pub staff_failures_per_address: u32,
    /// `WeChat` sign-ins a minute and address.
    pub wechat_per_minute: u32,
    /// Wrong pairs an address in 10 minutes.
    pub track_failures_per_address: u32,
    /// Leave the loopback address alone.
    pub spare_loopback: bool,
}

/// `crypto.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crypto {
    /// Key id -> base64 of 32 bytes.
    pub field_keys: BTreeMap<String, SecretString>,
    /// The one that seals.
    pub active_field_key: String,
    /// Base64 of 32 bytes.
    pub index_key: SecretString,
}

/// `jobs.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    /// Run jobs and sweeps in this process.
    pub enabled: bool,
}

/// `log.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// text or json
    pub format: LogFormat,
    /// As of tracing's `EnvFilter`.
    pub filter: String,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For eyes.
    Text,
    /// For machines.
    Json,
}

/// Why the program will not start.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFault {
    /// A file or variable cannot be read as configuration.
    #[error("configuration: {0}")]
    Unreadable(#[from] config::ConfigError),
    /// `SHUOSHI_ENV` is none of the three.
    #[error("SHUOSHI_ENV must be development, test or production, not '{0}'")]
    Environment(String),
    /// A key is missing or wrong; says which and what to do.
    #[error("configuration: {0}")]
    Wrong(String),
}

impl Config {
    /// Reads the layers of the environment that `SHUOSHI_ENV` names (development when it is not set).
    pub fn load() -> Result<Self, ConfigFault> {
        let name = std::env::var("SHUOSHI_ENV").unwrap_or_else(|_| "development".to_owned());
        let environment = match name.as_str() {
            "development" => Environment::Development,
            "test" => Environment::Test,
            "production" => Environment::Production,
            _ => return Err(ConfigFault::Environment(name)),
        };
        let config = Self::layers(environment, true)?;
        config.check()?;
        Ok(config)
    }

    /// The layers without environment variables: what the test harness starts from.
    pub fn of_files(environment: Environment) -> Result<Self, ConfigFault> {
        Self::layers(environment, false)
    }

    fn layers(environment: Environment, variables: bool) -> Result<Self, ConfigFault> {
        let name = environment.name();
        let compiled = match environment {
            Environment::Development => include_str!("../config/development.toml"),
            Environment::Test => include_str!("../config/test.toml"),
            Environment::Production => include_str!("../config/production.toml"),
        };
        let text = |toml| config::File::from_str(toml, config::FileFormat::Toml);
        let mut layers = config::Config::builder()
            .add_source(text(include_str!("../config/default.toml")))
            .add_source(text(compiled));
        if variables {
            layers = layers
                .add_source(config::File::new(&format!("config/{name}.toml"), config::FileFormat::Toml).required(false))
                .add_source(
                    config::Environment::with_prefix("SHUOSHI")
                        .prefix_separator("__")
                        .separator("__")
                        .try_parsing(true),
                );
        }
        let mut config: Self = layers.build()?.try_deserialize()?;
        config.environment = environment;
        Ok(config)
    }

    /// Whether demonstration accounts, `/_dev` and public secrets are allowed.
    #[must_use]
    pub fn is_production(&self) -> bool {
        self.environment == Environment::Production
    }

    /// Refuses what would only fail later, and in production what the development files make public.
    pub fn check(&self) -> Result<(), ConfigFault> {
        let wrong = |text: &str| Err(ConfigFault::Wrong(text.to_owned()));
        if !self.auth.jwt_keys.contains_key(&self.auth.active_jwt_key) {
            return wrong("auth.active_jwt_key must name one of auth.jwt_keys (key id -> base64 of 32 bytes or more)");
        }
        if !self.crypto.field_keys.contains_key(&self.crypto.active_field_key) {
            return wrong("crypto.active_field_key must name one of crypto.field_keys (key id -> base64 of 32 bytes)");
        }
        for (name, key) in &self.auth.jwt_keys {
            if decode(key).is_none_or(|key| key.len() < 32) {
                return Err(ConfigFault::Wrong(format!("auth.jwt_keys.{name} must be base64 of at least 32 bytes")));
            }
        }
        for (name, key) in self.crypto.field_keys.iter().chain([(&"index_key".to_owned(), &self.crypto.index_key)]) {
            if decode(key).is_none_or(|key| key.len() != 32) {
                return Err(ConfigFault::Wrong(format!("crypto: {name} must be base64 of exactly 32 bytes")));
            }
        }
        self.check_tencent()?;
        if self.is_production() { self.check_production() } else { Ok(()) }
    }

    /// Every secret that is set.
    fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        [&self.wechat.secret, &self.wechat.push_token, &self.wechat.push_aes_key, &self.wecom.secret]
            .into_iter()
            .chain([&self.crypto.index_key])
            .chain(self.auth.jwt_keys.values())
            .chain(self.crypto.field_keys.values())
            .filter(|secret| !secret.expose_secret().is_empty())
    }

    fn check_production(&self) -> Result<(), ConfigFault> {
        let demo = Self::of_files(Environment::Development)?;
        let public: Vec<&str> = demo.secrets().map(ExposeSecret::expose_secret).collect();
        if self.secrets().any(|secret| public.contains(&secret.expose_secret())) {
            return Err(ConfigFault::Wrong("a demonstration secret of config/development.toml is in use".to_owned()));
        }
        if self.wechat.app_id.is_empty() || self.wechat.secret.expose_secret().is_empty() {
            return Err(ConfigFault::Wrong(
                "wechat.app_id and wechat.secret are needed to sign villagers in".to_owned(),
            ));
        }
        if self.wechat_sim.enabled {
            return Err(ConfigFault::Wrong("wechat_sim.enabled is for development only".to_owned()));
        }
        Ok(())
    }
}

/// The bytes of a base64 key.
#[must_use]
pub fn decode(key: &SecretString) -> Option<Vec<u8>> {
    STANDARD.decode(key.expose_secret()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_environment_reads_and_development_and_test_are_complete() {
        for environment in [Environment::Development, Environment::Test] {
            Config::of_files(environment).unwrap().check().unwrap();
        }
        let production = Config::of_files(Environment::Production).unwrap();
        assert!(production.check().is_err(), "production starts only with secrets of its own");
    }

    #[test]
    fn production_refuses_the_secrets_everybody_knows() {
        let mut config = Config::of_files(Environment::Development).unwrap();
        config.environment = Environment::Production;
        let fault = config.check().unwrap_err().to_string();
        assert!(fault.contains("demonstration secret"), "{fault}");
    }
}
