//! `/catalogue`

use std::collections::BTreeMap;

use actix_web::{HttpResponse, Responder, get, web::Data, web::Path};
use entity::{case::CaseKind, id::DivisionId, service_item};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::ops::{self, Wanted};
use crate::{
    app::App,
    http::{ListQuery, Page, PageQuery, Query, Single, json},
    problem::Problem,
};

/// What an item becomes when somebody asks for it: 民事代办 or 民情代理.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// 民事代办
    Proxy,
    /// 民情代理
    Voice,
}

impl ItemKind {
    fn of_case(kind: CaseKind) -> Self {
        if kind == CaseKind::Voice { Self::Voice } else { Self::Proxy }
    }

    fn as_case(self) -> CaseKind {
        match self {
            Self::Proxy => CaseKind::Proxy,
            Self::Voice => CaseKind::Voice,
        }
    }
}

/// `?division=&kind=&q=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListItems {
    /// Where the asker lives; it must exist, and does not narrow yet.
    division: Option<DivisionId>,
    kind: Option<ItemKind>,
    /// Part of the name or code.
    #[validate(length(min = 1, max = 40))]
    #[param(min_length = 1, max_length = 40)]
    q: Option<String>,
}

/// `?version=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WhichVersion {
    /// A version a case was filed under; without it the current one.
    #[validate(range(min = 1))]
    #[param(minimum = 1)]
    version: Option<i32>,
}

/// An item in a list.
#[derive(Serialize, ToSchema)]
pub struct ItemSummary {
    code: String,
    version: i32,
    kind: ItemKind,
    name: String,
    /// Where papers are taken: `village`, `township`, `county` ...
    handled_at: String,
    department: String,
    /// What to bring.
    materials: Vec<String>,
    /// Working days the law allows.
    #[schema(required)]
    statutory_days: Option<i32>,
    /// Working days that are promised.
    #[schema(required)]
    promised_days: Option<i32>,
    fee: String,
    audience: String,
    /// Names of fields that are estimates.
    estimated: Vec<String>,
}

impl From<service_item::Model> for ItemSummary {
    fn from(row: service_item::Model) -> Self {
        Self {
            code: row.code,
            version: row.version,
            kind: ItemKind::of_case(row.kind),
            name: row.name,
            handled_at: row.handled_at,
            department: row.department,
            materials: read(row.materials),
            statutory_days: row.statutory_days,
            promised_days: row.promised_days,
            fee: row.fee,
            audience: row.audience,
            estimated: read(row.estimated),
        }
    }
}

/// A version of a service item, with where each of its values is from.
#[derive(Serialize, ToSchema)]
pub struct ItemView {
    #[serde(flatten)]
    summary: ItemSummary,
    /// Where it is decided.
    decided_at: String,
    /// Its number in the Sichuan government service list.
    #[schema(required)]
    sichuan_item_code: Option<String>,
    /// Titles of the sources.
    source: String,
    /// Field -> source ids of the catalogue file, joined by `+`; `E` is an estimate.
    provenance: BTreeMap<String, String>,
    note: String,
    /// JSON schema of what is to be filled in; null: nothing beside the papers.
    #[schema(required)]
    form: Option<serde_json::Value>,
    /// Questions that tell whether it is worth coming.
    pre_check: Vec<String>,
    published_at: chrono::DateTime<chrono::Utc>,
}

impl From<service_item::Model> for ItemView {
    fn from(row: service_item::Model) -> Self {
        Self {
            decided_at: row.decided_at.clone(),
            sichuan_item_code: row.sichuan_item_code.clone(),
            source: row.source.clone(),
            provenance: read(row.provenance.clone()),
            note: row.note.clone(),
            form: None,
            pre_check: Vec::new(),
            published_at: row.published_at,
            summary: ItemSummary::from(row),
        }
    }
}

/// A JSON column that only the import writes.
fn read<T: serde::de::DeserializeOwned + Default>(column: serde_json::Value) -> T {
    serde_json::from_value(column).unwrap_or_default()
}

/// What a village desk can be asked to do, in the order of the codes.
#[utoipa::path(tag = "catalogue", security(()), params(ListItems, PageQuery), responses((status = 200, body = Page<ItemSummary>)))]
#[get("/catalogue")]
pub async fn list_items(app: Data<App>, query: ListQuery<ListItems>) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let wanted = Wanted {
        division: by.division,
        kind: by.kind.map(ItemKind::as_case),
        text: by.q.as_deref(),
        cursor: page.cursor.as_deref(),
        limit: page.size(),
    };
    json(&Page::cut(ops::search(&app, wanted).await?, page.size(), |row| row.code.clone(), ItemSummary::from)?)
}

/// One item: papers, both limits, sources.
#[utoipa::path(
    tag = "catalogue", security(()), params(("code" = String, Path, example = "DZ-MZ-01"), WhichVersion),
    responses((status = 200, body = ItemView), (status = 304, description = "Not changed"))
)]
#[get("/catalogue/{code}")]
pub async fn get_item(
    app: Data<App>,
    code: Path<String>,
    query: Query<WhichVersion>,
) -> Result<impl Responder, Problem> {
    Ok(Single(ItemView::from(ops::find(app.db.read(), &code, query.0.version).await?)))
}
