//! What is taken away: files that hang on nothing after two days, uploads after one, bytes that no row names.
//!
//! A row is marked gone first, a day later its bytes go, then the row: a crash in between leaves work for the next sweep
//! and nothing that anybody can see, and a backup that has copied the rows still finds the bytes.

use std::collections::HashSet;

use chrono::TimeDelta;
use entity::{
    file::{self, FileState},
    id::{FileId, UploadId},
    upload,
};
use futures_util::TryStreamExt;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use uuid::Uuid;

use super::{
    store_identity,
    take_in::remove_objects,
    uploads::{self, Block},
};
use crate::{app::App, db::padded, problem::Problem};

/// How long a file may hang on nothing.
const FREE_FOR: TimeDelta = TimeDelta::hours(48);
/// How long the bytes of what is gone stay: a backup may have copied the row a moment before.
const GONE_FOR: TimeDelta = TimeDelta::hours(24);
/// How long bytes may lie there before the row that names them.
const WITHOUT_A_ROW: TimeDelta = TimeDelta::hours(24);
/// Rows at a time.
const AT_ONCE: u64 = 200;
/// Names of the store that are looked up at a time.
const NAMES_AT_ONCE: usize = 500;
/// With more unknown files than this, and more than known ones, somebody has to look first.
const ALARM_AT: usize = 20;

/// Files that hang on nothing, uploads whose time is over, and what was let go.
pub async fn sweep(app: &App) -> Result<(), Problem> {
    let now = app.clock.now();
    app.db
        .transact(async move |tx| {
            file::Entity::update_many()
                .col_expr(file::Column::State, Expr::val(FileState::Gone))
                .filter(file::COLUMN.thing_id.is_null())
                .filter(file::COLUMN.created_at.lt(now - FREE_FOR))
                .filter(file::COLUMN.state.eq(FileState::Kept))
                .exec(tx)
                .await?;
            // Those whom others let go, too: nothing goes sooner than a day after a sweep has found it gone.
            file::Entity::update_many()
                .col_expr(file::Column::GoneAt, Expr::val(now))
                .filter(file::COLUMN.state.eq(FileState::Gone))
                .filter(file::COLUMN.gone_at.is_null())
                .exec(tx)
                .await?;
            Ok(())
        })
        .await?;
    while forget_uploads(app).await? {}
    while remove_gone(app).await? {}
    Ok(())
}

/// Whether there may be more.
async fn forget_uploads(app: &App) -> Result<bool, Problem> {
    let now = app.clock.now();
    let due = upload::Entity::find().filter(upload::COLUMN.expires_at.lte(now));
    let due = due.order_by_asc(upload::Column::ExpiresAt).limit(AT_ONCE).all(app.db.read()).await?;
    for row in &due {
        let blocks: Vec<Block> = serde_json::from_value(row.blocks.clone()).map_err(Problem::unexpected)?;
        uploads::remove_blocks(&app.files.store, row.id, &blocks).await?;
        let id = row.id;
        app.db
            .transact(async move |tx| {
                upload::Entity::delete_by_id(id).exec(tx).await?;
                Ok(())
            })
            .await?;
    }
    Ok(due.len() as u64 == AT_ONCE)
}

async fn remove_gone(app: &App) -> Result<bool, Problem> {
    let long_ago = app.clock.now() - GONE_FOR;
    let gone = file::Entity::find().filter(file::COLUMN.state.eq(FileState::Gone));
    let gone = gone.filter(file::COLUMN.gone_at.lte(long_ago));
    let gone: Vec<FileId> = gone
        .select_only()
        .column(file::Column::Id)
        .order_by_asc(file::Column::GoneAt)
        .limit(AT_ONCE)
        .into_tuple()
        .all(app.db.read())
        .await?;
    for id in &gone {
        remove_objects(app, *id).await?;
    }
    let more = gone.len() as u64 == AT_ONCE;
    if !gone.is_empty() {
        app.db
            .transact(async move |tx| {
                let these = file::COLUMN.id.is_in(padded(gone.iter().copied()));
                file::Entity::delete_many().filter(these).exec(tx).await?;
                Ok(())
            })
            .await?;
    }
    Ok(more)
}

/// Bytes that no row names: what a crash left between the two.
pub async fn sweep_orphans(app: &App) -> Result<(), Problem> {
    if !store_identity::belong_together(app).await? {
        tracing::error!(
            store = app.files.store.place(),
            "this store is not the one of this database; nothing that no row names is removed"
        );
        return Ok(());
    }
    let before = app.clock.now() - WITHOUT_A_ROW;
    let mut seen = Seen::default();
    let mut listed = app.files.store.list(None);
    let mut old = Vec::new();
    loop {
        let found = listed.try_next().await?;
        let last = found.is_none();
        old.extend(found.filter(|found| found.written_at < before).map(|found| found.key));
        if last || old.len() >= NAMES_AT_ONCE {
            let orphans = orphans(app, std::mem::take(&mut old), &mut seen).await?;
            if seen.alarms() {
                tracing::error!(
                    store = app.files.store.place(),
                    unknown = seen.unknown,
                    known = seen.known,
                    "too many files are named by no row; nothing more is removed until somebody has looked"
                );
                return Ok(());
            }
            for name in orphans {
                app.files.store.remove(&name).await?;
            }
        }
        if last {
            return Ok(());
        }
    }
}

/// How many files of the store a row names, and how many none does.
#[derive(Default)]
struct Seen {
    known: usize,
    unknown: usize,
}

impl Seen {
    /// A crash leaves a few; more than half is a database that is not what it was.
    fn alarms(&self) -> bool {
        self.unknown > ALARM_AT && self.unknown > self.known
    }
}

/// Those of these names that no row knows.
async fn orphans(app: &App, names: Vec<String>, seen: &mut Seen) -> Result<Vec<String>, Problem> {
    let db = app.db.read();
    let of = |folder: &str| -> Vec<Uuid> { names.iter().filter_map(|name| owner(name, folder)).collect() };
    let files = file::Entity::find().select_only().column(file::Column::Id);
    let files = files.filter(file::COLUMN.id.is_in(padded(of("file/").into_iter().map(FileId))));
    let files: HashSet<Uuid> = files.into_tuple::<FileId>().all(db).await?.into_iter().map(|id| id.0).collect();
    let of_files: HashSet<Uuid> = of("file/").into_iter().collect();
    seen.known += files.len();
    seen.unknown += of_files.difference(&files).count();
    let mut known = files;
    // Blocks of an upload that was finished are not needed any more.
    let open = upload::Entity::find().select_only().column(upload::Column::Id).filter(upload::COLUMN.file_id.is_null());
    let open = open.filter(upload::COLUMN.id.is_in(padded(of("upload/").into_iter().map(UploadId))));
    known.extend(open.into_tuple::<UploadId>().all(db).await?.into_iter().map(|id| id.0));
    let orphan = |name: &String| {
        let id = owner(name, "file/").or_else(|| owner(name, "upload/"));
        // What others keep beside ours is theirs.
        name.starts_with("probe/") || id.is_some_and(|id| !known.contains(&id))
    };
    Ok(names.into_iter().filter(orphan).collect())
}

/// Whose object it is, by its name.
pub(super) fn owner(name: &str, folder: &str) -> Option<Uuid> {
    name.strip_prefix(folder)?.get(..36)?.parse().ok()
}
