//! Whether the store and the database belong together.
//!
//! What no row names is removed, so a database that was put beside the wrong store would empty it. Both therefore hold the
//! same random id, written once: the object `store/id`, and the mark of the sweep. A backup carries both.

use std::collections::HashSet;

use entity::{file, id::FileId, sweep};
use futures_util::TryStreamExt;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set, sea_query::Expr, sea_query::OnConflict};
use uuid::Uuid;

use super::sweep::owner;
use crate::{app::App, db::padded, problem::Problem};

/// The object that says which store this is.
pub(super) const ID: &str = "store/id";
/// The row that says which store is ours.
const SWEEP: &str = "sweep_orphans";
/// Files that are looked at before a store without an id gets one.
const LOOKED_AT: usize = 500;

/// Whether this store is the one of this database; two that have no id yet get one, where nothing speaks against it.
pub(super) async fn belong_together(app: &App) -> Result<bool, Problem> {
    let there = app.files.store.get(ID).await?.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    let ours = sweep::Entity::find_by_id(SWEEP.to_owned()).one(app.db.read()).await?.and_then(|row| row.mark);
    match (there, ours) {
        (Some(there), Some(ours)) => Ok(there == ours.to_string()),
        // The store of another database.
        (Some(_), None) => Ok(false),
        // The folder is not mounted, or the bucket is another one; an empty one may begin anew.
        (None, Some(ours)) => {
            let empty = first_files(app).await?.is_empty();
            if empty {
                app.files.store.put(ID, ours.to_string().into_bytes()).await?;
            }
            Ok(empty)
        }
        (None, None) => first_time(app).await,
    }
}

/// An empty store, or one with a file that this database knows: ids of files are never made twice.
async fn first_time(app: &App) -> Result<bool, Problem> {
    let found = first_files(app).await?;
    if !found.is_empty() {
        let these = file::COLUMN.id.is_in(padded(found.into_iter().map(FileId)));
        let known: Option<FileId> = file::Entity::find()
            .select_only()
            .column(file::Column::Id)
            .filter(these)
            .into_tuple()
            .one(app.db.read())
            .await?;
        if known.is_none() {
            return Ok(false);
        }
    }
    let (id, now) = (Uuid::new_v4(), app.clock.now());
    let marked = app.db.transact(async move |tx| {
        let row = sweep::ActiveModel {
            name: Set(SWEEP.to_owned()),
            due_at: Set(now),
            leased_until: Set(None),
            last_run_at: Set(None),
            mark: Set(None),
        };
        let known = OnConflict::column(sweep::Column::Name).do_nothing().to_owned();
        sweep::Entity::insert(row).on_conflict(known).exec_without_returning(tx).await?;
        let update = sweep::Entity::update_many()
            .col_expr(sweep::Column::Mark, Expr::val(id))
            .filter(sweep::COLUMN.name.eq(SWEEP))
            .filter(sweep::COLUMN.mark.is_null())
            .exec(tx)
            .await?;
        Ok(update.rows_affected == 1)
    });
    // Another server was faster: its id is the one, and the next sweep goes by it.
    if !marked.await? {
        return Ok(false);
    }
    app.files.store.put(ID, id.to_string().into_bytes()).await?;
    Ok(true)
}

/// Ids of the first files that the store names.
async fn first_files(app: &App) -> Result<HashSet<Uuid>, Problem> {
    let mut listed = app.files.store.list(Some("file"));
    let mut found = HashSet::new();
    while found.len() < LOOKED_AT
        && let Some(object) = listed.try_next().await?
    {
        found.extend(owner(&object.key, "file/"));
    }
    Ok(found)
}
