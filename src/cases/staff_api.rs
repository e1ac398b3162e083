//! `/staff/cases`: the desk, the cadre, the township.

use actix_web::{HttpResponse, Responder, get, http::StatusCode, post, web::Data, web::Path};
use entity::{
    case::{self, CaseKind, CaseState},
    id::CaseId,
};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use super::{
    commands::{EnterCase, StaffAction},
    near,
    ops::{
        act, file, find,
        staff_lists::{self, StaffView},
    },
    scope,
    timeline::{self, CaseEventView},
    trail,
    views::{self, StaffCaseView},
};
use crate::{
    app::App,
    auth::{
        Staff,
        duty::{EnterCases, WorkOnCases},
    },
    db::Tx,
    http::{Command, ListQuery, Page, PageQuery, Single, json},
    problem::Problem,
};

/// `?view=&state=&kind=&q=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListStaffCases {
    /// Left out: `inbox`.
    view: Option<StaffView>,
    state: Option<CaseState>,
    kind: Option<CaseKind>,
    /// A case number; then the view does not narrow.
    #[validate(length(min = 1, max = 64))]
    #[param(min_length = 1, max_length = 64)]
    q: Option<String>,
}

/// Open work, the first due first.
#[utoipa::path(tag = "staff", params(ListStaffCases, PageQuery), responses((status = 200, body = Page<StaffCaseView>)))]
#[get("/staff/cases")]
pub async fn list_staff_cases(
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    query: ListQuery<ListStaffCases>,
) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let narrow = find::Narrow { state: by.state, kind: by.kind };
    let rows = match &by.q {
        Some(number) => staff_lists::by_number(&app, &staff, &narrow, number, &page).await?,
        None => staff_lists::list(&app, &staff, by.view.unwrap_or_default(), &narrow, &page).await?,
    };
    let names = find::Names::of_items(&app, app.db.read(), &rows).await?;
    trail::listed(&app, &staff).await?;
    let near = near::People::near(app.db.read(), staff.id()).await?;
    let view = |row| staff_view(&app, &staff, row, &names, &near).map(StaffCaseView::in_a_list);
    json(&Page::cut(rows, page.size(), |row| (row.due_on, row.id), view)?.sound()?)
}

/// Enters a case for somebody who came, called or wrote.
#[utoipa::path(tag = "staff", request_body = EnterCase, responses((status = 201, body = StaffCaseView)))]
#[post("/staff/cases")]
pub async fn enter_case(
    app: Data<App>,
    staff: Staff<EnterCases>,
    viewer: Staff<WorkOnCases>,
    command: Command<EnterCase>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller, client_time) = (app.clone(), staff.caller(), command.client_time);
    let operation = async move |tx: &Tx, body: &EnterCase| {
        let case = file::enter(tx, &shared, &staff, body, client_time).await?;
        written_view(&shared, tx, &viewer, case).await
    };
    command.once(&app, caller, StatusCode::CREATED, operation).await
}

/// One case in one's scope.
#[utoipa::path(
    tag = "staff", params(("id" = CaseId, Path)),
    responses((status = 200, body = StaffCaseView), (status = 304, description = "Not changed"))
)]
#[get("/staff/cases/{id}")]
pub async fn get_staff_case(
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    id: Path<CaseId>,
) -> Result<impl Responder, Problem> {
    let case = scope::one(scope::of_staff(&staff), *id, app.db.read()).await?;
    trail::read(&app, &staff, &case, "case").await?;
    let names = find::Names::of_items(&app, app.db.read(), std::slice::from_ref(&case)).await?;
    let near = near::People::near(app.db.read(), staff.id()).await?;
    Ok(Single(staff_view(&app, &staff, case, &names, &near)?))
}

/// What became of it, oldest first, with internal notes.
#[utoipa::path(tag = "staff", params(("id" = CaseId, Path)), responses((status = 200, body = Page<CaseEventView>)))]
#[get("/staff/cases/{id}/events")]
pub async fn list_staff_case_events(
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    id: Path<CaseId>,
) -> Result<HttpResponse, Problem> {
    let case = scope::one(scope::of_staff(&staff), *id, app.db.read()).await?;
    trail::read(&app, &staff, &case, "events").await?;
    json(&Page::whole(timeline::timeline(&app, &case, true).await?))
}

/// Accepts, rejects, assigns, signs, returns or answers.
#[utoipa::path(tag = "staff", params(("id" = CaseId, Path)), request_body = StaffAction, responses((status = 200, body = StaffCaseView)))]
#[post("/staff/cases/{id}/actions")]
pub async fn act_on_staff_case(
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    id: Path<CaseId>,
    command: Command<StaffAction>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let operation = async move |tx: &Tx, action: &StaffAction| {
        let case = act::by_staff(tx, &shared, &staff, *id, action.clone()).await?;
        written_view(&shared, tx, &staff, case).await
    };
    command.once(&app, caller, StatusCode::OK, operation).await
}

fn staff_view(
    app: &App,
    staff: &Staff<WorkOnCases>,
    case: case::Model,
    names: &find::Names,
    near: &near::People,
) -> Result<StaffCaseView, Problem> {
    let by = scope::parties(staff, &case, near);
    views::for_staff(app, case, names, &by)
}

async fn written_view(
    app: &App,
    tx: &Tx,
    staff: &Staff<WorkOnCases>,
    case: case::Model,
) -> Result<StaffCaseView, Problem> {
    let names = find::Names::of_items(app, tx, std::slice::from_ref(&case)).await?;
    staff_view(app, staff, case, &names, &near::People::near(tx, staff.id()).await?)
}
