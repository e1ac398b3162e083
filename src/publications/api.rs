//! `/divisions/{division}/publications`, `/publications/{id}`: what anybody reads.

use actix_web::{HttpResponse, Responder, get, web::Data, web::Path};
use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    id::{DivisionId, PublicationId},
    publication::{self, PublicationKind},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::find;
use crate::{
    app::App,
    http::{ListQuery, Page, PageQuery, Single, json},
    problem::Problem,
};

/// Something on the page of a village.
#[derive(Serialize, ToSchema)]
pub struct PublicationView {
    id: PublicationId,
    division: DivisionId,
    kind: PublicationKind,
    title: Option<String>,
    /// Minutes: `{village, date, place, purpose, format, counts, matters: [{number, topic, title, outcome, text}]}`. An
    /// answer: `{topic, question, answer, result, answered_on}`.
    #[schema(value_type = Object)]
    body: Option<Value>,
    published_at: Option<DateTime<Utc>>,
    /// The last day on which it is shown.
    expires_on: NaiveDate,
}

impl From<publication::Model> for PublicationView {
    fn from(row: publication::Model) -> Self {
        Self {
            id: row.id,
            division: row.division_id,
            kind: row.kind,
            title: row.title,
            body: row.body,
            published_at: row.shown_at,
            expires_on: row.expires_on,
        }
    }
}

/// An entry of the page; the whole is read one by one.
#[derive(Serialize, ToSchema)]
pub struct PublicationEntry {
    id: PublicationId,
    kind: PublicationKind,
    title: Option<String>,
    published_at: Option<DateTime<Utc>>,
    /// The last day on which it is shown.
    expires_on: NaiveDate,
}

impl From<publication::Model> for PublicationEntry {
    fn from(row: publication::Model) -> Self {
        Self { id: row.id, kind: row.kind, title: row.title, published_at: row.shown_at, expires_on: row.expires_on }
    }
}

/// `?kind=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListPublications {
    /// Left out: all.
    kind: Option<PublicationKind>,
}

/// The page of a place: minutes of talk days and answered public matters, the newest first.
#[utoipa::path(
    tag = "divisions", security(()), params(("division" = DivisionId, Path), ListPublications, PageQuery),
    responses((status = 200, body = Page<PublicationEntry>))
)]
#[get("/divisions/{division}/publications")]
pub async fn list_publications(
    app: Data<App>,
    division: Path<DivisionId>,
    query: ListQuery<ListPublications>,
) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let rows = find::page(&app, *division, by.kind, &page).await?;
    json(&Page::cut(rows, page.size(), |row| (row.shown_at, row.id), PublicationEntry::from)?)
}

/// One of them. What was taken down is not there, whatever tag a client holds.
#[utoipa::path(
    tag = "divisions", security(()), params(("id" = PublicationId, Path)),
    responses((status = 200, body = PublicationView), (status = 304, description = "Not changed"))
)]
#[get("/publications/{id}")]
pub async fn get_publication(app: Data<App>, id: Path<PublicationId>) -> Result<impl Responder, Problem> {
    Ok(Single(PublicationView::from(find::one(&app, *id).await?)))
}
