//! Access tokens: short JWTs that name a session, signed with a key that has a name (RFC 7519, RFC 7515 `kid`).

use std::collections::BTreeMap;

use chrono::TimeDelta;
use entity::{Instant, id::SessionId};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{config, crypto::hex, problem::Problem};

const ISSUER: &str = "shuoshi";

/// The signing keys. One signs, all verify.
pub struct Keyring {
    active: String,
    signing: EncodingKey,
    verifying: BTreeMap<String, DecodingKey>,
    life: TimeDelta,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sid: SessionId,
    iat: i64,
    exp: i64,
}

impl Keyring {
    /// From configuration that was checked.
    pub fn new(settings: &config::Auth) -> Result<Self, config::ConfigFault> {
        let mut signing = None;
        let mut verifying = BTreeMap::new();
        for (name, key) in &settings.jwt_keys {
            let wrong = || config::ConfigFault::Wrong(format!("auth.jwt_keys.{name} is not base64"));
            let bytes = config::decode(key).ok_or_else(wrong)?;
            if *name == settings.active_jwt_key {
                signing = Some(EncodingKey::from_secret(&bytes));
            }
            verifying.insert(name.clone(), DecodingKey::from_secret(&bytes));
        }
        let wrong = || config::ConfigFault::Wrong("auth.active_jwt_key names no key".to_owned());
        Ok(Self {
            active: settings.active_jwt_key.clone(),
            signing: signing.ok_or_else(wrong)?,
            verifying,
            life: TimeDelta::minutes(settings.access_minutes),
        })
    }

    /// How long an access token lives, in seconds.
    #[must_use]
    pub fn life_s(&self) -> i64 {
        self.life.num_seconds()
    }

    /// A token for a session.
    pub fn sign(&self, sid: SessionId, now: Instant) -> Result<String, Problem> {
        let header = Header { kid: Some(self.active.clone()), ..Header::new(Algorithm::HS256) };
        let claims = Claims { iss: ISSUER.to_owned(), sid, iat: now.timestamp(), exp: (now + self.life).timestamp() };
        encode(&header, &claims, &self.signing).map_err(Problem::unexpected)
    }

    /// The session a token names, when it is ours and not expired.
    #[must_use]
    pub fn verify(&self, token: &str, now: Instant) -> Option<SessionId> {
        let key = self.verifying.get(&decode_header(token).ok()?.kid?)?;
        // The algorithm is pinned; expiry is judged by the application's clock.
        let mut rules = Validation::new(Algorithm::HS256);
        rules.validate_exp = false;
        rules.set_issuer(&[ISSUER]);
        let claims = decode::<Claims>(token, key, &rules).ok()?.claims;
        (claims.exp > now.timestamp()).then_some(claims.sid)
    }
}

/// A refresh token: 256 random bits, and the hash that is kept of them.
pub(super) fn refresh_token() -> (String, String) {
    let bytes: [u8; 32] = rand::rng().random();
    let token = hex(&bytes);
    let hash = hash(&token);
    (token, hash)
}

/// What is kept of a refresh token.
pub(super) fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}
