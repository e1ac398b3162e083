//! `/staff/inbox`

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::{
    id::{CaseId, StaffNoticeId},
    staff_notice,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::{ops, sentences};
use crate::{
    app::App,
    auth::{Staff, duty::Anything},
    db::Tx,
    http::{Command, Page, PageQuery, Query, json},
    problem::{Language, Problem},
};

/// Something one was told as staff.
#[derive(Serialize, ToSchema)]
pub struct StaffNoticeView {
    id: StaffNoticeId,
    /// Stable slug.
    kind: String,
    /// In the caller's language; names no person.
    text: String,
    #[schema(required)]
    case: Option<CaseId>,
    at: DateTime<Utc>,
    read: bool,
}

impl StaffNoticeView {
    fn of(row: staff_notice::Model, language: Language) -> Self {
        Self {
            id: row.id,
            text: sentences::sentence(&row, language),
            kind: row.kind,
            case: row.case_id,
            at: row.created_at,
            read: row.read_at.is_some(),
        }
    }
}

/// Nothing to say but the call itself.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadStaffNotice {}

/// What one was told as staff, newest first.
#[utoipa::path(tag = "staff", params(PageQuery), responses((status = 200, body = Page<StaffNoticeView>)))]
#[get("/staff/inbox")]
pub async fn list_staff_inbox(
    app: Data<App>,
    language: Language,
    me: Staff<Anything>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let rows = ops::inbox(&app, &me, &page.0).await?;
    json(&Page::cut(rows, page.0.size(), |row| row.id, |row| StaffNoticeView::of(row, language))?)
}

/// Marks it read.
#[utoipa::path(
    tag = "staff", params(("id" = StaffNoticeId, Path)), request_body = Option<ReadStaffNotice>,
    responses((status = 200, body = StaffNoticeView))
)]
#[post("/staff/inbox/{id}/read")]
pub async fn read_staff_notice(
    app: Data<App>,
    language: Language,
    me: Staff<Anything>,
    id: Path<StaffNoticeId>,
    command: Command<ReadStaffNotice>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), me.caller());
    let read = async move |tx: &Tx, _: &ReadStaffNotice| {
        Ok(StaffNoticeView::of(ops::read(tx, &me, *id, now).await?, language))
    };
    command.once(&app, caller, StatusCode::OK, read).await
}
