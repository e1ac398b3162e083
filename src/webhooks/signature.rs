//! Signatures of Standard Webhooks: HMAC-SHA-256 over `id.timestamp.body`, by every secret that holds now.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::problem::Problem;

/// What secrets begin with.
pub const PREFIX: &str = "whsec_";
/// Bytes of a new secret; the specification asks for 24 to 64.
const BYTES: usize = 32;

/// A new secret, as its receiver writes it down.
#[must_use]
pub fn fresh_secret() -> String {
    format!("{PREFIX}{}", STANDARD.encode(rand::random::<[u8; BYTES]>()))
}

/// The header `webhook-signature`: one `v1,...` for each secret, parted by spaces.
///
/// # Errors
/// A secret that is none.
pub fn sign<'a>(
    secrets: impl IntoIterator<Item = &'a str>,
    id: &str,
    timestamp: i64,
    body: &str,
) -> Result<String, Problem> {
    let mut signatures = Vec::new();
    for secret in secrets {
        let key = STANDARD.decode(secret.trim_start_matches(PREFIX));
        let key = key.map_err(|_| Problem::unexpected("the secret of a webhook is not base64"))?;
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).map_err(Problem::unexpected)?;
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        signatures.push(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));
    }
    Ok(signatures.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector that the specification's libraries are tested with.
    #[test]
    fn it_signs_as_the_specification_does() {
        let secret = format!("{PREFIX}{}", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let (id, at, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        let signed = sign([secret.as_str()], id, at, body).unwrap();
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        let both = sign([secret.as_str(), "whsec_c2VjcmV0"], id, at, body).unwrap();
        assert!(both.starts_with(&format!("{signed} v1,")), "{both}");
        assert!(sign(["whsec_!"], id, at, body).is_err());
    }

    #[test]
    fn a_secret_is_long_enough_and_another_each_time() {
        let secret = fresh_secret();
        assert_eq!(STANDARD.decode(secret.strip_prefix(PREFIX).unwrap()).unwrap().len(), BYTES);
        assert_ne!(secret, fresh_secret());
    }
}
