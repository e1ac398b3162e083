//! Staff passwords: argon2id (RFC 9106), verified off the threads that answer, a few at a time.

use std::sync::{Arc, OnceLock};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::problem::Problem;

/// Verifies and makes password hashes.
pub struct Passwords {
    at_once: Arc<Semaphore>,
    /// What an unknown name is compared with, so that it takes as long as a known one.
    nobody: Arc<OnceLock<String>>,
}

impl Default for Passwords {
    /// Two hashes at once: each takes 19 MiB and tens of milliseconds.
    fn default() -> Self {
        Self { at_once: Arc::new(Semaphore::new(2)), nobody: Arc::default() }
    }
}

impl Passwords {
    /// Whether `password` is what `hash` was made of; without a hash, `false` after the same time.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Problem> {
        let permit = self.at_once.clone().acquire_owned().await.map_err(Problem::unexpected)?;
        let known = hash.is_some();
        let nobody = self.nobody.clone();
        let verified = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let hash = match hash {
                Some(hash) => hash,
                None => nobody_s(&nobody)?,
            };
            let hash = PasswordHash::new(&hash).map_err(Problem::unexpected)?;
            Ok::<_, Problem>(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        });
        Ok(verified.await.map_err(Problem::unexpected)?? && known)
    }
}

impl Passwords {
    /// A hash to keep, made off the threads that answer.
    pub async fn make(&self, password: String) -> Result<String, Problem> {
        let permit = self.at_once.clone().acquire_owned().await.map_err(Problem::unexpected)?;
        let made = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            hash(&password)
        });
        made.await.map_err(Problem::unexpected)?
    }
}

/// Made at the first unknown name, not at the start: it would keep 19 MiB busy for nothing.
fn nobody_s(kept: &OnceLock<String>) -> Result<String, Problem> {
    if let Some(hash) = kept.get() {
        return Ok(hash.clone());
    }
    let made = hash("a password that nobody has")?;
    Ok(kept.get_or_init(|| made).clone())
}

/// A hash to keep.
pub fn hash(password: &str) -> Result<String, Problem> {
    Ok(Argon2::default().hash_password(password.as_bytes()).map_err(Problem::unexpected)?.to_string())
}
