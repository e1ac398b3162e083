//! Where bytes lie: a folder of this machine, or a bucket of an S3-compatible store, by one crate for both.
//!
//! What comes here is sealed already ([`super::sealing`]) and is named by ids only: `file/{id}`, `file/{id}.small`,
//! `upload/{id}/{block}`. Copies for backups read and write the same sealed bytes by the same names.

use std::{fmt, ops::Range, sync::Arc, time::Duration};

use actix_web::web::Bytes;
use entity::Instant;
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    ClientOptions, Error, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig, aws::AmazonS3Builder,
    local::LocalFileSystem, path::Path, prefix::PrefixStore,
};
use secrecy::ExposeSecret;

use crate::{
    config::{Config, ConfigFault, Place},
    problem::Problem,
};

/// How long a store may take over one object.
const PATIENCE: Duration = Duration::from_secs(30);

/// An object that lies in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its name.
    pub key: String,
    /// Its size as it lies there.
    pub bytes: u64,
    /// When it was written, by the store's clock.
    pub written_at: Instant,
}

/// The store of files. Clones are the same store.
#[derive(Clone)]
pub struct Store {
    inner: Arc<dyn ObjectStore>,
    place: String,
}

impl Store {
    /// Opens the one that the configuration names; a folder that is not there yet is made.
    pub fn open(config: &Config) -> Result<Self, ConfigFault> {
        let wrong = |fault: &dyn fmt::Display| ConfigFault::Wrong(format!("files.store: {fault}"));
        match config.files_place() {
            None => Err(wrong(&"must be empty, file:PATH or s3://BUCKET/PREFIX")),
            Some(Place::Folder(folder)) => {
                std::fs::create_dir_all(&folder).map_err(|fault| wrong(&fault))?;
                let inner = LocalFileSystem::new_with_prefix(&folder).map_err(|fault| wrong(&fault))?;
                let inner = Arc::new(inner.with_automatic_cleanup(true).with_fsync(true));
                Ok(Self { inner, place: folder.display().to_string() })
            }
            Some(Place::Bucket(bucket, prefix)) => {
                // The second time one is installed already.
                let _ = rustls::crypto::ring::default_provider().install_default();
                let settings = &config.files;
                let mut client = ClientOptions::new().with_timeout(PATIENCE).with_connect_timeout(PATIENCE / 3);
                if settings.allow_http {
                    client = client.with_allow_http(true);
                }
                let retry = RetryConfig { max_retries: 3, retry_timeout: PATIENCE, ..RetryConfig::default() };
                let mut builder = AmazonS3Builder::new()
                    .with_bucket_name(&bucket)
                    .with_access_key_id(&settings.access_key)
                    .with_secret_access_key(settings.secret.expose_secret())
                    .with_virtual_hosted_style_request(settings.virtual_hosts)
                    .with_client_options(client)
                    .with_retry(retry);
                // A region is signed with whatever the store makes of it.
                let region = if settings.region.is_empty() { "us-east-1" } else { &settings.region };
                builder = builder.with_region(region);
                if !settings.endpoint.is_empty() {
                    builder = builder.with_endpoint(settings.endpoint.trim_end_matches('/'));
                }
                let inner = builder.build().map_err(|fault| wrong(&fault))?;
                let place = format!("s3://{bucket}/{prefix}");
                let inner: Arc<dyn ObjectStore> = if prefix.is_empty() {
                    Arc::new(inner)
                } else {
                    Arc::new(PrefixStore::new(inner, Path::from(prefix)))
                };
                Ok(Self { inner, place })
            }
        }
    }

    /// Where it is, for people.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Writes an object, whole or not at all; one of the same name is replaced.
    pub async fn put(&self, key: &str, bytes: impl Into<Bytes>) -> Result<(), Problem> {
        let payload = PutPayload::from_bytes(bytes.into());
        self.inner.put(&Path::from(key), payload).await.map(drop).map_err(|fault| away(&fault))
    }

    /// Reads an object; none when it is not there.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, Problem> {
        let found = async { self.inner.get(&Path::from(key)).await?.bytes().await };
        there(found.await)
    }

    /// Reads some bytes of an object; none when it is not there.
    pub async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Option<Bytes>, Problem> {
        there(self.inner.get_range(&Path::from(key), range).await)
    }

    /// Removes an object; that it is not there is as good.
    pub async fn remove(&self, key: &str) -> Result<(), Problem> {
        there(self.inner.delete(&Path::from(key)).await).map(drop)
    }

    /// All objects whose names begin with a folder (`file`, `upload`), or all, in no order; read as they are asked for.
    #[must_use]
    pub fn list(&self, folder: Option<&str>) -> BoxStream<'static, Result<Stored, Problem>> {
        let folder = folder.map(Path::from);
        let listed = self.inner.list(folder.as_ref());
        listed
            .map_ok(|found| Stored {
                key: found.location.to_string(),
                bytes: found.size,
                written_at: found.last_modified,
            })
            .map_err(|fault| away(&fault))
            .boxed()
    }

    /// Writes, reads and removes an object; says what is wrong.
    pub async fn probe(&self) -> Result<(), String> {
        let said = |problem: Problem| problem.source_text().unwrap_or(problem.code().slug()).to_owned();
        let (key, bytes) = (format!("probe/{}", uuid::Uuid::now_v7()), Bytes::from_static(b"probe"));
        self.put(&key, bytes.clone()).await.map_err(said)?;
        let read = self.get(&key).await.map_err(said)?;
        self.remove(&key).await.map_err(said)?;
        if read == Some(bytes) { Ok(()) } else { Err("what was written is not what is read".to_owned()) }
    }
}

fn there<T>(outcome: object_store::Result<T>) -> Result<Option<T>, Problem> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(fault) => Err(away(&fault)),
    }
}

/// A store that does not answer is like a database that does not: come back.
fn away(fault: &Error) -> Problem {
    Problem::busy(&format!("the store of files: {fault}"))
}
