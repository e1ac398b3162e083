//! Hanging files on things, in the transaction that makes the thing.
//!
//! A file is free until it hangs on something; only who brought it may hang it, and only one of two at once succeeds: rows
//! are held from [`claim`] to the commit. A file of somebody else, one that hangs elsewhere and one that never was are the
//! same answer.

use std::collections::HashMap;

use entity::{
    Instant,
    file::{self, FileKind, FileState, FileThing},
    id::{FileId, PersonId},
    upload,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    Set,
    sea_query::{Expr, SelectStatement},
};
use uuid::Uuid;

use super::{MOST_FILES, Owner, views::FileView};
use crate::{
    db::{Tx, padded},
    problem::Problem,
};

/// What files are hung on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hanging {
    /// The kind of thing.
    pub thing: FileThing,
    /// Its id.
    pub id: Uuid,
    /// Of a case, the event they came with; none: the filing.
    pub event: Option<Uuid>,
}

impl Hanging {
    /// On the thing itself.
    #[must_use]
    pub fn on(thing: FileThing, id: Uuid) -> Self {
        Self { thing, id, event: None }
    }

    /// On a step of a case.
    #[must_use]
    pub fn step(case: Uuid, event: Uuid) -> Self {
        Self { thing: FileThing::Case, id: case, event: Some(event) }
    }
}

/// A file that a body names, where it names it, and what it may be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The file.
    pub id: FileId,
    /// JSON pointer into the body.
    pub pointer: String,
    /// Kinds that will do; empty: any.
    pub kinds: &'static [FileKind],
}

impl Named {
    /// Those of a list `files`.
    #[must_use]
    pub fn list(files: Option<&Vec<FileId>>) -> Vec<Self> {
        let files = files.map(Vec::as_slice).unwrap_or_default();
        let named = |(at, id): (usize, &FileId)| Self { id: *id, pointer: format!("/files/{at}"), kinds: &[] };
        files.iter().enumerate().map(named).collect()
    }

    /// A single one.
    #[must_use]
    pub fn one(id: FileId, pointer: &str, kinds: &'static [FileKind]) -> Self {
        Self { id, pointer: pointer.to_owned(), kinds }
    }
}

/// Files that may be hung, held until the commit.
pub struct Claimed(Vec<file::Model>);

impl Claimed {
    /// No files.
    #[must_use]
    pub fn none() -> Self {
        Self(vec![])
    }

    /// Whether something can be heard among them.
    #[must_use]
    pub fn speaks(&self) -> bool {
        self.0.iter().any(|row| row.kind == FileKind::Voice)
    }
}

fn is_of(row: &file::Model, by: Owner) -> bool {
    match by {
        Owner::Person(person) => row.person_id == Some(person),
        Owner::Staff(staff) => row.staff_id == Some(staff),
    }
}

/// Looks whether somebody may hang these files; nothing is changed. Costs nothing where there are none.
///
/// # Errors
/// `invalid` at the pointer: `unknown_file` where it is not theirs or hangs elsewhere, `duplicate`, `file_kind`.
pub async fn claim(tx: &Tx, by: Owner, named: &[Named], on: Option<Hanging>) -> Result<Claimed, Problem> {
    if named.is_empty() {
        return Ok(Claimed::none());
    }
    let rows = file::Entity::find()
        .filter(file::COLUMN.id.is_in(padded(named.iter().map(|one| one.id))))
        .filter(file::COLUMN.state.eq(FileState::Kept))
        .lock_exclusive()
        .all(tx)
        .await?;
    let mut claimed = Vec::<file::Model>::with_capacity(named.len());
    for one in named {
        let refused = |code: &str| Err(Problem::field(&one.pointer, code));
        if claimed.iter().any(|row| row.id == one.id) {
            return refused("duplicate");
        }
        let found = rows.iter().find(|row| row.id == one.id && is_of(row, by));
        let here = |row: &file::Model| {
            on.is_some_and(|on| (row.thing, row.thing_id, row.event_id) == (Some(on.thing), Some(on.id), on.event))
        };
        let Some(row) = found.filter(|row| row.thing_id.is_none() || here(row)) else {
            return refused("unknown_file");
        };
        if !one.kinds.is_empty() && !one.kinds.contains(&row.kind) {
            return refused("file_kind");
        }
        claimed.push(row.clone());
    }
    Ok(Claimed(claimed))
}

/// Hangs what was claimed, in its order. Says what it hung.
pub async fn hang(tx: &Tx, claimed: Claimed, on: Hanging, now: Instant) -> Result<Vec<file::Model>, Problem> {
    hang_behind(tx, claimed, on, 0, now).await
}

async fn hang_behind(
    tx: &Tx,
    claimed: Claimed,
    on: Hanging,
    first: usize,
    now: Instant,
) -> Result<Vec<file::Model>, Problem> {
    let mut hung = Vec::with_capacity(claimed.0.len());
    for (at, row) in claimed.0.into_iter().enumerate() {
        let mut row = row.into_active_model();
        row.thing = Set(Some(on.thing));
        row.thing_id = Set(Some(on.id));
        row.event_id = Set(on.event);
        row.position = Set(i32::try_from(first + at).unwrap_or(i32::MAX));
        row.attached_at = Set(Some(now));
        hung.push(row.update(tx).await?);
    }
    Ok(hung)
}

/// Both at once, behind what hangs there already.
///
/// # Errors
/// As [`claim`]; `length` at `/files` where more than [`MOST_FILES`] would hang there together.
pub async fn attach(
    tx: &Tx,
    by: Owner,
    named: &[Named],
    on: Hanging,
    now: Instant,
) -> Result<Vec<file::Model>, Problem> {
    if named.is_empty() {
        return Ok(vec![]);
    }
    let claimed = claim(tx, by, named, Some(on)).await?;
    let there = file::Entity::find()
        .filter(file::COLUMN.thing_id.eq(on.id))
        .filter(file::COLUMN.thing.eq(on.thing))
        .filter(file::COLUMN.state.eq(FileState::Kept))
        .all(tx)
        .await?;
    let here = |row: &&file::Model| row.event_id == on.event && claimed.0.iter().all(|one| one.id != row.id);
    let there: Vec<&file::Model> = there.iter().filter(here).collect();
    if (there.len() + claimed.0.len()) as u64 > MOST_FILES {
        return Err(Problem::field("/files", "length"));
    }
    let last = there.iter().map(|row| row.position).max();
    let first = last.map_or(0, |last| usize::try_from(last).unwrap_or_default() + 1);
    hang_behind(tx, claimed, on, first, now).await
}

/// What hangs on one thing hangs on another from now on: a matter has become a case.
pub async fn move_thing(tx: &Tx, from: Hanging, into: Hanging) -> Result<(), Problem> {
    file::Entity::update_many()
        .col_expr(file::Column::Thing, Expr::val(into.thing))
        .col_expr(file::Column::ThingId, Expr::val(into.id))
        .col_expr(file::Column::EventId, Expr::val(into.event))
        .filter(file::COLUMN.thing_id.eq(from.id))
        .filter(file::COLUMN.thing.eq(from.thing))
        .exec(tx)
        .await?;
    Ok(())
}

/// Files that hang on things of one kind, by thing; with those of a case's steps, each in its order.
pub async fn attached_to(
    db: &impl ConnectionTrait,
    thing: FileThing,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Vec<file::Model>>, Problem> {
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let mut found = HashMap::<Uuid, Vec<file::Model>>::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let rows = file::Entity::find()
        .filter(file::COLUMN.thing_id.is_in(padded(ids)))
        .filter(file::COLUMN.thing.eq(thing))
        .filter(file::COLUMN.state.eq(FileState::Kept))
        .order_by_asc(file::Column::EventId)
        .order_by_asc(file::Column::Position)
        .order_by_asc(file::Column::Id);
    for row in rows.all(db).await? {
        if let Some(id) = row.thing_id {
            found.entry(id).or_default().push(row);
        }
    }
    Ok(found)
}

/// Views of the files that hang on one thing itself, not on a step of it.
pub async fn views_of(db: &impl ConnectionTrait, thing: FileThing, id: Uuid) -> Result<Vec<FileView>, Problem> {
    let rows = attached_to(db, thing, [id]).await?.remove(&id).unwrap_or_default();
    Ok(rows.iter().filter(|row| row.event_id.is_none()).map(FileView::of).collect())
}

/// Lets the files of things go that are no more, or must say nothing any more; the sweep takes their bytes away.
pub async fn drop_of(tx: &Tx, thing: FileThing, ids: impl IntoIterator<Item = Uuid>) -> Result<(), Problem> {
    let ids: Vec<Uuid> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(());
    }
    file::Entity::update_many()
        .col_expr(file::Column::State, Expr::val(FileState::Gone))
        .filter(file::COLUMN.thing_id.is_in(padded(ids)))
        .filter(file::COLUMN.thing.eq(thing))
        .exec(tx)
        .await?;
    Ok(())
}

/// Likewise, of the things that a query names.
pub async fn drop_of_those(tx: &Tx, thing: FileThing, those: SelectStatement) -> Result<(), Problem> {
    file::Entity::update_many()
        .col_expr(file::Column::State, Expr::val(FileState::Gone))
        .filter(file::COLUMN.thing.eq(thing))
        .filter(file::COLUMN.state.eq(FileState::Kept))
        .filter(file::Column::ThingId.in_subquery(those))
        .exec(tx)
        .await?;
    Ok(())
}

/// Lets what somebody brought and hung on nothing go.
pub async fn drop_unattached(tx: &Tx, person: PersonId) -> Result<(), Problem> {
    file::Entity::update_many()
        .col_expr(file::Column::State, Expr::val(FileState::Gone))
        .filter(file::COLUMN.person_id.eq(person))
        .filter(file::COLUMN.thing_id.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Lets go what somebody has not brought to its end; blocks that no row names are swept.
pub async fn drop_uploads(tx: &Tx, person: PersonId) -> Result<(), Problem> {
    upload::Entity::delete_many().filter(upload::COLUMN.owner.eq(person.0)).exec(tx).await?;
    Ok(())
}

/// What one person brought becomes the other's.
pub async fn move_person(tx: &Tx, from: PersonId, into: PersonId) -> Result<(), Problem> {
    file::Entity::update_many()
        .col_expr(file::Column::PersonId, Expr::val(into))
        .filter(file::COLUMN.person_id.eq(from))
        .exec(tx)
        .await?;
    Ok(())
}
