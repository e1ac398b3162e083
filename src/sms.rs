//! Text messages: to a gateway by HTTP, or into a file while developing.
//!
//! Every operator's gateway has its own JSON, so address, body and the mark of success are configuration (`sms.*`).
//! Messages are sent by a job ([`crate::jobs`]), never inside a transaction; neither number nor text is logged. A message
//! may bear an id (`{id}` in the body): a gateway that knows it again sends it once, however often it is asked
//! (`sms.repeats_are_dropped`); the file does so too.

use std::{fs::OpenOptions, io::Write, path::PathBuf, time::Duration};

use reqwest::{StatusCode, header, redirect};
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
    repeats_are_dropped: bool,
}

/// Why a message did not go, or may not have gone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct SmsFault {
    /// In words without number and text, for the log.
    pub why: String,
    /// The gateway may have taken it although no answer came.
    pub left_the_house: bool,
}

impl SmsFault {
    fn surely_not(why: impl Into<String>) -> Self {
        Self { why: why.into(), left_the_house: false }
    }
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
                    repeats_are_dropped: settings.repeats_are_dropped,
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
        self.send_once("", to, text).await.map_err(|fault| fault.why)
    }

    /// Whether a message may be sent again under its id without coming twice.
    #[must_use]
    pub fn drops_repeats(&self) -> bool {
        match &self.0 {
            Way::Off => false,
            Way::File(_) => true,
            Way::Http(gateway) => gateway.repeats_are_dropped,
        }
    }

    /// Sends one message that is known by its id.
    ///
    /// # Errors
    /// [`SmsFault`], which says whether the message may have gone.
    pub async fn send_once(&self, id: &str, to: &PhoneNumber, text: &str) -> Result<(), SmsFault> {
        match &self.0 {
            Way::Off => Err(SmsFault::surely_not("sms.provider is off")),
            Way::File(file) => {
                append(file, id, to, text).map_err(|fault| SmsFault::surely_not(format!("{}: {fault}", file.display())))
            }
            Way::Http(gateway) => gateway.send(id, to, text).await,
        }
    }
}

fn append(file: &PathBuf, id: &str, to: &PhoneNumber, text: &str) -> std::io::Result<()> {
    if !id.is_empty() && std::fs::read_to_string(file).is_ok_and(|sent| sent.contains(&format!("\"{id}\""))) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    let mut line = json!({"to": to.in_the_clear(), "text": text});
    if let (false, Some(parts)) = (id.is_empty(), line.as_object_mut()) {
        parts.insert("id".to_owned(), id.into());
    }
    // One write: other processes append to the same file.
    file.write_all(format!("{line}\n").as_bytes())
}

impl Gateway {
    async fn send(&self, id: &str, to: &PhoneNumber, text: &str) -> Result<(), SmsFault> {
        let body = filled(&self.body, id, to.in_the_clear(), text).to_string();
        let mut request = self.http.post(&self.url).header(header::CONTENT_TYPE, "application/json; charset=utf-8");
        if !self.authorization.expose_secret().is_empty() {
            request = request.header(header::AUTHORIZATION, self.authorization.expose_secret());
        }
        let answer = request.body(body).send().await.map_err(|fault| SmsFault {
            left_the_house: !fault.is_connect() && !fault.is_builder(),
            why: fault.without_url().to_string(),
        })?;
        let status = answer.status();
        if !status.is_success() {
            // A gateway that is overloaded or refuses took nothing; of other failures nobody knows.
            let left_the_house = status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE;
            return Err(SmsFault { why: format!("the gateway answered {status}"), left_the_house });
        }
        let unread = |_| SmsFault { why: "the gateway's answer is no JSON".to_owned(), left_the_house: true };
        let answer: Value = answer.json().await.map_err(unread)?;
        let said = match answer.pointer(&self.accepted_at) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        // Only the mark is told, not the answer: gateways like to repeat the number.
        if said == self.accepted { Ok(()) } else { Err(SmsFault::surely_not("the gateway did not take the message")) }
    }
}

/// The body with number and text in its strings, so that no text can break the JSON.
fn filled(body: &Value, id: &str, phone: &str, text: &str) -> Value {
    match body {
        // The text last: what it says is never read as a placeholder.
        Value::String(part) => {
            Value::String(part.replace("{id}", id).replace("{phone}", phone).replace("{text}", text))
        }
        Value::Array(items) => items.iter().map(|item| filled(item, id, phone, text)).collect(),
        Value::Object(members) => Value::Object(
            members.iter().map(|(name, member)| (name.clone(), filled(member, id, phone, text))).collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_breaks_the_body() {
        let body = json!({"mobile": ["{phone}"], "msg": "【村务】{text}", "ref": "{id}", "v": 1});
        let sent = filled(&body, "7", "13800000000", "口令\"}, {\"x\": 1");
        assert_eq!(sent, json!({"mobile": ["13800000000"], "msg": "【村务】口令\"}, {\"x\": 1", "ref": "7", "v": 1}));
    }
}
