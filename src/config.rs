//! Configuration in three layers: what is compiled in, the file of the environment, environment variables.
//!
//! Unknown keys are refused and secrets do not print, because a server that guesses its configuration is a server that
//! leaks. The keys and their meaning stand in `config/default.toml`. Next: `tencent` for WeChat and
//! WeCom, [`crate::app`], which is built from all of it.

mod check;
mod files;
mod notices;
mod read;
mod tencent;
mod weak;

pub use self::{
    files::{Files, Place},
    notices::{NoticeTemplate, Notices, PURPOSES},
    tencent::{SimTemplate, SimTemplateKind, Wechat, WechatSim, Wecom},
    weak::weakness,
};

use std::{collections::BTreeMap, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

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
    /// The audit.
    pub audit: Audit,
    /// The simulator.
    pub wechat_sim: WechatSim,
    /// Text messages.
    pub sms: Sms,
    /// How long personal data is kept.
    pub privacy: Privacy,
    /// Photos, voice notes and documents.
    pub files: Files,
    /// Servers of others that are told of cases.
    pub webhooks: Webhooks,
    /// The Open311 endpoint.
    pub open311: Open311,
    /// Background work.
    pub jobs: Jobs,
    /// How people are told beside the inbox.
    pub notices: Notices,
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
    /// Seconds after which a stream of events ends; who watches comes back.
    pub stream_for_s: u64,
    /// Proxies whose `X-Forwarded-For` is believed: addresses and ranges.
    #[serde(deserialize_with = "read::networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// Whether `WeChat` Cloud Run stands in front, which alone may be believed about `X-WX-*`.
    pub cloud_run: bool,
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
    /// Lists that anybody may read (Open311, open data) a minute and address.
    pub open_reads_per_minute: u32,
    /// Pushes with a wrong signature a minute and address.
    pub bad_pushes_per_minute: u32,
    /// Wrong pairs an address in 10 minutes.
    pub track_failures_per_address: u32,
    /// Calls for unmasked data that one member of staff may make in an hour.
    pub reveals_per_hour: u32,
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
    /// Base64 of 32 bytes.
    pub audit_key: SecretString,
}

/// `audit.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// Months that entries are kept, at least six (网络安全法 21).
    pub keep_months: u32,
}

/// `sms.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sms {
    /// Which way messages go.
    pub provider: SmsProvider,
    /// Of the file provider.
    pub file: PathBuf,
    /// Address of the gateway.
    pub url: String,
    /// Its `Authorization` header.
    pub authorization: SecretString,
    /// JSON with `{phone}` and `{text}`.
    pub body: String,
    /// JSON pointer into the gateway's answer.
    pub accepted_at: String,
    /// What stands there when it took the message.
    pub accepted: String,
    /// Whether the gateway sends what bears the same `{id}` once, however often it is asked.
    pub repeats_are_dropped: bool,
}

/// Which way text messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsProvider {
    /// None: people use WeChat or the desk.
    Off,
    /// Into a file (development).
    File,
    /// To a gateway.
    Http,
}

/// `privacy.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Privacy {
    /// Years closed cases are kept whole.
    pub case_archive_years: u32,
    /// Days a copy of one's own data can be fetched.
    pub export_days: u32,
}

/// `webhooks.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// Hosts that may be told, as they stand in addresses.
    pub allowed_hosts: Vec<String>,
    /// Networks that are not public and may be reached all the same.
    #[serde(deserialize_with = "read::networks")]
    pub private_networks: Vec<IpNet>,
    /// Whether `http://` is good enough.
    pub plain_http: bool,
    /// How long one attempt may take, in milliseconds.
    pub answer_within_ms: u64,
}

/// `open311.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open311 {
    /// Statistical code of the place that is meant where a call names none; empty: each call names one.
    pub jurisdiction: String,
    /// How the outside reaches this server; empty: by the address a call came by.
    pub public_url: String,
    /// Matters that one key may file in a minute.
    pub filings_per_minute: u32,
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
    /// Whether demonstration accounts, `/_dev` and public secrets are allowed.
    #[must_use]
    pub fn is_production(&self) -> bool {
        self.environment == Environment::Production
    }
}

/// The bytes of a base64 key.
#[must_use]
pub fn decode(key: &SecretString) -> Option<Vec<u8>> {
    STANDARD.decode(key.expose_secret()).ok()
}
