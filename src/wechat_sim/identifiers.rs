//! Identifiers in the shapes of the real ones.
//!
//! Columns and checks written against short made-up identifiers fail on the first real one, so lengths and alphabets are
//! those seen on the real server. Next: [`super::people`], who bear them.

use base64::{Engine, engine::general_purpose::STANDARD};

const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// `length` random characters of the URL-safe alphabet that `keep` keeps.
fn random_text(length: usize, keep: fn(char) -> bool) -> String {
    rand::random_iter::<u8>()
        .filter_map(|byte| URL_SAFE.get(usize::from(byte & 63)).copied().map(char::from))
        .filter(|letter| keep(*letter))
        .take(length)
        .collect()
}

fn any(_: char) -> bool {
    true
}

/// 28 characters that start with `o`; a unionid looks the same.
pub(super) fn openid() -> String {
    format!("o{}", random_text(27, any))
}

/// What `wx.login` gives: 32 letters and digits.
pub(super) fn js_code() -> String {
    random_text(32, |letter| letter.is_ascii_alphanumeric())
}

/// What the phone-number button gives: 64 hexadecimal digits.
pub(super) fn phone_code() -> String {
    format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>())
}

/// 43 URL-safe characters; codes of WeCom's sign-in page look the same.
pub(super) fn template_id() -> String {
    random_text(43, any)
}

/// The key in the address of a group robot: a UUID.
pub(super) fn robot_key() -> String {
    uuid::Builder::from_random_bytes(rand::random()).into_uuid().to_string()
}

/// The end of a link: letters and digits.
pub(super) fn ticket() -> String {
    random_text(11, |letter| letter.is_ascii_alphanumeric())
}

/// A number of a message; they fit 63 bits.
pub(super) fn message_id() -> i64 {
    rand::random_range(1_000_000_000_000_000_000..i64::MAX)
}

/// Base64 of 16 bytes: 24 characters, the last two `==`.
pub(super) fn session_key() -> String {
    STANDARD.encode(rand::random::<[u8; 16]>())
}

/// 136 characters with a number in front.
pub(super) fn access_token() -> String {
    format!("92_{}", random_text(133, any))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_those_of_the_real_server() {
        assert_eq!(openid().len(), 28);
        assert!(openid().starts_with('o'));
        assert_eq!(js_code().len(), 32);
        assert!(js_code().bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!(session_key().len(), 24);
        assert!(session_key().ends_with("=="));
        assert_eq!(access_token().len(), 136);
        assert_eq!(phone_code().len(), 64);
        assert!(phone_code().bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(template_id().len(), 43);
        assert_eq!(robot_key().len(), 36);
        assert_ne!(openid(), openid());
    }
}
