//! Reading the layers. Whatever is wrong in them is told at once, and the rest is read all the same.

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de::Error};

use super::{Config, ConfigFault, Environment};

/// Faults after which reading gives up: nobody repairs more at a time.
const MOST_FAULTS: usize = 64;

impl Config {
    /// Reads the layers of the environment that `SHUOSHI_ENV` names (development when it is not set).
    pub fn load() -> Result<Self, ConfigFault> {
        let (config, faults) = Self::read()?;
        if faults.is_empty() { Ok(config) } else { Err(ConfigFault::Wrong(faults.join("; "))) }
    }

    /// Likewise, but with a list of all that is wrong; what cannot be used is as in `config/default.toml`.
    pub fn read() -> Result<(Self, Vec<String>), ConfigFault> {
        let name = std::env::var("SHUOSHI_ENV").unwrap_or_else(|_| "development".to_owned());
        let (environment, mut faults) = match name.as_str() {
            "development" => (Environment::Development, vec![]),
            "test" => (Environment::Test, vec![]),
            "production" => (Environment::Production, vec![]),
            // The one whose rules are the strictest.
            _ => (Environment::Production, vec![ConfigFault::Environment(name).to_string()]),
        };
        let layers = match layers(environment, true) {
            Ok(layers) => layers,
            Err(fault) => {
                faults.push(format!("a layer cannot be read: {fault}"));
                layers(environment, false)?
            }
        };
        let (mut config, wrong) = as_far_as_it_goes(layers.cache)?;
        config.environment = environment;
        faults.extend(wrong);
        faults.extend(config.faults());
        Ok((config, faults))
    }

    /// The layers without environment variables: what the test harness starts from.
    pub fn of_files(environment: Environment) -> Result<Self, ConfigFault> {
        let mut config: Self = layers(environment, false)?.try_deserialize()?;
        config.environment = environment;
        Ok(config)
    }
}

fn text(toml: &str) -> config::File<config::FileSourceString, config::FileFormat> {
    config::File::from_str(toml, config::FileFormat::Toml)
}

fn layers(environment: Environment, from_outside: bool) -> Result<config::Config, config::ConfigError> {
    let name = environment.name();
    let compiled = match environment {
        Environment::Development => include_str!("../../config/development.toml"),
        Environment::Test => include_str!("../../config/test.toml"),
        Environment::Production => include_str!("../../config/production.toml"),
    };
    let mut layers = config::Config::builder()
        .add_source(text(include_str!("../../config/default.toml")))
        .add_source(text(compiled));
    if from_outside {
        let variables = config::Environment::with_prefix("SHUOSHI")
            .prefix_separator("__")
            .separator("__")
            .list_separator(",")
            .with_list_parse_key("http.trusted_proxies")
            .with_list_parse_key("webhooks.allowed_hosts")
            .with_list_parse_key("webhooks.private_networks")
            .try_parsing(true);
        let file = config::File::new(&format!("config/{name}.toml"), config::FileFormat::Toml);
        layers = layers.add_source(file.required(false)).add_source(variables);
    }
    layers.build()
}

/// The configuration, and what had to be passed over for it.
fn as_far_as_it_goes(mut value: config::Value) -> Result<(Config, Vec<String>), ConfigFault> {
    let safe = config::Config::builder().add_source(text(include_str!("../../config/default.toml"))).build()?.cache;
    let mut faults = Vec::new();
    loop {
        let fault = match serde_path_to_error::deserialize::<_, Config>(value.clone()) {
            Ok(config) => return Ok((config, faults)),
            Err(fault) => fault,
        };
        let (path, text) = named(&fault);
        let repaired = repair(&mut value, &safe, &path);
        faults.push(text);
        if !repaired || faults.len() > MOST_FAULTS {
            return Err(ConfigFault::Wrong(faults.join("; ")));
        }
    }
}

/// Which key is wrong, and what of it; never what stands there, since it may be a secret.
fn named(fault: &serde_path_to_error::Error<config::ConfigError>) -> (Vec<String>, String) {
    use serde_path_to_error::Segment;
    let text = fault.inner().to_string();
    let mut path: Vec<String> = fault
        .path()
        .iter()
        .filter_map(|segment| match segment {
            Segment::Map { key } => Some(key.clone()),
            Segment::Seq { .. } | Segment::Enum { .. } | Segment::Unknown => None,
        })
        .collect();
    let unknown = text.contains("unknown field");
    if let (true, Some(name)) = (unknown, text.split('`').nth(1))
        && path.last().map(String::as_str) != Some(name)
    {
        path.push(name.to_owned());
    }
    let key = path.join(".");
    let said = match text.rsplit_once("expected ") {
        _ if unknown => format!("{key} is not a known key"),
        Some((_, wanted)) => format!("{key} must be {}", wanted.split(" for key").next().unwrap_or(wanted)),
        None => format!("{key} cannot be read"),
    };
    (path, said)
}

/// Puts the safe value in place of what cannot be used, or takes it out where there is none.
fn repair(value: &mut config::Value, safe: &config::Value, path: &[String]) -> bool {
    let config::ValueKind::Table(table) = &mut value.kind else { return false };
    let config::ValueKind::Table(safe) = &safe.kind else { return false };
    match path {
        [] => false,
        [name] => match safe.get(name) {
            Some(known) => table.insert(name.clone(), known.clone()).is_some(),
            None => table.remove(name).is_some(),
        },
        [name, rest @ ..] => match (table.get_mut(name), safe.get(name)) {
            (Some(inner), Some(known)) if matches!(inner.kind, config::ValueKind::Table(_)) => {
                repair(inner, known, rest)
            }
            _ => false,
        },
    }
}

/// Ranges (`10.0.0.0/8`) and single addresses.
pub(super) fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let read = |text: String| {
        let network = text.trim().parse::<IpNet>().ok();
        let address = || text.trim().parse::<std::net::IpAddr>().ok().map(IpNet::from);
        network.or_else(address).ok_or_else(|| D::Error::custom("expected addresses and ranges such as 10.0.0.0/8"))
    };
    Vec::<String>::deserialize(deserializer)?.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(extra: &str) -> (Config, Vec<String>) {
        let layers = config::Config::builder()
            .add_source(text(include_str!("../../config/default.toml")))
            .add_source(text(include_str!("../../config/test.toml")))
            .add_source(text(extra));
        as_far_as_it_goes(layers.build().unwrap().cache).unwrap()
    }

    #[test]
    fn all_faults_are_told_at_once_and_none_tells_a_value() {
        let (config, faults) = read(
            "[http]\nworkers = \"many\"\nbin = 1\nbody_limit = \"sesame\"\n[log]\nformat = \"loud\"\n[nonsense]\nx = 1\n",
        );
        let all = faults.join("\n");
        for told in
            ["http.workers must be", "http.bin is not a known key", "http.body_limit must be", "nonsense is not"]
        {
            assert!(all.contains(told), "{told}: {all}");
        }
        assert!(all.contains("log.format"), "{all}");
        assert!(!all.contains("sesame") && !all.contains("many"), "{all}");
        assert_eq!(config.http.body_limit, 65536);
    }

    #[test]
    fn proxies_are_addresses_and_ranges() {
        let (config, faults) = read("[http]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\", \"192.0.2.7\"]\n");
        assert!(faults.is_empty(), "{faults:?}");
        let proxies: Vec<String> = config.http.trusted_proxies.iter().map(ToString::to_string).collect();
        assert_eq!(proxies, ["10.0.0.0/8", "::1/128", "192.0.2.7/32"]);
        assert!(read("[http]\ntrusted_proxies = [\"example.com\"]\n").1.join("").contains("http.trusted_proxies"));
    }
}
