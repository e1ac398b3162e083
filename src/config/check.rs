//! What a configuration must keep to: every fault, not only the first.

use std::{collections::BTreeMap, net::IpAddr};

use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::EnvFilter;

use super::{Config, ConfigFault, Environment, SmsProvider, decode};

/// How a key is made.
const MAKE: &str = "`shuoshi keys new` makes one";
/// Fewer months the law does not allow (网络安全法 21).
const LEAST_MONTHS: u32 = 6;

impl Config {
    /// Refuses what would only fail later, and in production what the development files make public.
    pub fn check(&self) -> Result<(), ConfigFault> {
        let faults = self.faults();
        if faults.is_empty() { Ok(()) } else { Err(ConfigFault::Wrong(faults.join("; "))) }
    }

    /// All that is wrong, a sentence each; names keys and never says what stands there.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        self.check_keys(&mut faults);
        self.check_tencent(&mut faults);
        self.check_notices(&mut faults);
        self.check_files(&mut faults);
        if self.audit.keep_months < LEAST_MONTHS {
            faults.push(format!("audit.keep_months must be {LEAST_MONTHS} or more"));
        }
        if EnvFilter::try_new(&self.log.filter).is_err() {
            faults.push("log.filter is no filter of tracing's EnvFilter".to_owned());
        }
        if self.is_production() {
            self.check_production(&mut faults);
        }
        faults
    }

    /// Every key with the name it has in the configuration.
    #[must_use]
    pub fn keys(&self) -> Vec<(String, &SecretString)> {
        let jwt = self.auth.jwt_keys.iter().map(|(name, key)| (format!("auth.jwt_keys.{name}"), key));
        let field = self.crypto.field_keys.iter().map(|(name, key)| (format!("crypto.field_keys.{name}"), key));
        let single = [("crypto.index_key", &self.crypto.index_key), ("crypto.audit_key", &self.crypto.audit_key)];
        jwt.chain(field).chain(single.map(|(name, key)| (name.to_owned(), key))).collect()
    }

    fn check_keys(&self, faults: &mut Vec<String>) {
        if !self.auth.jwt_keys.contains_key(&self.auth.active_jwt_key) {
            faults.push(format!(
                "auth.active_jwt_key must name one of auth.jwt_keys (key id -> base64 of 32 bytes or more); {MAKE}"
            ));
        }
        if !self.crypto.field_keys.contains_key(&self.crypto.active_field_key) {
            faults.push(format!(
                "crypto.active_field_key must name one of crypto.field_keys (key id -> base64 of 32 bytes); {MAKE}"
            ));
        }
        for name in self.crypto.field_keys.keys().filter(|name| !plain(name)) {
            faults.push(format!("crypto.field_keys.{name}: a key id is made of letters, digits, - and _"));
        }
        let mut seen = BTreeMap::<Vec<u8>, String>::new();
        for (name, key) in self.keys() {
            if key.expose_secret().is_empty() {
                faults.push(format!("{name} is missing: base64 of 32 bytes; {MAKE}"));
                continue;
            }
            let bytes = decode(key).unwrap_or_default();
            let (fits, wanted) = if name.starts_with("auth.") {
                (bytes.len() >= 32, "at least 32 bytes")
            } else {
                (bytes.len() == 32, "exactly 32 bytes")
            };
            if !fits {
                faults.push(format!("{name} must be base64 of {wanted}; {MAKE}"));
            } else if let Some(other) = seen.insert(bytes, name.clone()) {
                faults.push(format!("{name} is the same key as {other}; each needs one of its own"));
            }
        }
    }

    fn check_production(&self, faults: &mut Vec<String>) {
        let Ok(demo) = Self::of_files(Environment::Development) else { return };
        let public: Vec<(String, &SecretString)> = demo.secrets();
        for (name, secret) in self.secrets() {
            let used = secret.expose_secret();
            if !used.is_empty() && public.iter().any(|(_, known)| known.expose_secret() == used) {
                faults.push(format!("{name}: a demonstration secret of config/development.toml is in use"));
            }
        }
        if self.wechat.app_id.is_empty() {
            faults.push("wechat.app_id is missing: villagers cannot sign in without".to_owned());
        }
        if self.wechat.secret.expose_secret().is_empty() {
            faults.push("wechat.secret is missing: villagers cannot sign in without".to_owned());
        }
        if self.sms.provider == SmsProvider::File {
            faults.push("sms.provider = \"file\" is for development only; name a gateway or turn it off".to_owned());
        }
        if self.wechat_sim.enabled {
            faults.push("wechat_sim.enabled is for development only".to_owned());
        }
        if self.webhooks.plain_http {
            faults.push(
                "webhooks.plain_http is for development only: what is told of cases is sealed on its way".to_owned(),
            );
        }
        let own = ["127.0.0.1", "::1", "169.254.169.254"].map(str::parse::<IpAddr>);
        let own: Vec<IpAddr> = own.into_iter().flatten().collect();
        if self.webhooks.private_networks.iter().any(|network| own.iter().any(|address| network.contains(address))) {
            faults.push("webhooks.private_networks must not hold this machine or link-local addresses".to_owned());
        }
    }

    fn secrets(&self) -> Vec<(String, &SecretString)> {
        let mut all = self.keys();
        all.extend([
            ("wechat.secret".to_owned(), &self.wechat.secret),
            ("wechat.push_token".to_owned(), &self.wechat.push_token),
            ("wechat.push_aes_key".to_owned(), &self.wechat.push_aes_key),
            ("wecom.secret".to_owned(), &self.wecom.secret),
            ("files.secret".to_owned(), &self.files.secret),
        ]);
        let robots = self.notices.robots.iter();
        all.extend(robots.map(|(place, key)| (format!("notices.robots.{place}"), key)));
        all
    }
}

fn plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_environment_reads_and_development_and_test_are_complete() {
        for environment in [Environment::Development, Environment::Test] {
            Config::of_files(environment).unwrap().check().unwrap();
        }
        let production = Config::of_files(Environment::Production).unwrap();
        let faults = production.faults().join("\n");
        for missing in
            ["active_jwt_key", "active_field_key", "index_key", "audit_key", "wechat.app_id", "wechat.secret"]
        {
            assert!(faults.contains(missing), "{missing}: {faults}");
        }
    }

    #[test]
    fn production_refuses_the_secrets_everybody_knows() {
        let mut config = Config::of_files(Environment::Development).unwrap();
        config.environment = Environment::Production;
        let faults = config.faults();
        let public = faults.iter().filter(|fault| fault.contains("demonstration secret")).count();
        assert_eq!(public, 8, "{faults:?}");
    }

    #[test]
    fn a_key_serves_one_purpose_and_a_year_of_audit_is_not_thrown_away() {
        let mut config = Config::of_files(Environment::Test).unwrap();
        config.crypto.audit_key = config.crypto.index_key.clone();
        config.audit.keep_months = 5;
        config.wecom.corp_id.clear();
        config.wecom.secret = "".into();
        config.wechat.push_aes_key = "short".to_owned().into();
        let faults = config.faults().join("\n");
        for told in
            ["same key as crypto.index_key", "audit.keep_months", "wecom.secret", "wecom.corp_id", "push_aes_key"]
        {
            assert!(faults.contains(told), "{told}: {faults}");
        }
    }
}
