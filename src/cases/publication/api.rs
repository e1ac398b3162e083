//! `/staff/cases/{id}/publication`, `/cases/{id}/publication`

use actix_web::{HttpResponse, delete, http::StatusCode, post, web::Data, web::Path};
use entity::id::CaseId;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::ops;
use crate::{
    app::App,
    auth::{Staff, Villager, duty::WorkOnCases},
    cases::{staff_api::written_view, views::StaffCaseView},
    db::Tx,
    http::Command,
    problem::Problem,
};

/// Whether anybody may see a case without whose it is.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishCase {
    /// True only while the villager agrees.
    pub(super) public: bool,
    /// When it is no longer this one: `stale`.
    pub(super) version: Option<i32>,
}

/// Withholds a case from the public, or shows it again.
#[utoipa::path(
    tag = "staff", params(("id" = CaseId, Path)), request_body = PublishCase, responses((status = 200, body = StaffCaseView))
)]
#[post("/staff/cases/{id}/publication")]
pub async fn publish_case(
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    id: Path<CaseId>,
    command: Command<PublishCase>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let operation = async move |tx: &Tx, body: &PublishCase| {
        let case = ops::by_staff(tx, &shared, &staff, *id, body).await?;
        written_view(&shared, tx, &staff, case).await
    };
    command.once(&app, caller, StatusCode::OK, operation).await
}

/// Takes back that one's own case may be seen; it is gone from the public at once, and nobody can show it again.
#[utoipa::path(
    tag = "cases", params(("id" = CaseId, Path)), responses((status = 204, description = "Nobody else sees it"))
)]
#[delete("/cases/{id}/publication")]
pub async fn withdraw_publication(app: Data<App>, me: Villager, id: Path<CaseId>) -> Result<HttpResponse, Problem> {
    let shared = app.clone();
    app.db.transact(async move |tx| ops::by_villager(tx, &shared, &me, *id).await).await?;
    Ok(HttpResponse::NoContent().finish())
}
