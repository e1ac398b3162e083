//! `/catalogue`

use std::collections::BTreeMap;

use actix_web::{HttpResponse, Responder, get, post, web::Data, web::Path};
use entity::id::DivisionId;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::{
    item::{CatalogueItem, ItemKind},
    ops::{self, Wanted},
    questions::{self, Outcome, Standing},
    views::{ItemSummary, ItemView, PreCheckView},
};
use crate::{
    app::App,
    http::{Command, ListQuery, Page, PageQuery, Query, Single, json},
    problem::Problem,
};

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

/// What was answered so far.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreCheckItem {
    /// Id of a question -> value of the answer. Empty: the first question is asked.
    #[serde(default)]
    #[validate(length(max = 40))]
    answers: BTreeMap<String, String>,
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

/// One item: papers, form, questions, both limits, sources.
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
    Ok(Single(ItemView::of(ops::find(app.db.read(), &code, query.0.version).await?)?))
}

/// Whether it is worth coming (预检): the next question, or where the questions end. Nothing of it is kept.
#[utoipa::path(
    tag = "catalogue", security(()), params(("code" = String, Path, example = "DZ-MZ-01")), request_body = PreCheckItem,
    responses((status = 200, body = PreCheckView))
)]
#[post("/catalogue/{code}/pre-check")]
pub async fn pre_check_item(
    app: Data<App>,
    code: Path<String>,
    command: Command<PreCheckItem>,
) -> Result<HttpResponse, Problem> {
    let row = ops::find_offered(app.db.read(), &code).await?;
    let item = CatalogueItem::of(&row)?;
    let standing = questions::follow(&item.pre_check, &command.body.answers).map_err(Problem::invalid)?;
    let other = match &standing {
        Standing::Ended(Outcome::OtherItem { code }) => ops::find(app.db.read(), code, None).await.ok(),
        _ => None,
    };
    json(&PreCheckView::of(&row, standing, other.as_ref().map(|row| row.name.as_str())))
}
