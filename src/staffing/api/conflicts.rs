//! Who is near to whom.

use actix_web::{HttpResponse, delete, get, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::{
    conflict::{self, ConflictKind},
    id::{ConflictId, PersonId, StaffId},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    app::App,
    auth::{Staff, duty::RecordConflicts},
    db::Tx,
    http::{Command, Page, PageQuery, Query, json},
    problem::Problem,
    staffing::{bodies::RecordConflict, ops::conflicts},
};

pub(in crate::staffing) fn routes(config: &mut ServiceConfig) {
    config.service(list_conflicts).service(record_conflict).service(forget_conflict);
}

/// A near relation.
#[derive(Serialize, ToSchema)]
pub struct ConflictView {
    id: ConflictId,
    staff: StaffId,
    with_staff: Option<StaffId>,
    with_person: Option<PersonId>,
    kind: ConflictKind,
    created_by: StaffId,
    created_at: DateTime<Utc>,
}

impl From<conflict::Model> for ConflictView {
    fn from(row: conflict::Model) -> Self {
        Self {
            id: row.id,
            staff: row.staff_id,
            with_staff: row.with_staff_id,
            with_person: row.with_person_id,
            kind: row.kind,
            created_by: row.created_by,
            created_at: row.created_at,
        }
    }
}

/// Near relations recorded of an account.
#[utoipa::path(
    tag = "staff", params(("id" = StaffId, Path), PageQuery), responses((status = 200, body = Page<ConflictView>))
)]
#[get("/staff/accounts/{id}/conflicts")]
pub async fn list_conflicts(
    app: Data<App>,
    staff: Staff<RecordConflicts>,
    id: Path<StaffId>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let rows = conflicts::list(&app, &staff, *id, &page.0).await?;
    json(&Page::cut(rows, page.0.size(), |row| row.id, ConflictView::from)?)
}

/// Records a near relation to other staff or to a villager: what is about them is kept from each other.
#[utoipa::path(
    tag = "staff", params(("id" = StaffId, Path)), request_body = RecordConflict,
    responses((status = 201, body = ConflictView))
)]
#[post("/staff/accounts/{id}/conflicts")]
pub async fn record_conflict(
    app: Data<App>,
    staff: Staff<RecordConflicts>,
    id: Path<StaffId>,
    command: Command<RecordConflict>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let record = async move |tx: &Tx, body: &RecordConflict| {
        Ok(ConflictView::from(conflicts::record(tx, &shared, &staff, *id, body).await?))
    };
    command.once(&app, caller, StatusCode::CREATED, record).await
}

/// Takes a record back; not one that is about oneself.
#[utoipa::path(
    tag = "staff", params(("id" = StaffId, Path), ("conflict" = ConflictId, Path)),
    responses((status = 204, description = "Gone"))
)]
#[delete("/staff/accounts/{id}/conflicts/{conflict}")]
pub async fn forget_conflict(
    app: Data<App>,
    staff: Staff<RecordConflicts>,
    path: Path<(StaffId, ConflictId)>,
) -> Result<HttpResponse, Problem> {
    let (shared, (of, id)) = (app.clone(), path.into_inner());
    app.db.transact(async move |tx| conflicts::forget(tx, &shared, &staff, of, id).await).await?;
    Ok(HttpResponse::NoContent().finish())
}
