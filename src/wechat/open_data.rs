//! What a phone hands over signed or sealed by WeChat: `rawData` and `encryptedData`.
//!
//! The page is 开放能力, 开放数据校验与解密. A villager could change anything on the way from the phone, so nothing of it is
//! believed before the signature fits or the seal opens; the session key of [`super::Session`] does both. Next:
//! [`super::push`], which is sealed in another manner.

use aes::{
    Aes128,
    cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use cbc::Decryptor;
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use sha1::{Digest, Sha1};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::clock::Instant;

/// Sealed data are a few hundred bytes; what is larger is refused before it is decoded.
const SEALED_CHARS: usize = 64 * 1024;
/// Phones' data may carry a time a little ahead of ours.
const CLOCKS_APART: TimeDelta = TimeDelta::minutes(1);

/// Why sealed data are not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenDataError {
    /// Data, initial vector or session key are not base64 of the right length.
    #[error("the sealed data are malformed")]
    Malformed,
    /// They do not open with this session key: it is over (or they were tampered with); the villager signs in anew.
    #[error("the sealed data do not open with this session key")]
    SessionOver,
    /// They were sealed for another mini program.
    #[error("the sealed data are those of another mini program")]
    OtherApp,
    /// They are older than asked for, or from the future.
    #[error("the sealed data are too old")]
    Stale,
}

#[derive(Deserialize)]
struct Watermarked {
    watermark: Watermark,
}

#[derive(Deserialize)]
struct Watermark {
    appid: String,
    timestamp: i64,
}

/// Whether `signature` is that of `raw_data`: SHA-1 of the data and the session key, which counts as text here.
#[must_use]
pub fn raw_data_is_genuine(raw_data: &str, session_key: &SecretString, signature: &str) -> bool {
    let expected = hex(&Sha1::new().chain_update(raw_data).chain_update(session_key.expose_secret()).finalize());
    expected.as_bytes().ct_eq(signature.as_bytes()).into()
}

/// Opens `encryptedData` (AES-128-CBC) and checks its watermark: our mini program, and not older than `at_most`.
///
/// New fields may come at any time, so the answer is the JSON as WeChat wrote it.
pub fn open(
    encrypted_data: &str,
    iv: &str,
    session_key: &SecretString,
    app_id: &str,
    (now, at_most): (Instant, TimeDelta),
) -> Result<Value, OpenDataError> {
    let text = decrypt(encrypted_data, iv, session_key)?;
    let value: Value = serde_json::from_slice(&text).map_err(|_| OpenDataError::SessionOver)?;
    let marked: Watermarked = serde_json::from_slice(&text).map_err(|_| OpenDataError::SessionOver)?;
    if marked.watermark.appid != app_id {
        return Err(OpenDataError::OtherApp);
    }
    let age = Instant::from_timestamp(marked.watermark.timestamp, 0).map(|at| now - at);
    if age.is_none_or(|age| age > at_most || age < -CLOCKS_APART) {
        return Err(OpenDataError::Stale);
    }
    Ok(value)
}

fn decrypt(encrypted_data: &str, iv: &str, session_key: &SecretString) -> Result<Vec<u8>, OpenDataError> {
    let bytes = |text: &str| STANDARD.decode(text).map_err(|_| OpenDataError::Malformed);
    if encrypted_data.len() > SEALED_CHARS {
        return Err(OpenDataError::Malformed);
    }
    let key = bytes(session_key.expose_secret())?;
    let cipher = Decryptor::<Aes128>::new_from_slices(&key, &bytes(iv)?).map_err(|_| OpenDataError::Malformed)?;
    let mut data = bytes(encrypted_data)?;
    let length = cipher.decrypt_padded::<Pkcs7>(&mut data).map_err(|_| OpenDataError::SessionOver)?.len();
    data.truncate(length);
    Ok(data)
}

/// The hash by which `checkencryptedmsg` (检查加密信息) is asked whether WeChat really sealed these data.
#[must_use]
pub fn hash(encrypted_data: &str) -> String {
    hex(&Sha256::digest(encrypted_data))
}

/// HMAC-SHA256 with the session key as text, which proves to WeChat that we have it (检验登录态).
#[must_use]
pub fn session_signature(session_key: &SecretString, data: &str) -> String {
    // A key of any length will do for HMAC, so this never fails.
    Hmac::<Sha256>::new_from_slice(session_key.expose_secret().as_bytes())
        .map(|mac| hex(&mac.chain_update(data).finalize().into_bytes()))
        .unwrap_or_default()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
