//! `/staff/divisions/{division}/reports`, `/staff/reports/{id}`

use std::sync::Arc;

use actix_web::{
    HttpResponse, Responder, get,
    http::StatusCode,
    post,
    web::{Data, Path},
};
use entity::id::{DivisionId, ReportId};

use super::{
    check,
    content::ReportLine,
    export::{self, ExportReport},
    ops,
    views::{DrawReport, ListReports, ReportCheck, ReportSummary, ReportView, SettleReport},
};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{
        Staff,
        duty::{DrawReports, SignReports},
    },
    db::Tx,
    divisions,
    http::{Command, Cursor, ListQuery, Page, PageQuery, Query, Single, json},
    problem::{Language, Problem},
};

/// Draws a list or a report of a period that is over, for another person to sign. One at a time of each kind and period.
#[utoipa::path(
    tag = "reports", params(("division" = DivisionId, Path)), request_body = DrawReport,
    responses((status = 201, body = ReportSummary))
)]
#[post("/staff/divisions/{division}/reports")]
pub async fn draw_report(
    app: Data<App>,
    staff: Staff<DrawReports>,
    division: Path<DivisionId>,
    command: Command<DrawReport>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let (body, command) = command.apart();
    // Before a year is reckoned: whether it was already.
    if let Some(answer) = command.answered_before(&app, caller).await? {
        return Ok(answer);
    }
    let drawn = Arc::new(ops::reckon(&app, &staff, *division, &body).await?);
    let operation =
        async move |tx: &Tx, (): &()| Ok(ReportSummary::from(&ops::keep(tx, &shared, &staff, &body, &drawn).await?));
    command.once(&app, caller, StatusCode::CREATED, operation).await
}

/// Reports of a place, the newest first.
#[utoipa::path(
    tag = "reports", params(("division" = DivisionId, Path), ListReports, PageQuery),
    responses((status = 200, body = Page<ReportSummary>))
)]
#[get("/staff/divisions/{division}/reports")]
pub async fn list_reports(
    app: Data<App>,
    staff: Staff<DrawReports>,
    division: Path<DivisionId>,
    query: ListQuery<ListReports>,
) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let place = divisions::reach(app.db.read(), &staff, *division).await?;
    let rows = ops::list(&app, place.id, &by, &page).await?;
    json(&Page::cut(rows, page.size(), |row| row.id, |row| row)?)
}

/// A report, whole but for the lines of a list.
#[utoipa::path(
    tag = "reports", params(("id" = ReportId, Path)),
    responses((status = 200, body = ReportView), (status = 304, description = "Not changed"))
)]
#[get("/staff/reports/{id}")]
pub async fn get_report(
    app: Data<App>,
    staff: Staff<DrawReports>,
    id: Path<ReportId>,
) -> Result<impl Responder, Problem> {
    Ok(Single(ReportView::of(&ops::find(&app, &staff, *id).await?)?))
}

/// The lines of a monthly list, by village and case number.
#[utoipa::path(
    tag = "reports", params(("id" = ReportId, Path), PageQuery), responses((status = 200, body = Page<ReportLine>))
)]
#[get("/staff/reports/{id}/lines")]
pub async fn list_report_lines(
    app: Data<App>,
    staff: Staff<DrawReports>,
    id: Path<ReportId>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let report = ops::find(&app, &staff, *id).await?;
    let after = Cursor::read::<i32>(page.0.cursor.as_deref())?.unwrap_or(0);
    let rows = ops::lines(app.db.read(), report.id, after, page.0.size() + 1).await?;
    let view =
        |row: entity::report_line::Model| serde_json::from_str::<ReportLine>(&row.line).map_err(Problem::unexpected);
    json(&Page::cut(rows, page.0.size(), |row| row.seq, view)?.sound()?)
}

/// Reckons a report again from the events, and says whether it is still the same.
#[utoipa::path(tag = "reports", params(("id" = ReportId, Path)), responses((status = 200, body = ReportCheck)))]
#[get("/staff/reports/{id}/check")]
pub async fn check_report(
    app: Data<App>,
    staff: Staff<DrawReports>,
    id: Path<ReportId>,
) -> Result<HttpResponse, Problem> {
    let report = ops::find(&app, &staff, *id).await?;
    json(&ReportCheck::from(check::check(&app, &report).await?))
}

/// Signs what another person drew. From then on it never changes; a mistake is corrected by another report.
#[utoipa::path(
    tag = "reports", params(("id" = ReportId, Path)), request_body = SettleReport,
    responses((status = 200, body = ReportSummary))
)]
#[post("/staff/reports/{id}/sign")]
pub async fn sign_report(
    app: Data<App>,
    staff: Staff<SignReports>,
    id: Path<ReportId>,
    command: Command<SettleReport>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let operation = async move |tx: &Tx, body: &SettleReport| {
        Ok(ReportSummary::from(&ops::sign(tx, &shared, &staff, *id, body.version).await?))
    };
    command.once(&app, caller, StatusCode::OK, operation).await
}

/// Throws away what was drawn and nobody signed; it stays on record as discarded.
#[utoipa::path(
    tag = "reports", params(("id" = ReportId, Path)), request_body = SettleReport,
    responses((status = 200, body = ReportSummary))
)]
#[post("/staff/reports/{id}/discard")]
pub async fn discard_report(
    app: Data<App>,
    staff: Staff<DrawReports>,
    id: Path<ReportId>,
    command: Command<SettleReport>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let operation = async move |tx: &Tx, body: &SettleReport| {
        Ok(ReportSummary::from(&ops::discard(tx, &shared, &staff, *id, body.version).await?))
    };
    command.once(&app, caller, StatusCode::OK, operation).await
}

/// A report as a file: a table that holds no formula, or the very bytes that were hashed. Every export is audited.
#[utoipa::path(
    tag = "reports", params(("id" = ReportId, Path), ExportReport),
    responses((status = 200, description = "The report", content(
        (String = "text/csv"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (String = "application/x-ndjson"),
    )))
)]
#[get("/staff/reports/{id}/export")]
pub async fn export_report(
    app: Data<App>,
    staff: Staff<DrawReports>,
    id: Path<ReportId>,
    asked: Query<ExportReport>,
    language: Language,
) -> Result<HttpResponse, Problem> {
    let report = ops::find(&app, &staff, *id).await?;
    let said = format!("{} {}", ops::said(&report), asked.0.format.ending());
    let entry = Entry::done("export_report", "report", report.id).of_fields(said);
    audit::note(&app, &Actor::staff(&staff), entry).await?;
    export::answer(app, report, asked.0.format, language).await
}
