//! `/staff/divisions/{division}/content`, `/staff/content/{id}/decide`

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::{
    content_check::{self, ContentReason, ContentState, ContentSubject},
    id::{ContentCheckId, DivisionId, StaffId},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::{
    ops,
    queue::{self, DecideContent},
};
use crate::{
    app::App,
    auth::{Staff, duty::LookAtContent},
    db::Tx,
    http::{Command, ListQuery, Page, PageQuery, json},
    problem::Problem,
};

/// Something that others are to see, as the desk sees it.
#[derive(Serialize, ToSchema)]
pub struct ContentView {
    id: ContentCheckId,
    subject: ContentSubject,
    /// The case, the booking or the publication.
    subject_id: Uuid,
    part: String,
    division: DivisionId,
    /// As others would read it.
    text: Option<String>,
    /// A photo or a recording.
    file: Option<Uuid>,
    state: ContentState,
    /// Why a person has to look, or had to.
    reason: Option<ContentReason>,
    /// What WeChat advised: `pass`, `review` or `risky`; null where it was not asked.
    suggest: Option<String>,
    /// What WeChat calls it: 100 nothing, 10001 advertising, 20001 politics, 20002 pornography, 20003 abuse, 20006 crime,
    /// 20008 fraud, 20012 vulgar, 20013 copyright, 21000 else.
    label: Option<i32>,
    /// Somebody of the staff wrote it.
    written_by: Option<StaffId>,
    decided_by: Option<StaffId>,
    decision: Option<String>,
    since: DateTime<Utc>,
    version: i32,
}

impl ContentView {
    fn of(app: &App, row: content_check::Model) -> Self {
        let text = ops::words_of(app, &row);
        Self {
            id: row.id,
            subject: row.subject,
            subject_id: row.subject_id,
            part: row.part,
            division: row.division_id,
            text,
            file: row.file_id,
            state: row.state,
            reason: row.reason,
            suggest: row.suggest,
            label: row.label,
            written_by: row.written_by,
            decided_by: row.decided_by,
            decision: row.decision_text,
            since: row.since_at,
            version: row.version,
        }
    }
}

/// `?state=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListContent {
    /// Left out: what a person has to look at.
    state: Option<ContentState>,
}

/// What others are to see in a place and all below it, the oldest first: what waits for a person, or is in another state.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path), ListContent, PageQuery),
    responses((status = 200, body = Page<ContentView>))
)]
#[get("/staff/divisions/{division}/content")]
pub async fn list_content(
    app: Data<App>,
    staff: Staff<LookAtContent>,
    division: Path<DivisionId>,
    query: ListQuery<ListContent>,
) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let state = by.state.unwrap_or(ContentState::ToReview);
    let rows = queue::list(&app, &staff, *division, state, &page).await?;
    json(&Page::cut(rows, page.size(), |row| row.id, |row| ContentView::of(&app, row))?)
}

/// Shows something to others or holds it; who it is about, is near to them, or wrote it leaves it to somebody else.
#[utoipa::path(
    tag = "staff", params(("id" = ContentCheckId, Path)), request_body = DecideContent,
    responses((status = 200, body = ContentView))
)]
#[post("/staff/content/{id}/decide")]
pub async fn decide_content(
    app: Data<App>,
    staff: Staff<LookAtContent>,
    id: Path<ContentCheckId>,
    command: Command<DecideContent>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller, now) = (app.clone(), staff.caller(), app.clock.now());
    let decide = async move |tx: &Tx, body: &DecideContent| {
        Ok(ContentView::of(&shared, queue::decide(tx, &shared, &staff, *id, body, now).await?))
    };
    command.once(&app, caller, StatusCode::OK, decide).await
}
