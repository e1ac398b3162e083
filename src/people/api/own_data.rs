//! `/me/export`

use actix_web::{HttpResponse, get, http::StatusCode, http::header, post, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::{data_export, id::DataExportId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::Villager,
    db::Tx,
    http::{Command, json},
    people::ops::copy,
    problem::Problem,
};

pub(in crate::people) fn routes(config: &mut ServiceConfig) {
    config.service(ask_export).service(get_export).service(fetch_export);
}

/// Nothing to say but the call itself.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskExport {}

/// How far a copy is.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportState {
    /// Being put together.
    Preparing,
    /// To be fetched.
    Ready,
}

/// A copy of one's own data.
#[derive(Serialize, ToSchema)]
pub struct ExportView {
    id: DataExportId,
    state: ExportState,
    created_at: DateTime<Utc>,
    ready_at: Option<DateTime<Utc>>,
    /// It is thrown away then.
    expires_at: DateTime<Utc>,
    /// Ways to fetch it, once it is ready: `json`, `html`.
    formats: Vec<&'static str>,
}

impl From<data_export::Model> for ExportView {
    fn from(row: data_export::Model) -> Self {
        let ready = row.ready_at.is_some();
        Self {
            id: row.id,
            state: if ready { ExportState::Ready } else { ExportState::Preparing },
            created_at: row.created_at,
            ready_at: row.ready_at,
            expires_at: row.expires_at,
            formats: if ready { vec!["json", "html"] } else { vec![] },
        }
    }
}

/// Asks for a copy of everything that is kept of oneself.
#[utoipa::path(tag = "me", request_body = Option<AskExport>, responses((status = 202, body = ExportView)))]
#[post("/me/export")]
pub async fn ask_export(app: Data<App>, me: Villager, command: Command<AskExport>) -> Result<HttpResponse, Problem> {
    let (shared, caller, now) = (app.clone().into_inner(), me.caller(), app.clock.now());
    let ask = async move |tx: &Tx, _: &AskExport| {
        let row = copy::ask(tx, &shared, &me, now).await?;
        let entry = Entry::done("ask_own_data", "person", me.person());
        audit::record(tx, &shared.field_keys, &Actor::villager(&me), entry, now).await?;
        Ok(ExportView::from(row))
    };
    command.once(&app, caller, StatusCode::ACCEPTED, ask).await
}

/// How far the copy is.
#[utoipa::path(tag = "me", params(("id" = DataExportId, Path)), responses((status = 200, body = ExportView)))]
#[get("/me/export/{id}")]
pub async fn get_export(app: Data<App>, me: Villager, id: Path<DataExportId>) -> Result<HttpResponse, Problem> {
    json(&ExportView::from(copy::find(&app, &me, *id).await?))
}

/// The copy itself, for machines or for reading and printing.
#[utoipa::path(
    tag = "me", params(("id" = DataExportId, Path), ("format" = String, Path, description = "`json` or `html`")),
    responses((status = 200, description = "The copy", content((Object = "application/json"), (String = "text/html"))))
)]
#[get("/me/export/{id}/{format}")]
pub async fn fetch_export(
    app: Data<App>,
    me: Villager,
    path: Path<(DataExportId, String)>,
) -> Result<HttpResponse, Problem> {
    let (id, format) = path.into_inner();
    if !["json", "html"].contains(&format.as_str()) {
        return Err(Problem::not_found());
    }
    let content = copy::content(&app, &copy::find(&app, &me, id).await?)?;
    let (kind, body) = if format == "html" {
        ("text/html; charset=utf-8", copy::page(&content))
    } else {
        ("application/json", content.to_string())
    };
    let (shared, now) = (app.clone().into_inner(), app.clock.now());
    let fetched = async move |tx: &Tx| {
        let entry = Entry::done("fetch_own_data", "person", me.person());
        audit::record(tx, &shared.field_keys, &Actor::villager(&me), entry, now).await
    };
    app.db.transact(fetched).await?;
    let name = format!("attachment; filename=\"my-data.{format}\"");
    Ok(HttpResponse::Ok().content_type(kind).insert_header((header::CONTENT_DISPOSITION, name)).body(body))
}
