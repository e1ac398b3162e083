//! Text messages: to a gateway by HTTP, or into a file while developing.
//!
//! Every operator's gateway has its own JSON, so address, body and the mark of success are configuration (`sms.*`).
//! Messages are sent by a job ([`crate::jobs`]), never inside a transaction; neither number nor text is logged. A message
//! bears an id (`{id}` in the body): a gateway that knows it again sends it once, however often it is asked
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
    /// The gateway may have taken it although it did not say so.
    pub may_have_arrived: bool,
}

impl SmsFault {
    fn surely_not(why: impl Into<String>) -> Self {
        Self { why: why.into(), may_have_arrived: false }
    }

    fn perhaps(why: impl Into<String>) -> Self {
        Self { why: why.into(), may_have_arrived: true }
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

    /// Whether a message may be sent again under its id without coming twice.
    #[must_use]
    pub fn drops_repeats(&self) -> bool {
        match &self.0 {
            Way::Off => false,
            Way::File(_) => true,
            Way::Http(gateway) => gateway.repeats_are_dropped,
        }
    }

    /// Sends one message. Its id is the same at each try, and no other message has it.
    ///
    /// # Errors
    /// [`SmsFault`], which says whether the message may have gone.
    pub async fn send(&self, id: &str, to: &PhoneNumber, text: &str) -> Result<(), SmsFault> {
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
    if std::fs::read_to_string(file).is_ok_and(|sent| sent.contains(&format!("\"{id}\""))) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(file)?;
    let line = json!({"id": id, "to": to.in_the_clear(), "text": text});
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
            may_have_arrived: !fault.is_connect() && !fault.is_builder(),
            why: fault.without_url().to_string(),
        })?;
        let status = answer.status();
        if !status.is_success() {
            // A gateway that is overloaded or refuses took nothing; of other failures nobody knows.
            let may_have_arrived = status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE;
            return Err(SmsFault { why: format!("the gateway answered {status}"), may_have_arrived });
        }
        let answer: Value = answer.json().await.map_err(|_| SmsFault::perhaps("the gateway's answer is no JSON"))?;
        self.judge(&answer)
    }

    /// What the gateway's answer says. Only another mark in its place is a refusal: an answer without one is of a kind
    /// that nobody described, and the message may be on its way.
    fn judge(&self, answer: &Value) -> Result<(), SmsFault> {
        let said = match answer.pointer(&self.accepted_at) {
            // Some speak of what went wrong only.
            None | Some(Value::Null) if self.accepted.is_empty() => return Ok(()),
            None | Some(Value::Null) => return Err(SmsFault::perhaps("the gateway's answer lacks its mark")),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        // Only the mark is looked at and nothing of the answer is told: gateways like to repeat the number.
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
    fn only_another_mark_is_a_refusal() {
        let mut settings = crate::config::Config::of_files(crate::config::Environment::Test).unwrap().sms;
        settings.provider = SmsProvider::Http;
        settings.url = "http://127.0.0.1:9/".to_owned();
        let Ok(Sms(Way::Http(gateway))) = Sms::new(&settings) else { panic!("no gateway") };
        for (answer, expected) in [
            (json!({"code": 0}), None),
            (json!({"code": "0"}), None),
            (json!({"code": 17}), Some(false)),
            (json!({"code": "busy"}), Some(false)),
            (json!({"code": null}), Some(true)),
            (json!({"result": 0}), Some(true)),
            (json!([]), Some(true)),
        ] {
            let judged = gateway.judge(&answer).err().map(|fault| fault.may_have_arrived);
            assert_eq!(judged, expected, "{answer}");
        }
    }

    #[test]
    fn no_text_breaks_the_body() {
        let body = json!({"mobile": ["{phone}"], "msg": "【村务】{text}", "ref": "{id}", "v": 1});
        let sent = filled(&body, "7", "13800000000", "口令\"}, {\"x\": 1");
        assert_eq!(sent, json!({"mobile": ["13800000000"], "msg": "【村务】口令\"}, {\"x\": 1", "ref": "7", "v": 1}));
    }
}
