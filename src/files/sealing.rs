//! Bytes at rest: AES-256-GCM under a fresh key a file, which the field keys seal ([`crate::crypto`]).
//!
//! An object is sealed in segments of 64 KiB, so that a player's range is opened without the rest. The key of an object
//! is made of the file's key and the object's name (HMAC-SHA-256): what is moved to another name does not open. The nonce
//! counts segments and marks the last: none can be left out, moved or cut off.

use std::ops::Range;

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use entity::sealed::Sealed;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::{
    crypto::{FILE_KEY_PURPOSE, FieldKeys},
    problem::Problem,
};

/// Plain bytes of a segment.
pub const SEGMENT: usize = 64 * 1024;
/// What sealing adds to each.
const TAG: usize = 16;

/// The key of one file.
#[derive(Clone)]
pub struct FileKey([u8; 32]);

impl FileKey {
    /// A new one, drawn.
    #[must_use]
    pub fn fresh() -> Self {
        Self(rand::random())
    }

    /// As a column keeps it.
    pub fn close(&self, keys: &FieldKeys) -> Result<Sealed, Problem> {
        keys.seal(FILE_KEY_PURPOSE, &STANDARD_NO_PAD.encode(self.0))
    }

    /// From a column.
    pub fn open(keys: &FieldKeys, sealed: &Sealed) -> Result<Self, Problem> {
        let text = keys.unseal(FILE_KEY_PURPOSE, sealed)?;
        let bytes = STANDARD_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| Problem::unexpected("a key of a file is not 32 bytes"))
    }

    fn of_object(&self, name: &str) -> Result<Aes256Gcm, Problem> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).map_err(Problem::unexpected)?;
        mac.update(name.as_bytes());
        Aes256Gcm::new_from_slice(&mac.finalize().into_bytes()).map_err(Problem::unexpected)
    }
}

fn nonce(segment: u64, last: bool) -> [u8; 12] {
    let mut bytes = [0; 12];
    let (mark, counter) = bytes.split_at_mut(4);
    mark.fill(u8::from(last));
    counter.copy_from_slice(&segment.to_be_bytes());
    bytes
}

/// Seals what will lie under `name`.
pub fn seal(key: &FileKey, name: &str, plain: &[u8]) -> Result<Vec<u8>, Problem> {
    let cipher = key.of_object(name)?;
    let count = plain.len().div_ceil(SEGMENT).max(1);
    let mut sealed = Vec::with_capacity(plain.len() + count * TAG);
    for at in 0..count {
        let end = plain.len().min((at + 1) * SEGMENT);
        let part = plain.get(at * SEGMENT..end).unwrap_or_default();
        let payload = Payload { msg: part, aad: name.as_bytes() };
        let nonce = nonce(at as u64, at + 1 == count);
        sealed.extend(cipher.encrypt(&nonce.into(), payload).map_err(Problem::unexpected)?);
    }
    Ok(sealed)
}

/// Opens a whole object.
pub fn open(key: &FileKey, name: &str, sealed: &[u8]) -> Result<Vec<u8>, Problem> {
    let count = sealed.len().div_ceil(SEGMENT + TAG).max(1) as u64;
    open_segments(key, name, 0..count, count, sealed)
}

/// Opens the `segments` of an object that has `all` of them; `sealed` is what lies at [`place_of`] them.
pub fn open_segments(
    key: &FileKey,
    name: &str,
    segments: Range<u64>,
    all: u64,
    sealed: &[u8],
) -> Result<Vec<u8>, Problem> {
    let cipher = key.of_object(name)?;
    let fault = || Problem::unexpected("an object of the store does not open");
    let mut plain = Vec::with_capacity(sealed.len());
    let mut parts = sealed.chunks(SEGMENT + TAG);
    for at in segments {
        let part = parts.next().ok_or_else(fault)?;
        let payload = Payload { msg: part, aad: name.as_bytes() };
        plain.extend(cipher.decrypt(&nonce(at, at + 1 == all).into(), payload).map_err(|_| fault())?);
    }
    if parts.next().is_some() { Err(fault()) } else { Ok(plain) }
}

/// How many segments so many plain bytes make.
#[must_use]
pub fn segments_of(bytes: u64) -> u64 {
    bytes.div_ceil(SEGMENT as u64).max(1)
}

/// Where segments lie in an object of so many plain bytes.
#[must_use]
pub fn place_of(segments: Range<u64>, bytes: u64) -> Range<u64> {
    let each = (SEGMENT + TAG) as u64;
    let end = bytes + segments_of(bytes) * TAG as u64;
    segments.start * each..(segments.end * each).min(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_range_opens_and_nothing_can_be_moved_cut_or_changed() {
        let key = FileKey::fresh();
        for bytes in [1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT, 3 * SEGMENT + 7] {
            let plain: Vec<u8> = (0..bytes).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect();
            let sealed = seal(&key, "file/a", &plain).unwrap();
            assert_eq!(open(&key, "file/a", &sealed).unwrap(), plain);
            assert!(open(&key, "file/b", &sealed).is_err(), "another name");
            assert!(open(&FileKey::fresh(), "file/a", &sealed).is_err(), "another key");
            let all = segments_of(bytes as u64);
            assert_eq!(place_of(0..all, bytes as u64), 0..sealed.len() as u64);
            for first in 0..all {
                let place = place_of(first..all, bytes as u64);
                let part = &sealed[usize::try_from(place.start).unwrap()..usize::try_from(place.end).unwrap()];
                let opened = open_segments(&key, "file/a", first..all, all, part).unwrap();
                assert_eq!(opened, plain[usize::try_from(first).unwrap() * SEGMENT..]);
            }
            if all > 1 {
                let cut = &sealed[..SEGMENT + TAG];
                assert!(open(&key, "file/a", cut).is_err(), "the end is missing");
            }
            let mut changed = sealed.clone();
            changed[0] ^= 1;
            assert!(open(&key, "file/a", &changed).is_err(), "a changed byte");
        }
    }

    #[test]
    fn a_key_is_kept_sealed() {
        use crate::config::{Config, Environment};
        let keys = FieldKeys::new(&Config::of_files(Environment::Test).unwrap().crypto).unwrap();
        let key = FileKey::fresh();
        let kept = key.close(&keys).unwrap();
        assert_eq!(FileKey::open(&keys, &kept).unwrap().0, key.0);
        assert!(FileKey::open(&keys, &Sealed("demo.AAAA".into())).is_err());
    }
}
