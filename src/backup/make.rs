//! Making a backup.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::Path,
};

use entity::audit_head;
use sea_orm::EntityTrait;

use super::{
    AuditEnd, BackupFault, Manifest,
    archive::{ArchiveWriter, FORMAT},
    beside::{copy_beside, for_the_owner},
    database, files,
};
use crate::{
    clock::Clock,
    config::Config,
    crypto::FieldKeys,
    db::{Db, Place},
    files::{Store, sealing::FileKey},
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
    let mut archive = ArchiveWriter::begin(to)?;
    let (manifest, missing) = fill(config, db, keys, &store, &mut archive, to).await?;
    let files = manifest.files;
    archive.finish(manifest, keys)?;
    Ok(Made { files, missing, bytes: fs::metadata(to)?.len() })
}

async fn fill(
    config: &Config,
    db: &Db,
    keys: &FieldKeys,
    store: &Store,
    archive: &mut ArchiveWriter,
    to: &Path,
) -> Result<(Manifest, Vec<String>), BackupFault> {
    let place = Place::of(&config.database);
    let head = audit_head::Entity::find_by_id(1).one(db.read()).await?;
    let steps = db.migrations().await?;
    let key = FileKey::fresh();
    let mut field_keys: BTreeSet<String> = keys::status(db.read()).await?.into_keys().collect();
    // It seals the key of the copy.
    field_keys.insert(keys.active().to_owned());
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
        field_keys: field_keys.into_iter().collect(),
        database_key: key.close(keys)?.0,
        files: 0,
        sums: String::new(),
    };
    add_database(&place, &key, archive, to).await?;
    manifest.files = files::add(store, archive).await?;
    // Files removed meanwhile are no loss, and those that came meanwhile no part of it: the database of now is asked.
    let missing = files::missing(db, &archive.names(), manifest.made_at).await?;
    Ok((manifest, missing))
}

/// Copies the database beside the archive, and seals the copy into it.
async fn add_database(place: &Place, key: &FileKey, archive: &mut ArchiveWriter, to: &Path) -> Result<(), BackupFault> {
    // Nobody else may read it; both engines' tools write into a file that is there and empty.
    let copy = copy_beside(to);
    for_the_owner().create_new(true).open(&copy).map_err(|fault| BackupFault::at(&copy, &fault))?;
    let copied = place.copy_out(&copy).await.map_err(BackupFault::Database);
    let added = copied.and_then(|()| {
        let content = File::open(&copy).map_err(|fault| BackupFault::at(&copy, &fault))?;
        database::add(archive, place, content, key)
    });
    drop(fs::remove_file(&copy));
    added
}
