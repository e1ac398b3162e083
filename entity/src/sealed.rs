//! Personal data as a column holds it: sealed text that means nothing without the field key.

use sea_orm::DeriveValueType;

/// `key id.base64(nonce + ciphertext + tag)`, AES-256-GCM. Only the product's field keys open it.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub struct Sealed(pub String);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealed(..)")
    }
}
