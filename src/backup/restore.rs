//! Restoring a backup.

use std::{fs, path::Path};

use entity::audit_entry;
use sea_orm::EntityTrait;

use super::{
    AuditEnd, BackupFault, Manifest,
    archive::{Archive, FORMAT, for_the_owner},
    files,
};
use crate::{
    audit::verify::{self, Proved},
    config::{self, Config},
    crypto::FieldKeys,
    db::{Db, Place},
    files::Store,
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
}

/// Brings a backup back into a database without tables and a store without files.
///
/// The whole archive is read and compared before anything is written; the database comes last, so that a restore that
/// fails leaves none.
pub async fn restore(config: &Config, keys: &FieldKeys, from: &Path) -> Result<Restored, BackupFault> {
    let store = Store::open(config).map_err(|fault| BackupFault::Store(fault.to_string()))?;
    let place = Place::of(&config.database);
    let mut archive = Archive::open(from, keys)?;
    check(&archive.manifest, &place, keys)?;
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
        unpack(&mut archive, &unpacked)?;
        // A file can be looked through before it comes to its place; a server's database only there.
        let looked_at = match &place {
            Place::Sqlite(_) => Some(prove(&Place::settings_of(&config.database, &unpacked), keys, &archive).await?),
            Place::Postgres { .. } => None,
        };
        place.copy_in(&unpacked).await.map_err(BackupFault::Database)?;
        Ok(looked_at)
    };
    let restored: Result<_, BackupFault> = restored.await;
    drop(fs::remove_file(&unpacked));
    match restored {
        Ok(Some(proved)) => Ok(proved),
        Ok(None) => {
            prove(&config.database, keys, &archive).await.map_err(|fault| BackupFault::NotToBeUsed(fault.into()))
        }
        Err(fault) => {
            files::take_away(&store, &archive.names()).await;
            Err(fault)
        }
    }
}

/// What can be known before anything is read whole.
fn check(manifest: &Manifest, place: &Place, keys: &FieldKeys) -> Result<(), BackupFault> {
    if manifest.format != FORMAT {
        return Err(BackupFault::Format(manifest.format));
    }
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

fn unpack(archive: &mut Archive, to: &Path) -> Result<(), BackupFault> {
    let name = archive.manifest.database.clone();
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|fault| BackupFault::at(folder, &fault))?;
    }
    let file = for_the_owner().create(true).truncate(true).open(to);
    let mut file = file.map_err(|fault| BackupFault::at(to, &fault))?;
    archive.copy(&name, &mut file)?;
    Ok(file.sync_all()?)
}

/// Looks at what stands there now: the chain of the audit, and that no file is missing.
async fn prove(settings: &config::Database, keys: &FieldKeys, archive: &Archive) -> Result<Restored, BackupFault> {
    let db = Db::connect(settings).await?;
    let proved = async {
        let audit = verify::verify(db.read(), keys, None).await?.map_err(BackupFault::Audit)?;
        let AuditEnd { seq, hash } = &archive.manifest.audit;
        let end = audit_entry::Entity::find_by_id(*seq).one(db.read()).await?;
        if *seq > 0 && end.is_none_or(|entry| entry.hash != *hash) {
            return Err(BackupFault::AuditCut(*seq));
        }
        let missing = files::missing(&db, &archive.names(), archive.manifest.made_at).await?;
        let steps_to_go = db.migrations().await?.iter().filter(|(_, applied)| !applied).count();
        Ok(Restored { manifest: archive.manifest.clone(), audit, missing, steps_to_go })
    };
    let proved = proved.await;
    db.close().await;
    proved
}
