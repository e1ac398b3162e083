//! The store of files in a backup: objects as they lie there, sealed.

use std::collections::HashSet;

use entity::{
    Instant,
    file::{self, FileState},
    id::FileId,
};
use futures_util::TryStreamExt;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    BackupFault,
    archive::{ArchiveReader, ArchiveWriter},
};
use crate::{
    db::Db,
    files::{self, Store},
    problem::Problem,
};

/// Where objects are in an archive.
const FOLDER: &str = "files/";
/// Rows looked at by one statement.
const PAGE: u64 = 1000;

/// Adds every object; says how many.
pub(super) async fn add(store: &Store, archive: &mut ArchiveWriter) -> Result<u64, BackupFault> {
    let (mut objects, mut added) = (store.list(None), 0);
    while let Some(object) = objects.try_next().await.map_err(of_store)? {
        // What was removed since the list was read is none of the backup's.
        if let Some(bytes) = store.get(&object.key).await.map_err(of_store)? {
            archive.add(&format!("{FOLDER}{}", object.key), false, bytes.as_ref())?;
            added += 1;
        }
    }
    Ok(added)
}

pub(super) async fn is_empty(store: &Store) -> Result<bool, BackupFault> {
    Ok(store.list(None).try_next().await.map_err(of_store)?.is_none())
}

/// Puts every object of an archive where it was.
pub(super) async fn bring_back(store: &Store, archive: &mut ArchiveReader) -> Result<(), BackupFault> {
    for name in archive.names() {
        if let Some(key) = name.strip_prefix(FOLDER) {
            let mut bytes = Vec::new();
            archive.copy(&name, &mut bytes)?;
            store.put(key, bytes).await.map_err(of_store)?;
        }
    }
    Ok(())
}

/// Empties a store again that was empty before.
pub(super) async fn take_away(store: &Store, names: &[String]) {
    for key in names.iter().filter_map(|name| name.strip_prefix(FOLDER)) {
        if let Err(problem) = store.remove(key).await {
            tracing::warn!(reason = problem.source_text(), "an object could not be taken away again");
            return;
        }
    }
}

/// Files that the database held at a time, holds still, and that are not among these names.
pub(super) async fn missing(db: &Db, names: &[String], at: Instant) -> Result<Vec<String>, BackupFault> {
    let names: HashSet<&str> = names.iter().filter_map(|name| name.strip_prefix(FOLDER)).collect();
    let (mut missing, mut after) = (Vec::new(), None::<FileId>);
    loop {
        let mut page = file::Entity::find()
            .select_only()
            .column(file::Column::Id)
            .filter(file::COLUMN.state.eq(FileState::Kept))
            .filter(file::COLUMN.created_at.lt(at))
            .order_by_asc(file::Column::Id)
            .limit(PAGE);
        if let Some(after) = after {
            page = page.filter(file::COLUMN.id.gt(after));
        }
        let ids: Vec<FileId> = page.into_tuple().all(db.read()).await?;
        let Some(last) = ids.last() else { return Ok(missing) };
        after = Some(*last);
        missing.extend(ids.into_iter().map(|id| files::objects(id).0).filter(|key| !names.contains(key.as_str())));
    }
}

#[allow(clippy::needless_pass_by_value, reason = "given to map_err")]
fn of_store(problem: Problem) -> BackupFault {
    BackupFault::Store(problem.source_text().unwrap_or(problem.code().slug()).to_owned())
}
