//! Finding service items. Next: [`super::versions`] for publishing them.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use entity::{
    Instant,
    case::CaseKind,
    division,
    id::{DivisionId, ServiceItemId},
    service_item,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DerivePartialModel, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, Func},
};

use super::requirements::Requirements;
use crate::{
    app::App,
    db,
    http::{Cursor, plain_text},
    problem::Problem,
};

/// What to look for; parts that are not given do not narrow.
#[derive(Debug, Default)]
pub(super) struct Wanted<'a> {
    pub division: Option<DivisionId>,
    pub kind: Option<CaseKind>,
    pub text: Option<&'a str>,
    pub cursor: Option<&'a str>,
    pub limit: u64,
}

/// Items that are offered, by code, at most `limit + 1`.
pub(super) async fn search(app: &App, wanted: Wanted<'_>) -> Result<Vec<service_item::Model>, Problem> {
    if let Some(place) = wanted.division {
        // One catalogue for all places so far; but a place that does not exist is a mistake worth telling.
        let known = division::Entity::find_by_id(place).one(app.db.read()).await?;
        known.ok_or_else(|| Problem::field("?division", "unknown"))?;
    }
    let mut query = service_item::Entity::find()
        .filter(service_item::COLUMN.current.eq(true))
        .filter(service_item::COLUMN.retired_at.is_null());
    if let Some(kind) = wanted.kind {
        query = query.filter(service_item::COLUMN.kind.eq(kind));
    }
    if let Some(text) = wanted.text {
        query = query.filter(mentions(text));
    }
    if let Some(after) = Cursor::read::<String>(wanted.cursor)? {
        query = query.filter(service_item::COLUMN.code.gt(after));
    }
    Ok(query.order_by_asc(service_item::Column::Code).limit(wanted.limit + 1).all(app.db.read()).await?)
}

/// Items whose name or code holds the text; Latin letters in either case, on both engines alike.
fn mentions(text: &str) -> Condition {
    let text = text.to_uppercase();
    let upper = |column: service_item::Column| Expr::expr(Func::upper(column.into_expr()));
    Condition::any()
        .add(upper(service_item::Column::Name).like(db::containing(&text)))
        .add(upper(service_item::Column::Code).like(db::containing(&text)))
}

/// One version of an item, the current one unless another is named; 404 when there is none.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    code: &str,
    version: Option<i32>,
) -> Result<service_item::Model, Problem> {
    // A path may hold anything, also what PostgreSQL cannot take as text.
    if !plain_text(code) {
        return Err(Problem::not_found());
    }
    let of_code = service_item::Entity::find().filter(service_item::COLUMN.code.eq(code));
    let found = match version {
        None => of_code.filter(service_item::COLUMN.current.eq(true)).one(db).await?,
        Some(version) => of_code.filter(service_item::COLUMN.version.eq(version)).one(db).await?,
    };
    found.ok_or_else(Problem::not_found)
}

/// The current version of an item that is offered; 404 when there is none.
pub(super) async fn find_offered(db: &impl ConnectionTrait, code: &str) -> Result<service_item::Model, Problem> {
    let found = find(db, code, None).await?;
    if found.retired_at.is_none() { Ok(found) } else { Err(Problem::not_found()) }
}

/// What a case takes over from the item it is filed under, and what the item asks of whoever files.
#[derive(Clone, Debug)]
pub struct ItemTerms {
    /// The version.
    pub id: ServiceItemId,
    /// As people know it.
    pub name: String,
    /// Working days; 0 is the same day.
    pub promised_days: Option<i32>,
    /// Working days of the law.
    pub statutory_days: Option<i32>,
    /// Nobody files under it any more.
    pub retired: bool,
    /// Form and papers.
    pub requirements: Arc<Requirements>,
}

/// What of a row is needed for that.
#[derive(Debug, DerivePartialModel)]
#[sea_orm(entity = "service_item::Entity")]
struct Current {
    id: ServiceItemId,
    code: String,
    name: String,
    promised_days: Option<i32>,
    statutory_days: Option<i32>,
    retired_at: Option<Instant>,
}

/// Terms of the current versions of these items, by code; what is not known is left out.
pub async fn current_terms(
    app: &App,
    db: &impl ConnectionTrait,
    codes: BTreeSet<&str>,
) -> Result<HashMap<String, ItemTerms>, Problem> {
    if codes.is_empty() {
        return Ok(HashMap::new());
    }
    let current = service_item::Entity::find().filter(service_item::COLUMN.code.is_in(db::padded(codes)));
    let current = current.filter(service_item::COLUMN.current.eq(true)).into_partial_model::<Current>();
    let rows = current.all(db).await?;
    let mut requirements = app.requirements.of(db, rows.iter().map(|row| row.id)).await?;
    let terms = rows.into_iter().filter_map(|row| {
        let terms = ItemTerms {
            id: row.id,
            name: row.name,
            promised_days: row.promised_days,
            statutory_days: row.statutory_days,
            retired: row.retired_at.is_some(),
            requirements: requirements.remove(&row.id)?,
        };
        Some((row.code, terms))
    });
    Ok(terms.collect())
}

/// Whether an item of this code is offered.
pub async fn is_offered(db: &impl ConnectionTrait, code: &str) -> Result<bool, Problem> {
    let found = service_item::Entity::find()
        .filter(service_item::COLUMN.code.eq(code))
        .filter(service_item::COLUMN.current.eq(true))
        .filter(service_item::COLUMN.retired_at.is_null())
        .one(db)
        .await?;
    Ok(found.is_some())
}
