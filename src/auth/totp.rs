//! One-time codes of an authenticator (RFC 6238): SHA-1, six digits, thirty seconds, as every app makes them.
//!
//! Pure: a secret, a code and a time in, the step of the code out. That a code is good once is for who keeps the last
//! step to see to. Next: [`super::own`], which enrols, and [`super::ops`], which asks for the code.

use entity::Instant;
use hmac::{Hmac, KeyInit, Mac};
use rand::RngExt;
use sha1::Sha1;
use subtle::ConstantTimeEq;

/// Seconds of a step.
const STEP_S: i64 = 30;
/// Steps by which the clock of a phone may be off, either way (RFC 6238, 5.2).
const WINDOW: i64 = 1;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// How the account is headed in an authenticator.
const ISSUER: &str = "Shuoshi";

/// A new secret of 160 bits (RFC 4226, 4), in base32.
#[must_use]
pub fn fresh_secret() -> String {
    let bytes: [u8; 20] = rand::rng().random();
    base32(&bytes)
}

/// What an authenticator reads from a QR code. User names are plain ASCII and need no escaping.
#[must_use]
pub fn uri(username: &str, secret: &str) -> String {
    format!("otpauth://totp/{ISSUER}:{username}?secret={secret}&issuer={ISSUER}&algorithm=SHA1&digits=6&period=30")
}

/// The step whose code this is, when it lies in the window around now. The same time for every wrong code.
#[must_use]
pub fn step_of(secret: &str, code: &str, now: Instant) -> Option<i64> {
    let key = bytes(secret)?;
    let digits: String = code.chars().filter(|sign| !sign.is_whitespace()).collect();
    let current = now.timestamp().div_euclid(STEP_S);
    let mut found = None;
    for step in current - WINDOW..=current + WINDOW {
        let right = code_of(&key, step, 6)?;
        if bool::from(right.as_bytes().ct_eq(digits.as_bytes())) {
            found = Some(step);
        }
    }
    found
}

/// The code of a time: for clients that are tests.
#[must_use]
pub fn code_at(secret: &str, now: Instant) -> Option<String> {
    code_of(&bytes(secret)?, now.timestamp().div_euclid(STEP_S), 6)
}

/// HOTP (RFC 4226, 5.3) of a step.
fn code_of(key: &[u8], step: i64, digits: u32) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).ok()?;
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(*hash.last()? & 0xf);
    let four: [u8; 4] = hash.get(at..at + 4)?.try_into().ok()?;
    let number = (u32::from_be_bytes(four) & 0x7fff_ffff) % 10_u32.pow(digits);
    Some(format!("{number:0width$}", width = digits as usize))
}

/// RFC 4648, 6, without padding.
fn base32(bytes: &[u8]) -> String {
    let (mut text, mut kept, mut bits) = (String::new(), 0_u32, 0);
    for byte in bytes {
        kept = (kept << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(sign(kept >> bits));
        }
    }
    if bits > 0 {
        text.push(sign(kept << (5 - bits)));
    }
    text
}

fn sign(value: u32) -> char {
    ALPHABET.get((value & 31) as usize).map_or('A', |byte| char::from(*byte))
}

fn bytes(base32: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut kept, mut bits) = (Vec::new(), 0_u32, 0);
    for sign in base32.bytes() {
        let value = ALPHABET.iter().position(|known| *known == sign)?;
        kept = (kept << 5) | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((kept >> bits) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        chrono::DateTime::from_timestamp(seconds, 0).unwrap()
    }

    /// RFC 6238, appendix B, the rows of SHA-1: eight digits.
    #[test]
    fn the_vectors_of_the_standard_come_out() {
        let key = b"12345678901234567890";
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(code_of(key, seconds / 30, 8).unwrap(), code);
            assert_eq!(code_at(&base32(key), at(seconds)).unwrap(), code[2..]);
        }
    }

    /// RFC 4648, 10.
    #[test]
    fn base32_is_that_of_the_standard_and_reads_back() {
        for (text, coded) in
            [("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(base32(text.as_bytes()), coded);
            assert_eq!(bytes(coded).unwrap(), text.as_bytes());
        }
        assert!(bytes("01").is_none());
        assert_eq!(fresh_secret().len(), 32);
        assert_ne!(fresh_secret(), fresh_secret());
    }

    #[test]
    fn a_clock_may_be_half_a_minute_off_and_no_more() {
        let secret = fresh_secret();
        let now = at(1_800_000_000);
        let code = |seconds: i64| code_at(&secret, at(1_800_000_000 + seconds)).unwrap();
        assert_eq!(step_of(&secret, &code(0), now), Some(60_000_000));
        assert_eq!(step_of(&secret, &code(-30), now), Some(59_999_999));
        assert_eq!(step_of(&secret, &code(30), now), Some(60_000_001));
        assert_eq!(step_of(&secret, &code(-60), now), None);
        assert_eq!(step_of(&secret, &code(60), now), None);
        let spoken = format!("{} {}", &code(0)[..3], &code(0)[3..]);
        assert_eq!(step_of(&secret, &spoken, now), Some(60_000_000));
        for wrong in ["", "12345", "1234567", "abcdef", "１２３４５６"] {
            assert_eq!(step_of(&secret, wrong, now), None, "{wrong}");
        }
    }
}
