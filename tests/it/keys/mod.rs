//! Keys: every sealed column can be sealed anew, while servers write, and nothing is lost by it.

mod reindex;
mod rotate;
mod table;

use secrecy::SecretString;
use shuoshi::config::Config;

/// A key that no configuration has.
pub(super) const FRESH: &str = "KiQnrYh4LTBfItRAKY/twY7F/zpxyv6IkVf8lK6RCQ0=";

/// The demonstration key and another one; `active` seals.
pub(super) fn two_keys(active: &'static str) -> impl FnOnce(&mut Config) {
    move |config| {
        config.crypto.field_keys.insert("fresh".to_owned(), SecretString::from(FRESH));
        active.clone_into(&mut config.crypto.active_field_key);
    }
}

/// The other one alone.
pub(super) fn fresh_key_only(config: &mut Config) {
    two_keys("fresh")(config);
    config.crypto.field_keys.remove("demo");
}
