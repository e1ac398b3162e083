//! What WeChat sends us: messages and events, signed and, in safe mode, sealed.
//!
//! The page is 基础能力, 消息推送. [`Inbox::receive`] is a pure function from query and body to a message that may be
//! believed, so that the address which takes pushes has nothing to decide; [`Inbox::reply`] is the way back. WeCom calls
//! back in the same manner with the corporation id as receiver. Next: `seal` for the cipher, `xml` for one of the two
//! ways of writing.

mod seal;
#[cfg(test)]
mod tests;
mod xml;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

use self::seal::SealKey;
pub(crate) use self::xml::write as write_xml;
use super::open_data::hex;

/// The largest body; messages are at most some kilobytes.
pub const BODY_BYTES: usize = 128 * 1024;

/// Why a push is not believed or cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The `EncodingAESKey` is not 43 characters of base64, or there is none for a sealed push.
    #[error("there is no usable EncodingAESKey")]
    Key,
    /// The signature does not fit (or is missing).
    #[error("the signature does not fit")]
    Signature,
    /// A key is configured and the push is not sealed: nothing would vouch for its text.
    #[error("the push is not sealed")]
    NotSealed,
    /// The seal is broken.
    #[error("the push does not open")]
    Sealed,
    /// It was sealed for another mini program or corporation.
    #[error("the push is meant for somebody else")]
    Receiver,
    /// The body is neither JSON nor XML of the kind WeChat sends, or too large.
    #[error("the push cannot be read")]
    Unreadable,
}

/// How a push is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// `{...}`
    Json,
    /// `<xml>...</xml>`
    Xml,
}

/// The query of a push; what is missing is empty and fits no signature.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PushQuery {
    /// Of token, time and nonce.
    pub signature: String,
    /// Unix seconds.
    pub timestamp: String,
    /// Chosen by the sender.
    pub nonce: String,
    /// To be sent back when the address is set up.
    pub echostr: String,
    /// Of token, time, nonce and the sealed text.
    pub msg_signature: String,
}

/// A push that may be believed.
#[derive(Clone, Debug, PartialEq)]
pub struct Pushed {
    /// As it was written.
    pub format: Format,
    /// The message as WeChat wrote it, opened.
    pub text: String,
    /// The same, read. XML elements that repeat are an array, all texts of XML are strings; in JSON too, numbers often
    /// come as strings, and a `List` of one item as the item (消息.md).
    pub message: Value,
}

/// Where pushes arrive: the token and key of the console's page, and who we are.
#[derive(Clone, Debug)]
pub struct Inbox {
    token: SecretString,
    key: Option<SealKey>,
    receiver: String,
}

impl Inbox {
    /// `encoding_aes_key` is empty in plain mode. `receiver` is the app id, with WeCom the corporation id.
    pub fn new(token: &SecretString, encoding_aes_key: &SecretString, receiver: &str) -> Result<Self, PushError> {
        let key = match encoding_aes_key.expose_secret() {
            "" => None,
            text => Some(SealKey::new(text).ok_or(PushError::Key)?),
        };
        Ok(Self { token: token.clone(), key, receiver: receiver.to_owned() })
    }

    /// Whether there is a key.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.key.is_some()
    }

    /// What to answer to the test of a mini program's address: `echostr` as it came.
    pub fn verify_url<'a>(&self, query: &'a PushQuery) -> Result<&'a str, PushError> {
        self.check(&query.signature, &[&query.timestamp, &query.nonce])?;
        Ok(&query.echostr)
    }

    /// What to answer to the test of a WeCom address: `echostr`, which is signed and sealed there, opened.
    pub fn verify_wecom_url(&self, query: &PushQuery) -> Result<String, PushError> {
        self.check(&query.msg_signature, &[&query.timestamp, &query.nonce, &query.echostr])?;
        self.open(&query.echostr)
    }

    /// Reads a push in plain, compatible or safe mode.
    ///
    /// With a key configured only the sealed text counts: the plain text of compatible mode is covered by no signature,
    /// nor is the body of a plain push.
    pub fn receive(&self, query: &PushQuery, body: &[u8]) -> Result<Pushed, PushError> {
        if body.len() > BODY_BYTES {
            return Err(PushError::Unreadable);
        }
        let text = std::str::from_utf8(body).map_err(|_| PushError::Unreadable)?;
        if self.key.is_none() {
            // The signature covers no part of the body, so it is checked before anything of the body is read.
            self.check(&query.signature, &[&query.timestamp, &query.nonce])?;
        }
        let (format, message) = read(text)?;
        match (message.get("Encrypt").and_then(Value::as_str), &self.key) {
            (Some(sealed), Some(_)) => {
                self.check(&query.msg_signature, &[&query.timestamp, &query.nonce, sealed])?;
                let text = self.open(sealed)?;
                let (format, message) = read(&text)?;
                Ok(Pushed { format, text, message })
            }
            (None, Some(_)) => Err(PushError::NotSealed),
            (Some(_), None) if message.get("MsgType").is_none() => Err(PushError::Key),
            (_, None) => Ok(Pushed { format, text: text.to_owned(), message }),
        }
    }

    /// A sealed and signed answer to a push (an ordinary answer is `success`, unsealed). `nonce` is that of the push.
    pub fn reply(&self, format: Format, text: &str, timestamp: i64, nonce: &str) -> Result<String, PushError> {
        self.reply_with(rand::random(), format, text, timestamp, nonce)
    }

    pub(super) fn reply_with(
        &self,
        random: [u8; 16],
        format: Format,
        text: &str,
        timestamp: i64,
        nonce: &str,
    ) -> Result<String, PushError> {
        let sealed = self.seal_with(random, text)?;
        let signature = self.signature(&[&timestamp.to_string(), nonce, &sealed]);
        Ok(match format {
            Format::Json => json!({
                "Encrypt": sealed, "MsgSignature": signature, "TimeStamp": timestamp, "Nonce": nonce
            })
            .to_string(),
            Format::Xml => format!(
                "<xml>\n<Encrypt>{}</Encrypt>\n<MsgSignature>{}</MsgSignature>\n<TimeStamp>{timestamp}</TimeStamp>\n\
                 <Nonce>{}</Nonce>\n</xml>",
                xml::cdata(&sealed),
                xml::cdata(&signature),
                xml::cdata(nonce)
            ),
        })
    }

    /// Seals a text as WeChat does; the simulator sends so.
    pub(crate) fn seal(&self, text: &str) -> Result<String, PushError> {
        self.seal_with(rand::random(), text)
    }

    fn seal_with(&self, random: [u8; 16], text: &str) -> Result<String, PushError> {
        let key = self.key.as_ref().ok_or(PushError::Key)?;
        key.seal(random, text, &self.receiver).ok_or(PushError::Sealed)
    }

    fn open(&self, sealed: &str) -> Result<String, PushError> {
        let key = self.key.as_ref().ok_or(PushError::Key)?;
        let (text, receiver) = key.open(sealed).ok_or(PushError::Sealed)?;
        if receiver == self.receiver { Ok(text) } else { Err(PushError::Receiver) }
    }

    /// SHA-1 of the token and `parts`, sorted as bytes and put together.
    pub(crate) fn signature(&self, parts: &[&str]) -> String {
        let mut all: Vec<&str> = parts.iter().copied().chain([self.token.expose_secret()]).collect();
        all.sort_unstable();
        hex(&all.iter().fold(Sha1::new(), Sha1::chain_update).finalize())
    }

    fn check(&self, signature: &str, parts: &[&str]) -> Result<(), PushError> {
        // Without a token everybody could sign.
        let fits = self.signature(parts).as_bytes().ct_eq(signature.as_bytes()).into();
        if fits && !self.token.expose_secret().is_empty() { Ok(()) } else { Err(PushError::Signature) }
    }
}

/// Reads an object out of JSON or XML; the first byte says which it is.
pub(crate) fn read(text: &str) -> Result<(Format, Value), PushError> {
    let (format, value) = match text.trim_start().as_bytes().first() {
        Some(b'{') => (Format::Json, serde_json::from_str(text).ok()),
        Some(b'<') => (Format::Xml, xml::read(text)),
        _ => return Err(PushError::Unreadable),
    };
    value.filter(Value::is_object).map(|value| (format, value)).ok_or(PushError::Unreadable)
}
