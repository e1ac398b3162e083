//! `/staff/divisions/{division}/call-list`, `/staff/call-list/{id}`

use actix_web::{HttpResponse, Responder, get, http::StatusCode, post, web::Data, web::Path};
use entity::{
    id::{DivisionId, NoticeDeliveryId},
    notice_delivery,
};

use super::{
    bodies::{CallView, FailCall, FinishCall, ListCalls},
    ops::{self, Caller},
};
use crate::{
    app::App,
    auth::{
        Staff,
        duty::{KeepCallList, WorkOnCases},
    },
    db::Tx,
    http::{Command, ListQuery, Page, PageQuery, SingleText, json},
    problem::{Language, Problem},
};

/// Whom somebody has to tell something, who waits longest first. Confidential cases are on the list of the township, for
/// its discipline desk alone.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path), ListCalls, PageQuery),
    responses((status = 200, body = Page<CallView>))
)]
#[get("/staff/divisions/{division}/call-list")]
pub async fn list_calls(
    app: Data<App>,
    language: Language,
    staff: Staff<KeepCallList>,
    worker: Staff<WorkOnCases>,
    division: Path<DivisionId>,
    query: ListQuery<ListCalls>,
) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let who = Caller { staff, worker };
    let rows = ops::list(&app, &who, *division, by.state.unwrap_or_default(), &page).await?;
    let Page { items, next_cursor } = Page::cut(rows, page.size(), |row| row.id, |row| row)?;
    json(&Page { items: ops::views(&app, app.db.read(), &who, items, language).await?, next_cursor })
}

/// The list as a page to print, up to 200 people, and what the loudspeaker may say: it names nobody and no matter.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path)),
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "A page to print"),
        (status = 304, description = "Not changed")
    )
)]
#[get("/staff/divisions/{division}/call-list/sheet")]
pub async fn get_call_sheet(
    app: Data<App>,
    language: Language,
    staff: Staff<KeepCallList>,
    worker: Staff<WorkOnCases>,
    division: Path<DivisionId>,
) -> Result<impl Responder, Problem> {
    let text = ops::sheet(&app, &Caller { staff, worker }, *division, language).await?;
    Ok(SingleText { text, content_type: "text/plain; charset=utf-8" })
}

/// Writes down that somebody was told by phone, at their door or on paper.
#[utoipa::path(
    tag = "staff", params(("id" = NoticeDeliveryId, Path)), request_body = FinishCall,
    responses((status = 200, body = CallView))
)]
#[post("/staff/call-list/{id}/done")]
pub async fn finish_call(
    app: Data<App>,
    language: Language,
    staff: Staff<KeepCallList>,
    worker: Staff<WorkOnCases>,
    id: Path<NoticeDeliveryId>,
    command: Command<FinishCall>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let who = Caller { staff, worker };
    let operation = async move |tx: &Tx, body: &FinishCall| {
        let row = ops::finish(tx, &shared, &who, *id, body).await?;
        view(tx, &shared, &who, row, language).await
    };
    command.once(&app, caller, StatusCode::OK, operation).await
}

/// Writes down that somebody could not be told; they stay on the list.
#[utoipa::path(
    tag = "staff", params(("id" = NoticeDeliveryId, Path)), request_body = FailCall,
    responses((status = 200, body = CallView))
)]
#[post("/staff/call-list/{id}/failed")]
pub async fn fail_call(
    app: Data<App>,
    language: Language,
    staff: Staff<KeepCallList>,
    worker: Staff<WorkOnCases>,
    id: Path<NoticeDeliveryId>,
    command: Command<FailCall>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let who = Caller { staff, worker };
    let operation = async move |tx: &Tx, body: &FailCall| {
        let row = ops::fail(tx, &shared, &who, *id, body).await?;
        view(tx, &shared, &who, row, language).await
    };
    command.once(&app, caller, StatusCode::OK, operation).await
}

async fn view(
    tx: &Tx,
    app: &App,
    who: &Caller,
    row: notice_delivery::Model,
    language: Language,
) -> Result<CallView, Problem> {
    ops::views(app, tx, who, vec![row], language).await?.pop().ok_or_else(Problem::not_found)
}
