//! Text messages: to a gateway by HTTP, or into a file while developing.
//!
//! Every operator's gateway has its own JSON, so address, body and the mark of success are configuration (`sms.*`).
//! Messages are sent by a job ([`crate::jobs`]), never inside a transaction; neither number nor text is logged.

use std::{fs::OpenOptions, io::Write, path::PathBuf, time::Duration};

use reqwest::{header, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::{
    config::{self, ConfigFault, SmsProvider},
    personal::{Personal, PhoneNumber},
};

/// How long a gateway may take over one message.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The way messages go.
pub struct Sms(Way);

enum Way {
    Off,
    File(PathBuf),
    Http(Box<Gateway>),
}

struct Gateway {
    http: reqwest::Client,
    url: String,
    authorization: SecretString,
    body: Value,
    accepted_at: String,
    accepted: String,
}

impl Sms {
    /// From configuration; the gateway's body must be JSON.
    pub fn new(settings: &config::Sms) -> Result<Self, ConfigFault> {
        let wrong = |text: String| ConfigFault::Wrong(format!("sms: {text}"));
        Ok(Self(match settings.provider {
            SmsProvider::Off => Way::Off,
            SmsProvider::File => Way::File(settings.file.clone()),
            SmsProvider::Http => {
                let _ = rustls::crypto::ring::default_provider().install_default();
                let mut http = reqwest::Client::builder().timeout(ANSWER_WITHIN).redirect(redirect::Policy::none());
                if settings.url.starts_with("http://") {
                    http = http.no_proxy().tls_certs_only([]);
                } else if !settings.url.starts_with("https://") {
                    return Err(wrong("url must begin with https:// or http://".to_owned()));
                }
                Way::Http(Box::new(Gateway {
                    http: http.build().map_err(|fault| wrong(fault.to_string()))?,
                    url: settings.url.clone(),
                    authorization: settings.authorization.clone(),
                    body: serde_json::from_str(&settings.body).map_err(|_| wrong("body is not JSON".to_owned()))?,
                    accepted_at: settings.accepted_at.clone(),
                    accepted: settings.accepted.clone(),
                }))
            }
        }))
    }

    /// Whether messages can go at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !matches!(self.0, Way::Off)
    }

    /// Sends one message.
    ///
    /// # Errors
    /// In words without number and text, for the log.
    pub async fn send(&self, to: &PhoneNumber, text: &str) -> Result<(), String> {
        match &self.0 {
            Way::Off => Err("sms.provider is off".to_owned()),
            Way::File(file) => append(file, to, text).map_err(|fault| format!("{}: {fault}", file.display())),
            Way::Http(gateway) => gateway.send(to, text).await,
        }
    }
}

fn append(file: &PathBuf, to: &PhoneNumber, text: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    writeln!(file, "{}", json!({"to": to.in_the_clear(), "text": text}))
}

impl Gateway {
    async fn send(&self, to: &PhoneNumber, text: &str) -> Result<(), String> {
        let body = filled(&self.body, to.in_the_clear(), text).to_string();
        let mut request = self.http.post(&self.url).header(header::CONTENT_TYPE, "application/json; charset=utf-8");
        if !self.authorization.expose_secret().is_empty() {
            request = request.header(header::AUTHORIZATION, self.authorization.expose_secret());
        }
        let answer = request.body(body).send().await.map_err(|fault| fault.without_url().to_string())?;
        let status = answer.status();
        if !status.is_success() {
            return Err(format!("the gateway answered {status}"));
        }
        let answer: Value = answer.json().await.map_err(|_| "the gateway's answer is no JSON".to_owned())?;
        let said = match answer.pointer(&self.accepted_at) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        // Only the mark is told, not the answer: gateways like to repeat the number.
        if said == self.accepted { Ok(()) } else { Err("the gateway did not take the message".to_owned()) }
    }
}

/// The body with number and text in its strings, so that no text can break the JSON.
fn filled(body: &Value, phone: &str, text: &str) -> Value {
    match body {
        Value::String(part) => Value::String(part.replace("{phone}", phone).replace("{text}", text)),
        Value::Array(items) => items.iter().map(|item| filled(item, phone, text)).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, member)| (name.clone(), filled(member, phone, text))).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_breaks_the_body() {
        let body = json!({"mobile": ["{phone}"], "msg": "【村务】{text}", "v": 1});
        let sent = filled(&body, "13800000000", "口令\"}, {\"x\": 1");
        assert_eq!(sent, json!({"mobile": ["13800000000"], "msg": "【村务】口令\"}, {\"x\": 1", "v": 1}));
    }
}
