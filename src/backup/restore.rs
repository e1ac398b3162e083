//! Restoring a backup.

use std::{fs, path::Path};

use entity::{audit_entry, id::PublicationId};
use sea_orm::EntityTrait;

use super::{
    AuditEnd, BackupFault, Manifest,
    archive::ArchiveReader,
    beside::{for_the_owner, with_ending},
    database, files, since,
};
use crate::{
    audit::verify::{self, Proved},
    clock::Clock,
    config::{self, Config},
    crypto::FieldKeys,
    db::{Db, Place},
    files::{Store, sealing::FileKey},
};

/// What was restored, and proved to be as it was saved.
#[derive(Clone, Debug)]
pub struct Restored {
    /// What the backup said of itself.
    pub manifest: Manifest,
    /// The chain of the audit.
    pub audit: Proved,
    /// Files that the database names and the backup lacks.
    pub missing: Vec<String>,
    /// Steps of the schema that the program has and the backup has not.
    pub steps_to_go: usize,
    /// Sessions that went on when it was made, and were ended.
    pub sessions: u64,
    /// What stands on the pages of villages or waits for it, with titles; not read while steps are to go.
    pub publications: Option<Vec<(PublicationId, String)>>,
}

/// Brings a backup back into a database without tables and a store without files.
///
/// The whole archive is read and compared before anything is written; the database comes last, so that a restore that
/// fails leaves none. Nobody is signed in when it is there.
pub async fn restore(config: &Config, keys: &FieldKeys, from: &Path) -> Result<Restored, BackupFault> {
    let store = Store::open(config).map_err(|fault| BackupFault::Store(fault.to_string()))?;
    let place = Place::of(&config.database);
    let mut archive = ArchiveReader::open(from, keys)?;
    check(&archive.manifest, &place, keys)?;
    let key = database::key(&archive.manifest, keys)?;
    if !place.is_empty(&config.database).await.map_err(BackupFault::Database)? {
        return Err(BackupFault::NotEmpty("the database"));
    }
    if !files::is_empty(&store).await? {
        return Err(BackupFault::NotEmpty("the store of files"));
    }
    archive.prove()?;
    let unpacked = place.unpack_beside(from);
    let restored = async {
        files::bring_back(&store, &mut archive).await?;
        unpack(&mut archive, &key, &unpacked)?;
        // A file can be looked through before it comes to its place; a server's database only there.
        let looked_at = match &place {
            Place::Sqlite(_) => Some(settle(&Place::settings_of(&config.database, &unpacked), keys, &archive).await?),
            Place::Postgres { .. } => None,
        };
        place.copy_in(&unpacked).await.map_err(BackupFault::Database)?;
        Ok(looked_at)
    };
    let restored: Result<_, BackupFault> = restored.await;
    remove(&unpacked);
    match restored {
        Ok(Some(proved)) => Ok(proved),
        Ok(None) => {
            settle(&config.database, keys, &archive).await.map_err(|fault| BackupFault::NotToBeUsed(fault.into()))
        }
        Err(fault) => {
            files::take_away(&store, &archive.names()).await;
            Err(fault)
        }
    }
}

/// What can be known before anything is read whole.
fn check(manifest: &Manifest, place: &Place, keys: &FieldKeys) -> Result<(), BackupFault> {
    if manifest.database != place.name_of_copy() {
        return Err(BackupFault::OtherEngine(manifest.database.clone()));
    }
    if let Some(lost) = manifest.field_keys.iter().find(|id| !keys.ids().any(|known| known == id.as_str())) {
        return Err(BackupFault::KeyMissing(lost.clone()));
    }
    let known = Db::known_migrations();
    match manifest.migrations.iter().find(|step| !known.contains(step)) {
        Some(step) => Err(BackupFault::Younger(step.clone())),
        None => Ok(()),
    }
}

fn unpack(archive: &mut ArchiveReader, key: &FileKey, to: &Path) -> Result<(), BackupFault> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|fault| BackupFault::at(folder, &fault))?;
    }
    // What a killed restore left: its log would be applied to this copy.
    remove(to);
    let file = for_the_owner().create_new(true).open(to).map_err(|fault| BackupFault::at(to, &fault))?;
    Ok(database::bring_back(archive, key, file)?.sync_all()?)
}

/// Takes away an unpacked copy that did not come to its place, and what `SQLite` keeps beside it.
fn remove(unpacked: &Path) {
    for ending in ["", "-wal", "-shm"] {
        drop(fs::remove_file(with_ending(unpacked, ending)));
    }
}

/// Proves what stands there now, and only then ends what must not go on.
async fn settle(
    settings: &config::Database,
    keys: &FieldKeys,
    archive: &ArchiveReader,
) -> Result<Restored, BackupFault> {
    let db = Db::connect(settings).await?;
    let settled = async {
        let (audit, missing) = prove(&db, keys, archive).await?;
        let steps_to_go = db.migrations().await?.iter().filter(|(_, applied)| !applied).count();
        let sessions = since::end_sessions(&db, Clock::system().now()).await?;
        let publications = if steps_to_go == 0 { Some(since::publications(&db).await?) } else { None };
        Ok(Restored { manifest: archive.manifest.clone(), audit, missing, steps_to_go, sessions, publications })
    };
    let settled = settled.await;
    db.close().await;
    settled
}

/// The chain of the audit is whole and ends where it did; files that are not there.
async fn prove(db: &Db, keys: &FieldKeys, archive: &ArchiveReader) -> Result<(Proved, Vec<String>), BackupFault> {
    let audit = verify::verify(db.read(), keys, None).await?.map_err(BackupFault::Audit)?;
    let AuditEnd { seq, hash } = &archive.manifest.audit;
    let end = audit_entry::Entity::find_by_id(*seq).one(db.read()).await?;
    if *seq > 0 && end.is_none_or(|entry| entry.hash != *hash) {
        return Err(BackupFault::AuditCut(*seq));
    }
    let missing = files::missing(db, &archive.names(), archive.manifest.made_at).await?;
    Ok((audit, missing))
}
