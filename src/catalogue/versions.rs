//! Publishing: a new version takes the place of the current one; what was filed under it stays under it.
//!
//! There is one catalogue for all places, so that only the county or the city publishes (decision 0020).

use std::collections::{BTreeMap, BTreeSet};

use entity::{Instant, division::DivisionLevel, id::StaffId, service_item, staff};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{item::CatalogueItem, questions::Outcome, rules};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Staff, duty::ManageCatalogue},
    db::Tx,
    http::{Cursor, PageQuery, plain_text},
    problem::{Code, FieldFault, OnUnique, Problem},
};

/// A new version, or a new item.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishItem {
    /// The version that whoever publishes has seen; 0 for an item that there is not yet.
    #[validate(range(min = 0))]
    #[schema(minimum = 0)]
    pub(super) version: i32,
    /// What is different, and why.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub(super) note: String,
    pub(super) item: CatalogueItem,
}

/// Why nobody is to file under an item any more.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetireItem {
    /// The version that was seen.
    pub(super) version: Option<i32>,
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub(super) reason: String,
}

/// Whether they may change what holds everywhere.
pub(super) fn check_level(staff: &Staff<ManageCatalogue>) -> Result<(), Problem> {
    let everywhere = |level| matches!(level, DivisionLevel::County | DivisionLevel::City);
    if staff.postings().any(|posting| everywhere(posting.level)) { Ok(()) } else { Err(Code::NotYourDuty.into()) }
}

/// Publishes a version.
///
/// # Errors
/// `not_your_duty` below the county, `stale`, `invalid` with a pointer into the item.
pub(super) async fn publish(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManageCatalogue>,
    code: &str,
    body: &PublishItem,
) -> Result<service_item::Model, Problem> {
    check_level(staff)?;
    let item = body.item.clone().tidied();
    let mut faults = rules::check(&item, "/item", &app.clock);
    if item.item_code != code {
        faults.push(FieldFault::new("/item/item_code", "not_allowed_here"));
    }
    faults.extend(unknown_others(tx, &[(&item, "/item".to_owned())]).await?);
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let newest = newest(tx, code).await?;
    let seen = newest.as_ref().map_or(0, |row| row.version);
    if seen != body.version {
        return Err(Problem::new(Code::Stale).with("version", seen));
    }
    if let Some(old) = newest.as_ref().filter(|old| old.retired_at.is_none())
        && CatalogueItem::of(old)? == item
    {
        return Err(Problem::field("/item", "unchanged"));
    }
    let now = app.clock.now();
    let row = service_item::Model {
        change_note: Some(body.note.clone()),
        published_by: Some(staff.id()),
        ..item.row(seen + 1, now)
    };
    if let Some(old) = newest {
        supersede(tx, &old).await?;
    }
    let inserted = service_item::Entity::insert(row.clone().into_active_model().reset_all());
    inserted.exec_without_returning(tx).await.on_unique(Code::Stale)?;
    let entry = Entry::done("publish_item", "service_item", row.id).of_fields(format!("{code} {}", row.version));
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry.because(body.note.as_str()), now).await?;
    Ok(row)
}

/// Takes an item out of what is offered. Running cases go on.
///
/// # Errors
/// `not_your_duty` below the county, `not_found`, `stale`, `already_decided`.
pub(super) async fn retire(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManageCatalogue>,
    code: &str,
    body: &RetireItem,
) -> Result<service_item::Model, Problem> {
    check_level(staff)?;
    let row = newest(tx, code).await?.ok_or_else(Problem::not_found)?;
    if body.version.is_some_and(|seen| seen != row.version) {
        return Err(Problem::new(Code::Stale).with("version", row.version));
    }
    if row.retired_at.is_some() {
        return Err(Code::AlreadyDecided.into());
    }
    let now = app.clock.now();
    service_item::Entity::update_many()
        .col_expr(service_item::Column::RetiredAt, Expr::value(now))
        .filter(service_item::COLUMN.id.eq(row.id))
        .exec(tx)
        .await?;
    let entry = Entry::done("retire_item", "service_item", row.id).of_fields(format!("{code} {}", row.version));
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry.because(body.reason.as_str()), now).await?;
    Ok(service_item::Model { retired_at: Some(now), ..row })
}

/// The newest version, held until the commit: of two who publish, the second finds what the first did.
async fn newest(tx: &Tx, code: &str) -> Result<Option<service_item::Model>, Problem> {
    if !plain_text(code) {
        return Ok(None);
    }
    let query = service_item::Entity::find().filter(service_item::COLUMN.code.eq(code));
    let found = query.order_by_desc(service_item::Column::Version).lock_exclusive().one(tx).await?;
    match found {
        // Another has published while this waited for the row.
        Some(row) if !row.current => Err(Problem::new(Code::Stale).with("version", row.version + 1)),
        found => Ok(found),
    }
}

/// The version is the current one no more.
pub(super) async fn supersede(tx: &Tx, old: &service_item::Model) -> Result<(), Problem> {
    let done = service_item::Entity::update_many()
        .col_expr(service_item::Column::Current, Expr::value(false))
        .filter(service_item::COLUMN.id.eq(old.id))
        .filter(service_item::COLUMN.current.eq(true))
        .exec(tx)
        .await?;
    if done.rows_affected == 1 { Ok(()) } else { Err(Code::Stale.into()) }
}

/// Items that questions send people to and that there are not, neither among these nor in the catalogue.
pub(super) async fn unknown_others(
    db: &impl ConnectionTrait,
    items: &[(&CatalogueItem, String)],
) -> Result<Vec<FieldFault>, Problem> {
    let mut wanted = Vec::new();
    for (item, at) in items {
        for (place, outcome) in rules::outcomes(item) {
            if let Outcome::OtherItem { code } = outcome {
                wanted.push((format!("{at}{place}"), code.as_str()));
            }
        }
    }
    let here = |code: &str| items.iter().any(|(item, _)| item.item_code == code);
    wanted.retain(|(_, code)| !here(code));
    if wanted.is_empty() {
        return Ok(vec![]);
    }
    let codes: BTreeSet<&str> = wanted.iter().map(|(_, code)| *code).collect();
    let known: BTreeSet<String> = service_item::Entity::find()
        .select_only()
        .column(service_item::Column::Code)
        .filter(service_item::COLUMN.code.is_in(crate::db::padded(codes)))
        .filter(service_item::COLUMN.current.eq(true))
        .into_tuple()
        .all(db)
        .await?
        .into_iter()
        .collect();
    wanted.retain(|(_, code)| !known.contains(*code));
    Ok(wanted.into_iter().map(|(place, _)| FieldFault::new(place, "unknown")).collect())
}

/// The versions of an item, newest first, at most `size + 1`, and who published them.
pub(super) async fn list(
    app: &App,
    code: &str,
    page: &PageQuery,
) -> Result<(Vec<service_item::Model>, BTreeMap<StaffId, String>), Problem> {
    // There must be one.
    super::ops::find(app.db.read(), code, None).await?;
    let mut query = service_item::Entity::find().filter(service_item::COLUMN.code.eq(code));
    if let Some(before) = Cursor::read::<i32>(page.cursor.as_deref())? {
        query = query.filter(service_item::COLUMN.version.lt(before));
    }
    let rows = query.order_by_desc(service_item::Column::Version).limit(page.size() + 1).all(app.db.read()).await?;
    let publishers: BTreeSet<StaffId> = rows.iter().filter_map(|row| row.published_by).collect();
    let mut names = BTreeMap::new();
    if !publishers.is_empty() {
        let people = staff::Entity::find().filter(staff::COLUMN.id.is_in(crate::db::padded(publishers)));
        names.extend(people.all(app.db.read()).await?.into_iter().map(|row| (row.id, row.name)));
    }
    Ok((rows, names))
}

/// Everything that is offered, as the import takes it.
pub(super) async fn offered(db: &impl ConnectionTrait) -> Result<Vec<CatalogueItem>, Problem> {
    let rows = service_item::Entity::find()
        .filter(service_item::COLUMN.current.eq(true))
        .filter(service_item::COLUMN.retired_at.is_null())
        .order_by_asc(service_item::Column::Code)
        .all(db)
        .await?;
    rows.iter().map(CatalogueItem::of).collect()
}

/// Rows of new versions, made by `by` for a file.
pub(super) fn row_of_file(
    item: &CatalogueItem,
    version: i32,
    by: Option<StaffId>,
    now: Instant,
) -> service_item::ActiveModel {
    service_item::Model { published_by: by, ..item.row(version, now) }.into_active_model().reset_all()
}
