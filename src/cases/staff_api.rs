//! `/staff/cases`: the desk, the cadre, the township.

use actix_web::{HttpResponse, Responder, get, http::StatusCode, post, web::Data, web::Path};
use entity::{
    case::{self, CaseKind, CaseState},
    file::FileThing,
    id::{CaseId, DivisionId, UnitId},
};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use validator::Validate;

use super::{
    co_handlers,
    commands::{EnterCase, StaffAction, known_topic},
    explain::{self, DueDateExplained},
    ops::{
        act, file, find,
        listing::{self, Asked},
        staff_lists::StaffView,
    },
    scope,
    sla::{self, DueLight},
    timeline::{self, CaseEventView},
    trail,
    views::{self, CoHandlerView, StaffCaseView},
};
use crate::{
    app::App,
    auth::{
        Staff,
        duty::{EnterCases, WorkOnCases},
    },
    calendar::Period,
    clock::local_day,
    db::Tx,
    files,
    http::{Command, ListQuery, Page, PageQuery, Single, json},
    problem::Problem,
};

/// `?view=&state=&kind=&q=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListStaffCases {
    /// Left out: `inbox`.
    pub(super) view: Option<StaffView>,
    state: Option<CaseState>,
    kind: Option<CaseKind>,
    /// The unit that has it.
    unit: Option<UnitId>,
    /// A place of one's own, and everything below it.
    division: Option<DivisionId>,
    /// A code of the list `topics`.
    #[validate(length(max = 40), custom(function = known_topic))]
    #[param(max_length = 40)]
    topic: Option<String>,
    /// How near its due day is.
    light: Option<DueLight>,
    /// Filed in `2026-11`, `2026-11..2026-12`, `2026-Q4`, `2026`.
    #[validate(length(max = 20))]
    #[param(max_length = 20, example = "2026-11")]
    period: Option<String>,
    /// A case number, a whole name or phone (for desks), or words; open and closed cases, the last filed first. Then the
    /// view does not narrow. Words of a new case are found within a minute.
    #[validate(length(min = 1, max = 64))]
    #[param(min_length = 1, max_length = 64)]
    pub(super) q: Option<String>,
}

impl ListStaffCases {
    /// What is asked for.
    pub(super) fn asked(&self, app: &App) -> Result<Asked, Problem> {
        let today = local_day(app.clock.now());
        let yellow_until = sla::yellow_until(&app.settings.load().of(&[]), today);
        let by = find::Narrow {
            state: self.state,
            kind: self.kind,
            unit: self.unit,
            division: self.division,
            topic: self.topic.clone(),
            period: self.period.as_deref().map(Period::read).transpose()?,
            light: self.light.map(|light| (light, find::LightDays { today, yellow_until })),
        };
        Ok(Asked { view: self.view.unwrap_or_default(), typed: self.q.clone(), by })
    }
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
    let (keys, rows): (Vec<Value>, Vec<case::Model>) =
        listing::page(&app, &staff, &by.asked(&app)?, &page).await?.into_iter().unzip();
    let names = find::Names::of_items(&app, app.db.read(), &rows).await?;
    trail::listed(&app, &staff).await?;
    let around = scope::Around::look(app.db.read(), &staff, &rows).await?;
    let view = |(_, row)| staff_view(&app, &staff, row, &names, &around).map(StaffCaseView::in_a_list);
    let keyed = keys.into_iter().zip(rows).collect();
    json(&Page::cut(keyed, page.size(), |(key, _): &(Value, _)| key.clone(), view)?.sound()?)
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
        let id = case.id.0;
        let view = written_view(&shared, tx, &viewer, case).await?;
        let files =
            if body.matter().files.is_empty() { vec![] } else { files::views_of(tx, FileThing::Case, id).await? };
        Ok(view.with_files(files))
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
    let around = scope::Around::look(app.db.read(), &staff, std::slice::from_ref(&case)).await?;
    let files = files::views_of(app.db.read(), FileThing::Case, id.0).await?;
    Ok(Single(staff_view(&app, &staff, case, &names, &around)?.with_files(files)))
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

/// Who was called in beside the assignee, the first first.
#[utoipa::path(tag = "staff", params(("id" = CaseId, Path)), responses((status = 200, body = Page<CoHandlerView>)))]
#[get("/staff/cases/{id}/co-handlers")]
pub async fn list_co_handlers(
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    id: Path<CaseId>,
) -> Result<HttpResponse, Problem> {
    let case = scope::one(scope::of_staff(&staff), *id, app.db.read()).await?;
    trail::read(&app, &staff, &case, "co_handlers").await?;
    let rows = co_handlers::all(app.db.read(), case.id).await?;
    json(&Page::whole(rows.into_iter().map(CoHandlerView::from).collect()))
}

/// "Why this day?": every day from acceptance to the due day, counted or not, and why.
#[utoipa::path(
    tag = "staff", params(("id" = CaseId, Path)),
    responses((status = 200, body = DueDateExplained), (status = 304, description = "Not changed"))
)]
#[get("/staff/cases/{id}/due-date")]
pub async fn explain_staff_case(
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    id: Path<CaseId>,
) -> Result<impl Responder, Problem> {
    let case = scope::one(scope::of_staff(&staff), *id, app.db.read()).await?;
    trail::read(&app, &staff, &case, "due_date").await?;
    Ok(Single(explain::explain(&app, &case).await?))
}

/// Takes a step of the workflow: what may be done now stands in `actions`.
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
        let case = Box::pin(act::by_staff(tx, &shared, &staff, *id, action.clone())).await?;
        written_view(&shared, tx, &staff, case).await
    };
    command.once(&app, caller, StatusCode::OK, operation).await
}

fn staff_view(
    app: &App,
    staff: &Staff<WorkOnCases>,
    case: case::Model,
    names: &find::Names,
    around: &scope::Around,
) -> Result<StaffCaseView, Problem> {
    let by = scope::parties(staff, &case, around);
    views::for_staff(app, case, names, &by)
}

pub(super) async fn written_view(
    app: &App,
    tx: &Tx,
    staff: &Staff<WorkOnCases>,
    case: case::Model,
) -> Result<StaffCaseView, Problem> {
    let names = find::Names::of_items(app, tx, std::slice::from_ref(&case)).await?;
    let around = scope::Around::look(tx, staff, std::slice::from_ref(&case)).await?;
    staff_view(app, staff, case, &names, &around)
}
