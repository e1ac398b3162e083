//! Making a backup.

use std::{
    fs::{self, File},
    path::Path,
};

use entity::audit_head;
use sea_orm::EntityTrait;
use uuid::Uuid;

use super::{
    AuditEnd, BackupFault, Manifest,
    archive::{FORMAT, Growing, for_the_owner, with_ending},
    files,
};
use crate::{
    clock::Clock,
    config::Config,
    crypto::FieldKeys,
    db::{Db, Place},
    files::Store,
    keys,
};

/// What was saved.
#[derive(Clone, Debug)]
pub struct Made {
    /// Files beside the database.
    pub files: u64,
    /// Files that the database names and the store does not have.
    pub missing: Vec<String>,
    /// Of the whole archive.
    pub bytes: u64,
}

/// Saves everything in a file that is not there yet, readable by its owner only.
///
/// The database is copied first: a file that it names is in the store by then, as files are written before the row that
/// names them, and is removed after it.
pub async fn make(config: &Config, db: &Db, keys: &FieldKeys, to: &Path) -> Result<Made, BackupFault> {
    let store = Store::open(config).map_err(|fault| BackupFault::Store(fault.to_string()))?;
    let mut archive = Growing::begin(to)?;
    match fill(config, db, &store, &mut archive, to).await {
        Ok((manifest, missing)) => {
            let files = manifest.files;
            archive.finish(manifest, keys)?;
            Ok(Made { files, missing, bytes: fs::metadata(to)?.len() })
        }
        Err(fault) => {
            archive.discard();
            Err(fault)
        }
    }
}

async fn fill(
    config: &Config,
    db: &Db,
    store: &Store,
    archive: &mut Growing,
    to: &Path,
) -> Result<(Manifest, Vec<String>), BackupFault> {
    let place = Place::of(&config.database);
    let head = audit_head::Entity::find_by_id(1).one(db.read()).await?;
    let steps = db.migrations().await?;
    let mut manifest = Manifest {
        format: FORMAT,
        made_at: Clock::system().now(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        database: place.name_of_copy().to_owned(),
        migrations: steps.into_iter().filter(|(_, applied)| *applied).map(|(name, _)| name).collect(),
        audit: head.map_or_else(
            || AuditEnd { seq: 0, hash: String::new() },
            |head| AuditEnd { seq: head.seq, hash: head.hash },
        ),
        field_keys: keys::status(db.read()).await?.into_keys().collect(),
        files: 0,
        sums: String::new(),
    };
    // Nobody else may read it; both engines' tools write into a file that is there and empty.
    let copy = with_ending(to, &format!(".{}.database", Uuid::now_v7()));
    for_the_owner().create_new(true).open(&copy).map_err(|fault| BackupFault::at(&copy, &fault))?;
    let copied = place.copy_out(&copy).await.map_err(BackupFault::Database);
    let added = copied.and_then(|()| {
        let content = File::open(&copy).map_err(|fault| BackupFault::at(&copy, &fault))?;
        // The custom format of pg_dump is compressed as it is.
        archive.add(place.name_of_copy(), matches!(place, Place::Sqlite(_)), content)
    });
    drop(fs::remove_file(&copy));
    added?;
    manifest.files = files::add(store, archive).await?;
    // Files removed meanwhile are no loss, and those that came meanwhile no part of it: the database of now is asked.
    let missing = files::missing(db, &archive.names(), manifest.made_at).await?;
    Ok((manifest, missing))
}
