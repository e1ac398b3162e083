//! What lies outside: `WeChat`, `WeCom`, and by their answers the clock of this machine.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use reqwest::{header, redirect};
use secrecy::ExposeSecret;

use super::Findings;
use crate::{
    clock::Clock,
    config::{Config, PURPOSES, Place, SmsProvider},
    files::Store,
    wechat::{self, WechatError},
};

/// How long a host may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// A clock that is further off breaks signatures and codes of the second factor.
const CLOCK_MAY_BE_OFF: TimeDelta = TimeDelta::seconds(30);

pub(super) async fn look_at_wechat(config: &Config, findings: &mut Findings) {
    let settings = wechat::Settings {
        base_url: config.wechat.base_url.clone(),
        app_id: config.wechat.app_id.clone(),
        secret: config.wechat.secret.clone(),
    };
    let client = match wechat::Client::new(settings, Clock::system()) {
        Ok(client) => client,
        Err(fault) => return findings.fault(&format!("WeChat: {fault}")),
    };
    let base = config.wechat.base_url.as_str();
    if config.wechat.app_id.is_empty() || config.wechat.secret.expose_secret().is_empty() {
        // That they are missing was said; whether the host can be reached is worth knowing all the same.
        return reach("WeChat", base, findings).await;
    }
    match client.access_token().await {
        Ok(_) => {
            findings.fine(&format!("WeChat: {} gave an access token", host(base)));
            reach("WeChat", base, findings).await;
        }
        Err(_) if config.wechat_sim.enabled => {
            findings.note("WeChat: the simulator does not run now; `shuoshi serve` starts it");
        }
        Err(WechatError::Transport(_)) => reach("WeChat", base, findings).await,
        Err(fault) => findings.fault(&format!(
            "WeChat: {} gave no access token: {fault}; check wechat.app_id, wechat.secret and the IP allow-list",
            host(base)
        )),
    }
}

pub(super) async fn look_at_wecom(config: &Config, findings: &mut Findings) {
    if config.wecom.corp_id.is_empty() {
        findings.note("WeCom: not configured; staff sign in with a password");
    } else {
        reach("WeCom", &config.wecom.base_url, findings).await;
    }
}

/// Writes, reads and removes an object. A folder that is not there yet is not made: looking must not change anything.
pub(super) async fn look_at_store(config: &Config, findings: &mut Findings) {
    if let Some(Place::Folder(folder)) = config.files_place()
        && !folder.exists()
    {
        return findings.note(&format!("store: {} will be made by `shuoshi serve`", folder.display()));
    }
    let store = match Store::open(config) {
        Ok(store) => store,
        Err(fault) => return findings.fault(&format!("store: {fault}")),
    };
    let url = config.database.url.expose_secret();
    if matches!(config.files_place(), Some(Place::Folder(_))) && url.starts_with("postgres") {
        findings.note(&format!(
            "store: {} is a folder; several servers on one database must share it, or use s3://",
            store.place()
        ));
    }
    match store.probe().await {
        Ok(()) => findings.fine(&format!("store: {} takes files and gives them back", store.place())),
        Err(fault) => {
            findings
                .fault(&format!("store: {} does not: {fault}; check files.* and who may write there", store.place()));
        }
    }
}

/// Whether WeChat can look at photos, which it fetches.
pub(super) fn look_at_content(config: &Config, findings: &mut Findings) {
    if config.files.public_url.is_empty() {
        findings.note("content: no address for the outside (files.public_url); photos wait for somebody of the desk");
    } else {
        findings.fine(&format!("content: WeChat fetches photos from {}", host(&config.files.public_url)));
    }
}

/// By which ways people are told of things, and what is missing for the others.
pub(super) fn look_at_channels(config: &Config, findings: &mut Findings) {
    let has = |purpose: &str| config.notices.templates.iter().any(|template| template.purpose == purpose);
    let missing: Vec<&str> = PURPOSES.into_iter().filter(|purpose| !has(purpose) && !has("general")).collect();
    if config.notices.templates.is_empty() {
        findings.note("notices: no message templates (notices.templates); nobody is told by WeChat");
    } else if missing.is_empty() {
        findings.fine("notices: WeChat has templates for everything");
    } else {
        findings.note(&format!("notices: no message template for {}; such things go another way", missing.join(", ")));
    }
    if !config.notices.templates.is_empty() && config.wechat.push_token.expose_secret().is_empty() {
        findings.note("notices: no message push (wechat.push_token); a message without an answer counts as sent");
    }
    match config.sms.provider {
        SmsProvider::Off => findings.note("notices: no text messages (sms.provider); who has no WeChat is called"),
        SmsProvider::File | SmsProvider::Http => findings.fine("notices: text messages are on"),
    }
    if config.wecom.corp_id.is_empty() && config.notices.robots.is_empty() {
        findings.note("notices: neither WeCom nor robots (notices.robots); staff see their inbox alone");
    } else {
        findings.fine(&format!(
            "notices: staff are told by {}{} robots",
            if config.wecom.corp_id.is_empty() { "" } else { "WeCom and " },
            config.notices.robots.len()
        ));
    }
}

/// Any answer will do; its date shows whether our clock is right.
async fn reach(who: &str, base: &str, findings: &mut Findings) {
    let mut client =
        reqwest::Client::builder().timeout(PATIENCE).connect_timeout(PATIENCE).redirect(redirect::Policy::none());
    if base.starts_with("http://") {
        client = client.no_proxy().tls_certs_only([]);
    }
    let answer = match client.build() {
        Ok(client) => client.get(base).send().await,
        Err(fault) => Err(fault),
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(fault) => {
            return findings.fault(&format!(
                "{who}: {} cannot be reached: {}; let this machine out to it (name service, firewall, proxy)",
                host(base),
                reason(&fault)
            ));
        }
    };
    findings.fine(&format!("{who}: {} answers", host(base)));
    let date = answer.headers().get(header::DATE).and_then(|date| date.to_str().ok());
    let Some(theirs) = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok()) else { return };
    let ahead = Clock::system().now() - theirs.to_utc();
    if ahead.abs() > CLOCK_MAY_BE_OFF {
        let seconds = ahead.num_seconds().abs();
        let way = if ahead > TimeDelta::zero() { "ahead of" } else { "behind" };
        findings.fault(&format!("clock: this machine is {seconds} seconds {way} {}; let NTP set it", host(base)));
    }
}

/// Without the address, which may hold secrets.
fn reason(fault: &reqwest::Error) -> &'static str {
    if fault.is_timeout() {
        "it does not answer in time"
    } else if fault.is_connect() {
        "no connection"
    } else if fault.is_builder() {
        "its address cannot be used"
    } else {
        "the exchange broke off"
    }
}

fn host(base: &str) -> &str {
    let rest = base.split_once("://").map_or(base, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}
