//! `files.*`: where files lie and how much anybody may bring.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::Config;

/// `files.*`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Empty, `file:PATH` or `s3://BUCKET/PREFIX`.
    pub store: String,
    /// Of an S3: its address; empty: Amazon's.
    pub endpoint: String,
    /// Of an S3.
    pub region: String,
    /// Of an S3.
    pub access_key: String,
    /// Of an S3.
    pub secret: SecretString,
    /// Whether the bucket's name stands in the host's.
    pub virtual_hosts: bool,
    /// Whether the endpoint may be `http://`.
    pub allow_http: bool,
    /// How the outside reaches this server; empty: by the address a call came by.
    pub public_url: String,
    /// Megabytes a day and person.
    pub daily_mb: u32,
    /// Files on their way at the same time, a person.
    pub open_uploads: u32,
    /// Seconds a call that brings a part may take.
    pub part_within_s: u64,
    /// Seconds such a call may say nothing.
    pub silent_for_s: u64,
    /// Files that are decoded at the same time.
    pub cleaners: usize,
}

/// Where files lie, read from `files.store`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A folder.
    Folder(PathBuf),
    /// A bucket, and what the names of objects in it begin with.
    Bucket(String, String),
}

impl Config {
    /// Where files lie; none where `files.store` is nonsense.
    #[must_use]
    pub fn files_place(&self) -> Option<Place> {
        let store = self.files.store.trim();
        if store.is_empty() {
            return Some(Place::Folder(self.data.dir.join("files")));
        }
        if let Some(path) = store.strip_prefix("file:") {
            return (!path.is_empty()).then(|| Place::Folder(PathBuf::from(path)));
        }
        let (bucket, prefix) = match store.strip_prefix("s3://")?.split_once('/') {
            Some((bucket, prefix)) => (bucket, prefix.trim_matches('/')),
            None => (store.strip_prefix("s3://")?, ""),
        };
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let fits = (3..=63).contains(&bucket.len()) && plain(bucket) && prefix.split('/').all(plain);
        fits.then(|| Place::Bucket(bucket.to_owned(), prefix.to_owned()))
    }

    pub(super) fn check_files(&self, faults: &mut Vec<String>) {
        let files = &self.files;
        match self.files_place() {
            None => faults.push("files.store must be empty, file:PATH or s3://BUCKET/PREFIX".to_owned()),
            Some(Place::Folder(_)) => {}
            Some(Place::Bucket(..)) => {
                if files.endpoint.is_empty() && files.region.is_empty() {
                    faults.push("files.region or files.endpoint is missing: where the bucket is".to_owned());
                }
                if files.access_key.is_empty() || files.secret.expose_secret().is_empty() {
                    faults.push("files.access_key and files.secret are missing: the keys of the bucket".to_owned());
                }
                let sealed = files.endpoint.is_empty() || files.endpoint.starts_with("https://");
                if !(sealed || files.allow_http && files.endpoint.starts_with("http://")) {
                    faults.push("files.endpoint must be https://host, or http://host with files.allow_http".to_owned());
                }
            }
        }
        let url = &files.public_url;
        let plain = !self.is_production() && url.starts_with("http://");
        if !url.is_empty() && !url.starts_with("https://") && !plain {
            faults.push("files.public_url must be https://host".to_owned());
        }
        let least = [
            ("daily_mb", u64::from(files.daily_mb)),
            ("open_uploads", u64::from(files.open_uploads)),
            ("part_within_s", files.part_within_s),
            ("silent_for_s", files.silent_for_s),
            ("cleaners", files.cleaners as u64),
        ];
        for (name, _) in least.into_iter().filter(|(_, value)| *value == 0) {
            faults.push(format!("files.{name} must be 1 or more"));
        }
        if files.part_within_s > 3000 {
            faults.push("files.part_within_s must be 3000 or less".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    fn faults(change: impl FnOnce(&mut Files)) -> String {
        let mut config = Config::of_files(Environment::Test).unwrap();
        change(&mut config.files);
        config.faults().join("\n")
    }

    #[test]
    fn a_store_is_a_folder_or_a_bucket_and_nonsense_is_refused() {
        let config = Config::of_files(Environment::Test).unwrap();
        assert_eq!(config.files_place(), Some(Place::Folder(config.data.dir.join("files"))));
        assert_eq!(faults(|_| ()), "");
        for nonsense in ["file:", "s3://", "s3://a", "s3://bucket/a b", "ftp://x", "files", "s3:/bucket"] {
            assert!(faults(|files| files.store = nonsense.to_owned()).contains("files.store"), "{nonsense}");
        }
        let bucket = faults(|files| files.store = "s3://bucket/some/where".to_owned());
        for told in ["files.region", "files.access_key"] {
            assert!(bucket.contains(told), "{bucket}");
        }
        let open = |allow| {
            faults(|files| {
                files.store = "s3://bucket".to_owned();
                files.endpoint = "http://192.0.2.1:9000".to_owned();
                (files.access_key, files.secret) = ("key".to_owned(), "secret".into());
                files.allow_http = allow;
            })
        };
        assert!(open(false).contains("files.endpoint"));
        assert_eq!(open(true), "");
        assert!(faults(|files| files.public_url = "//host".to_owned()).contains("files.public_url"));
        let mut production = Config::of_files(Environment::Production).unwrap();
        production.files.public_url = "http://host".to_owned();
        let mut found = Vec::new();
        production.check_files(&mut found);
        assert!(found.join("; ").contains("files.public_url"), "in production links are sealed");
        assert!(faults(|files| files.cleaners = 0).contains("files.cleaners"));
    }
}
