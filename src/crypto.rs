//! Personal data at rest: sealed by field (AES-256-GCM), found again by keyed hash, shown masked
//! ([`crate::personal`]).
//!
//! A database dump must tell nothing (个人信息保护法 51). [`FieldKeys`] seals with the active key and opens with any it
//! still has, so that keys can be rotated. Where plaintext is allowed to go is decided by the views of each feature.

use std::{collections::BTreeMap, fmt::Write, sync::Arc};

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Generate, Payload},
};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use entity::sealed::Sealed;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::{config, problem::Problem};

/// Bytes of a GCM nonce.
const NONCE: usize = 12;

/// What the keys of files are sealed for.
pub(crate) const FILE_KEY_PURPOSE: &str = "file.key";

/// The keys of this deployment. Clones share them.
#[derive(Clone)]
pub struct FieldKeys(Arc<Keys>);

struct Keys {
    active: String,
    fields: BTreeMap<String, Aes256Gcm>,
    index: Vec<u8>,
    audit: Vec<u8>,
}

impl FieldKeys {
    /// From configuration that [`config::Config::check`] has accepted.
    pub fn new(settings: &config::Crypto) -> Result<Self, config::ConfigFault> {
        let wrong = |name: &str| config::ConfigFault::Wrong(format!("crypto: {name} is not base64 of 32 bytes"));
        let mut fields = BTreeMap::new();
        for (name, key) in &settings.field_keys {
            let bytes = config::decode(key).ok_or_else(|| wrong(name))?;
            fields.insert(name.clone(), Aes256Gcm::new_from_slice(&bytes).map_err(|_| wrong(name))?);
        }
        let index = config::decode(&settings.index_key).ok_or_else(|| wrong("index_key"))?;
        let audit = config::decode(&settings.audit_key).ok_or_else(|| wrong("audit_key"))?;
        Ok(Self(Arc::new(Keys { active: settings.active_field_key.clone(), fields, index, audit })))
    }

    /// The id of the key that seals.
    #[must_use]
    pub fn active(&self) -> &str {
        &self.0.active
    }

    /// The ids of all keys that open.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.fields.keys().map(String::as_str)
    }

    /// Seals `text`; `purpose` (e.g. `person.phone`) is bound to it, so that a value moved to another column does not open.
    pub(crate) fn seal(&self, purpose: &str, text: &str) -> Result<Sealed, Problem> {
        let active = self.active();
        let key = self.0.fields.get(active).ok_or_else(|| Problem::unexpected("no active field key"))?;
        let nonce = Nonce::generate();
        let payload = Payload { msg: text.as_bytes(), aad: purpose.as_bytes() };
        let closed = key.encrypt(&nonce, payload).map_err(Problem::unexpected)?;
        let mut bytes = nonce.to_vec();
        bytes.extend(closed);
        Ok(Sealed(format!("{active}.{}", STANDARD_NO_PAD.encode(bytes))))
    }

    /// Opens what [`Self::seal`] closed. What is wrong is told by the id of the key, never by the value.
    pub(crate) fn unseal(&self, purpose: &str, sealed: &Sealed) -> Result<String, Problem> {
        let fault = || Problem::unexpected(format!("a sealed {purpose} does not open"));
        let (name, text) = sealed.0.split_once('.').ok_or_else(fault)?;
        let key = self.0.fields.get(name).ok_or_else(|| {
            Problem::unexpected(format!("a {purpose} is sealed with the key '{name}', which crypto.field_keys lacks"))
        })?;
        let bytes = STANDARD_NO_PAD.decode(text).map_err(|_| fault())?;
        let (nonce, closed) = bytes.split_at_checked(NONCE).ok_or_else(fault)?;
        let nonce = Nonce::try_from(nonce).map_err(|_| fault())?;
        let payload = Payload { msg: closed, aad: purpose.as_bytes() };
        let opened = key.decrypt(&nonce, payload).map_err(|_| fault())?;
        String::from_utf8(opened).map_err(|_| fault())
    }

    /// A keyed hash for equality search (HMAC-SHA-256, hexadecimal).
    pub fn blind_index(&self, purpose: &str, text: &str) -> Result<String, Problem> {
        keyed_hash(&self.0.index, purpose, text)
    }

    /// What seals the manifest of a backup.
    pub(crate) fn backup_seal(&self, text: &str) -> Result<String, Problem> {
        keyed_hash(&self.0.audit, "backup", text)
    }

    /// What links the entries of the audit; a key of its own, so that hashes for search can be made anew without it.
    pub(crate) fn audit_hash(&self, text: &str) -> Result<String, Problem> {
        keyed_hash(&self.0.audit, "audit", text)
    }
}

fn keyed_hash(key: &[u8], purpose: &str, text: &str) -> Result<String, Problem> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(Problem::unexpected)?;
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(text.as_bytes());
    Ok(hex(&mac.finalize().into_bytes()))
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Environment};

    #[test]
    fn what_is_sealed_opens_only_for_its_purpose_and_tells_nothing() {
        let keys = FieldKeys::new(&Config::of_files(Environment::Test).unwrap().crypto).unwrap();
        let one = keys.seal("person.phone", "13800138000").unwrap();
        let two = keys.seal("person.phone", "13800138000").unwrap();
        assert_ne!(one, two, "a nonce is never used twice");
        assert!(!one.0.contains("138"));
        assert_eq!(keys.unseal("person.phone", &one).unwrap(), "13800138000");
        assert!(keys.unseal("person.name", &one).is_err());
        assert!(keys.unseal("person.phone", &Sealed("demo.AAAA".into())).is_err());
        let lost = keys.unseal("person.phone", &Sealed("gone.AAAA".into())).unwrap_err();
        assert!(lost.source_text().unwrap().contains("the key 'gone'"));
    }
}
