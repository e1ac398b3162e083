//! `/staff/divisions/{division}/api-keys`, `/staff/api-keys/{id}`

use actix_web::{HttpResponse, delete, get, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::{
    api_key,
    id::{ApiKeyId, DivisionId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::keys;
use crate::{
    app::App,
    auth::{Staff, duty::ManageReceivers},
    db::Tx,
    divisions,
    http::{Command, Page, PageQuery, Query, json},
    problem::Problem,
};

/// A key to be.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeApiKey {
    /// Whose program it is for, in words.
    #[validate(length(min = 1, max = 80))]
    #[schema(min_length = 1, max_length = 80)]
    name: String,
}

/// A key by which a program files public matters. It is shown when it is made, and never again.
#[derive(Serialize, ToSchema)]
pub struct ApiKeyView {
    id: ApiKeyId,
    /// It files here and below.
    division: DivisionId,
    name: String,
    /// Its first letters.
    beginning: String,
    created_at: DateTime<Utc>,
    /// When something was filed by it last.
    used_at: Option<DateTime<Utc>>,
}

impl From<&api_key::Model> for ApiKeyView {
    fn from(row: &api_key::Model) -> Self {
        Self {
            id: row.id,
            division: row.division_id,
            name: row.name.clone(),
            beginning: row.beginning.clone(),
            created_at: row.created_at,
            used_at: row.used_at,
        }
    }
}

/// A new key.
#[derive(Serialize, ToSchema)]
pub struct ApiKeyWithSecret {
    api_key: ApiKeyView,
    /// The whole key. Write it down now.
    key: String,
}

/// The keys of a place, the first made first.
#[utoipa::path(
    tag = "connections", params(("division" = DivisionId, Path), PageQuery),
    responses((status = 200, body = Page<ApiKeyView>))
)]
#[get("/staff/divisions/{division}/api-keys")]
pub async fn list_api_keys(
    app: Data<App>,
    staff: Staff<ManageReceivers>,
    division: Path<DivisionId>,
    query: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let db = app.db.read();
    let place = divisions::reach(db, &staff, *division).await?;
    let rows = keys::list(db, place.id, &query.0).await?;
    json(&Page::cut(rows, query.0.size(), |row| row.id, |row| ApiKeyView::from(&row))?)
}

/// Makes a key by which a program files public matters (Open311). It is shown now and never again.
#[utoipa::path(
    tag = "connections", params(("division" = DivisionId, Path)), request_body = MakeApiKey,
    responses((status = 201, body = ApiKeyWithSecret))
)]
#[post("/staff/divisions/{division}/api-keys")]
pub async fn make_api_key(
    app: Data<App>,
    staff: Staff<ManageReceivers>,
    division: Path<DivisionId>,
    command: Command<MakeApiKey>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let operation = async move |tx: &Tx, body: &MakeApiKey| {
        let (row, key) = keys::make(tx, &shared, &staff, *division, &body.name).await?;
        Ok(ApiKeyWithSecret { api_key: ApiKeyView::from(&row), key })
    };
    command.once(&app, caller, StatusCode::CREATED, operation).await
}

/// Takes a key back.
#[utoipa::path(
    tag = "connections", params(("id" = ApiKeyId, Path)),
    responses((status = 204, description = "Nothing is filed by it any more"))
)]
#[delete("/staff/api-keys/{id}")]
pub async fn revoke_api_key(
    app: Data<App>,
    staff: Staff<ManageReceivers>,
    id: Path<ApiKeyId>,
) -> Result<HttpResponse, Problem> {
    let shared = app.clone();
    app.db.transact(async move |tx| keys::revoke(tx, &shared, &staff, *id).await).await?;
    Ok(HttpResponse::NoContent().finish())
}
