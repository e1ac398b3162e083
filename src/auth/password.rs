//! Staff passwords: argon2id (RFC 9106), verified off the threads that answer, a few at a time.

use std::sync::Arc;

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
    nobody: String,
}

impl Passwords {
    /// Allows a bounded number of hashes at once: each takes 19 MiB and tens of milliseconds.
    pub fn new() -> Result<Self, Problem> {
        Ok(Self { at_once: Arc::new(Semaphore::new(2)), nobody: hash("a password that nobody has")? })
    }

    /// Whether `password` is what `hash` was made of; without a hash, `false` after the same time.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Problem> {
        let permit = self.at_once.clone().acquire_owned().await.map_err(Problem::unexpected)?;
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.clone());
        let verified = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let hash = PasswordHash::new(&hash).map_err(Problem::unexpected)?;
            Ok::<_, Problem>(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        });
        Ok(verified.await.map_err(Problem::unexpected)?? && known)
    }
}

/// A hash to keep.
pub fn hash(password: &str) -> Result<String, Problem> {
    Ok(Argon2::default().hash_password(password.as_bytes()).map_err(Problem::unexpected)?.to_string())
}
