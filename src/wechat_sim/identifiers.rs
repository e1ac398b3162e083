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
        assert_ne!(openid(), openid());
    }
}
