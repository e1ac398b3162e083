//! Units: a tree over the tree of places.

use std::collections::HashSet;

use entity::{
    division,
    id::{DivisionId, UnitId},
    unit::{self, UnitKind},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Set,
};

use crate::{
    app::App,
    audit,
    auth::{
        Staff,
        duty::{Anything, ManageAccounts},
    },
    db::Tx,
    divisions,
    http::{Cursor, PageQuery},
    problem::{Code, OnUnique, Problem},
    staffing::{
        bodies::{Change, ChangeUnit, MakeUnit},
        rules, scope,
    },
};

/// Units of a place and below it, or of all places of the caller, in the order they were made; a page and one.
pub async fn list(
    app: &App,
    staff: &Staff<Anything>,
    division: Option<DivisionId>,
    page: &PageQuery,
) -> Result<Vec<unit::Model>, Problem> {
    let db = app.db.read();
    let places = match division {
        Some(id) => divisions::subtree(divisions::reach(db, staff, id).await?.id),
        None => scope::within(staff.postings()),
    };
    let places = division::Entity::find().select_only().column(division::Column::Id).filter(places).into_query();
    let mut query = unit::Entity::find().filter(unit::Column::DivisionId.in_subquery(places));
    if let Some(after) = Cursor::read::<UnitId>(page.cursor.as_deref())? {
        query = query.filter(unit::COLUMN.id.gt(after));
    }
    Ok(query.order_by_asc(unit::Column::Id).limit(page.size() + 1).all(db).await?)
}

/// Makes a unit.
///
/// # Errors
/// `already_exists` where a place has one of this kind; 422 with a pointer.
pub async fn make(tx: &Tx, app: &App, staff: &Staff<ManageAccounts>, body: &MakeUnit) -> Result<unit::Model, Problem> {
    let place = division::Entity::find_by_id(body.division).one(tx).await?;
    let place = place.ok_or_else(|| Problem::field("/division", "unknown"))?;
    if !staff.postings().any(|posted| divisions::covers(posted, &place)) {
        return Err(Problem::field("/division", "not_in_scope"));
    }
    if !rules::belongs(body.kind, place.level) {
        return Err(Problem::field("/kind", "not_allowed_here"));
    }
    if let Some(parent) = body.parent {
        above(tx, &place, None, parent).await?;
    }
    let row = unit::ActiveModel {
        id: Set(UnitId::fresh()),
        division_id: Set(place.id),
        parent_id: Set(body.parent),
        kind: Set(body.kind),
        name: Set(body.name.trim().to_owned()),
    };
    if matches!(body.kind, UnitKind::Department | UnitKind::Grid) {
        unlike_others(tx, &place, None, body.kind, body.name.trim()).await?;
    }
    let made = row.insert(tx).await.on_unique(Code::AlreadyExists)?;
    record(tx, app, staff, "make_unit", made.id).await?;
    Ok(made)
}

/// Renames a unit or hangs it elsewhere.
///
/// # Errors
/// 422 at `/parent` where it would hang under itself.
pub async fn change(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManageAccounts>,
    id: UnitId,
    body: &ChangeUnit,
) -> Result<unit::Model, Problem> {
    let row = unit::Entity::find_by_id(id).lock_exclusive().one(tx).await?.ok_or_else(Problem::not_found)?;
    let place = divisions::reach(tx, staff, row.division_id).await?;
    if let Change::To(parent) = body.parent {
        above(tx, &place, Some(id), parent).await?;
    }
    if let Some(name) = body.name.as_deref().filter(|_| matches!(row.kind, UnitKind::Department | UnitKind::Grid)) {
        unlike_others(tx, &place, Some(id), row.kind, name.trim()).await?;
    }
    let kept = row.clone();
    let mut row = row.into_active_model();
    if let Some(name) = &body.name {
        row.name = Set(name.trim().to_owned());
    }
    match body.parent {
        Change::LeftOut => {}
        Change::Null => row.parent_id = Set(None),
        Change::To(parent) => row.parent_id = Set(Some(parent)),
    }
    if !row.is_changed() {
        return Ok(kept);
    }
    let changed = row.update(tx).await?;
    record(tx, app, staff, "change_unit", id).await?;
    Ok(changed)
}

/// Whether a unit may stand above another: of the same place or one above it, and not below that other itself.
async fn above(tx: &Tx, place: &division::Model, below: Option<UnitId>, parent: UnitId) -> Result<(), Problem> {
    let (mut seen, mut next, mut first) = (HashSet::new(), Some(parent), true);
    while let Some(id) = next {
        if Some(id) == below || !seen.insert(id) {
            return Err(Problem::field("/parent", "cycle"));
        }
        // Locked on the way up: of two moves that would make a ring together, one sees the other.
        let unit = unit::Entity::find_by_id(id).lock_exclusive().one(tx).await?;
        let unit = unit.ok_or_else(|| Problem::field("/parent", "unknown"))?;
        if first && !divisions::line_up(place).contains(&Some(unit.division_id)) {
            return Err(Problem::field("/parent", "unknown"));
        }
        (next, first) = (unit.parent_id, false);
    }
    Ok(())
}

/// Departments and grids of a place are told apart by their names.
async fn unlike_others(
    db: &impl ConnectionTrait,
    place: &division::Model,
    but: Option<UnitId>,
    kind: UnitKind,
    name: &str,
) -> Result<(), Problem> {
    let mut same = unit::Entity::find()
        .filter(unit::COLUMN.division_id.eq(place.id))
        .filter(unit::COLUMN.kind.eq(kind))
        .filter(unit::COLUMN.name.eq(name));
    if let Some(id) = but {
        same = same.filter(unit::COLUMN.id.ne(id));
    }
    if same.one(db).await?.is_some() { Err(Code::AlreadyExists.into()) } else { Ok(()) }
}

async fn record(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManageAccounts>,
    action: &'static str,
    id: UnitId,
) -> Result<(), Problem> {
    let entry = audit::Entry::done(action, "unit", id);
    audit::record(tx, &app.field_keys, &audit::Actor::staff(staff), entry, app.clock.now()).await
}
