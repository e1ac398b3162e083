//! Keys and what they seal.

use secrecy::ExposeSecret;

use super::Findings;
use crate::{
    audit::verify::{self, Proved},
    config::{self, Config, Environment},
    crypto::FieldKeys,
    db::Db,
    keys,
};

/// Entries at the end of the audit that are proved; `audit verify` proves all.
const LAST_ENTRIES: i64 = 1000;

/// Secrets that are not there though nothing else misses them, and keys that somebody typed.
pub(super) fn look_at_secrets(config: &Config, findings: &mut Findings) {
    let pushed =
        [("wechat.push_token", &config.wechat.push_token), ("wechat.push_aes_key", &config.wechat.push_aes_key)];
    for (name, secret) in pushed {
        if secret.expose_secret().is_empty() {
            let text = format!("secrets: {name} is missing: messages that WeChat pushes cannot be read");
            if config.is_production() { findings.fault(&text) } else { findings.note(&text) }
        }
    }
    let public = Config::of_files(Environment::Development);
    let public: Vec<&str> = public.iter().flat_map(Config::keys).map(|(_, key)| key.expose_secret()).collect();
    let mut demonstration = 0;
    for (name, key) in config.keys() {
        if !config.is_production() && public.contains(&key.expose_secret()) {
            demonstration += 1;
            continue;
        }
        let weakness = config::decode(key).as_deref().and_then(config::weakness);
        if let Some(weakness) = weakness.filter(|_| !key.expose_secret().is_empty()) {
            findings.fault(&format!("keys: {name} is weak: {weakness}; `shuoshi keys new` draws one"));
        }
    }
    if demonstration > 0 {
        findings.note("keys: the public demonstration keys are in use; production refuses them");
    } else {
        let (fields, tokens) = (config.crypto.field_keys.len(), config.auth.jwt_keys.len());
        findings.fine(&format!("keys: {fields} for fields, {tokens} for tokens, none of them public"));
    }
}

/// What is sealed by which key, and whether the audit is whole.
pub(super) async fn look_at_sealed(config: &Config, db: &Db, findings: &mut Findings) {
    let Ok(keys) = FieldKeys::new(&config.crypto) else {
        return findings.note("keys, audit: not looked at; crypto.* must be complete first");
    };
    look_at_old_keys(&keys, db, findings).await;
    match verify::verify_last(db.read(), &keys, LAST_ENTRIES).await {
        Ok(Ok(Proved { from: 0, .. })) => findings.fine("audit: empty"),
        Ok(Ok(Proved { from, to })) => findings.fine(&format!("audit: entries {from} to {to} are as they were written")),
        Ok(Err(broken)) => findings.fault(&format!(
            "audit: {broken} (or crypto.audit_key is not the one it was written with); `shuoshi audit verify` looks at all"
        )),
        Err(fault) => findings.fault(&format!("audit: cannot be read: {}", said(&fault))),
    }
}

async fn look_at_old_keys(keys: &FieldKeys, db: &Db, findings: &mut Findings) {
    let used = match keys::status(db.read()).await {
        Ok(used) => used,
        Err(fault) => return findings.fault(&format!("keys: sealed values cannot be read: {}", said(&fault))),
    };
    let mut all_active = true;
    for (key, tables) in &used {
        let values: u64 = tables.values().sum();
        let tables: Vec<&str> = tables.keys().copied().collect();
        if !keys.ids().any(|id| id == key) {
            all_active = false;
            findings.fault(&format!(
                "keys: {values} values ({}) are sealed with the key '{key}', which crypto.field_keys lacks; put it back",
                tables.join(", ")
            ));
        } else if key != keys.active() {
            all_active = false;
            findings.note(&format!(
                "keys: {values} values ({}) are still sealed with the key '{key}'; `shuoshi keys rotate` seals them anew",
                tables.join(", ")
            ));
        }
    }
    if all_active {
        findings.fine("keys: everything is sealed with the active key");
    }
}

fn said(problem: &crate::problem::Problem) -> &str {
    problem.source_text().unwrap_or(problem.code().slug())
}
