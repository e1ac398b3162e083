//! `/staff/cases/{id}/publish`, `/staff/divisions/{division}/publications`, `/staff/publications/{id}/take-down`

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    id::{CaseId, DivisionId, PublicationId, StaffId},
    publication::{self, PublicationEnd, PublicationKind},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::{
    end::{self, TakeDown},
    find::{self, PublicationState},
    make::{self, PublishAnswer},
};
use crate::{
    app::App,
    auth::{
        Staff,
        duty::{KeepPublications, WorkOnCases},
    },
    db::Tx,
    http::{Command, ListQuery, Page, PageQuery, json},
    problem::Problem,
};

/// Something on the page of a village, as staff see it.
#[derive(Serialize, ToSchema)]
pub struct StaffPublicationView {
    id: PublicationId,
    division: DivisionId,
    kind: PublicationKind,
    /// The minutes, or the case.
    subject_id: Uuid,
    state: PublicationState,
    /// Null once it ended.
    title: Option<String>,
    #[schema(value_type = Object)]
    body: Option<Value>,
    /// SHA-256 of title and body, in hex.
    digest: String,
    may_identify: bool,
    /// Version of the text to which the person agreed.
    consent_version: Option<String>,
    published_by: StaffId,
    created_at: DateTime<Utc>,
    shown_at: Option<DateTime<Utc>>,
    expires_on: NaiveDate,
    ended_at: Option<DateTime<Utc>>,
    ended_because: Option<PublicationEnd>,
    end_reason: Option<String>,
    version: i32,
}

impl From<publication::Model> for StaffPublicationView {
    fn from(row: publication::Model) -> Self {
        Self {
            id: row.id,
            division: row.division_id,
            kind: row.kind,
            subject_id: row.subject_id,
            state: PublicationState::of(&row),
            title: row.title,
            body: row.body,
            digest: row.digest,
            may_identify: row.may_identify,
            consent_version: row.consent_version,
            published_by: row.published_by,
            created_at: row.created_at,
            shown_at: row.shown_at,
            expires_on: row.expires_on,
            ended_at: row.ended_at,
            ended_because: row.ended_because,
            end_reason: row.end_reason,
            version: row.version,
        }
    }
}

/// `?state=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListStaffPublications {
    /// Left out: all.
    state: Option<PublicationState>,
}

/// Puts an answered public matter on the page of its village.
///
/// Only what the villager lets anybody see; where it could make them known, only with their consent to publication (403
/// `consent_required`). It is shown once its words were looked at; the villager is told.
#[utoipa::path(
    tag = "staff", params(("id" = CaseId, Path)), request_body = PublishAnswer,
    responses((status = 201, body = StaffPublicationView))
)]
#[post("/staff/cases/{id}/publish")]
pub async fn publish_answer(
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    id: Path<CaseId>,
    command: Command<PublishAnswer>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller, now) = (app.clone(), staff.caller(), app.clock.now());
    let publish = async move |tx: &Tx, body: &PublishAnswer| {
        Ok(StaffPublicationView::from(make::of_answer(tx, &shared, &staff, *id, body, now).await?))
    };
    command.once(&app, caller, StatusCode::CREATED, publish).await
}

/// What is, is to be or was on the page of a place and of all below it, newest first.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path), ListStaffPublications, PageQuery),
    responses((status = 200, body = Page<StaffPublicationView>))
)]
#[get("/staff/divisions/{division}/publications")]
pub async fn list_staff_publications(
    app: Data<App>,
    staff: Staff<KeepPublications>,
    division: Path<DivisionId>,
    query: ListQuery<ListStaffPublications>,
) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let rows = find::of_staff(&app, &staff, *division, by.state, &page).await?;
    json(&Page::cut(rows, page.size(), |row| row.id, StaffPublicationView::from)?)
}

/// Takes something off the page: nobody sees it from now on, its words are gone, that it was there stays.
#[utoipa::path(
    tag = "staff", params(("id" = PublicationId, Path)), request_body = TakeDown,
    responses((status = 200, body = StaffPublicationView))
)]
#[post("/staff/publications/{id}/take-down")]
pub async fn take_down_publication(
    app: Data<App>,
    staff: Staff<KeepPublications>,
    id: Path<PublicationId>,
    command: Command<TakeDown>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller, now) = (app.clone(), staff.caller(), app.clock.now());
    let take = async move |tx: &Tx, body: &TakeDown| {
        Ok(StaffPublicationView::from(end::by_staff(tx, &shared, &staff, *id, body, now).await?))
    };
    command.once(&app, caller, StatusCode::OK, take).await
}
