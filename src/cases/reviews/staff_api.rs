//! Staff and reviews: what is said of oneself, follow-ups of bad ones, appeals, call-backs.

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data, web::Path};
use entity::id::{CallBackId, FollowUpId, ReviewAppealId};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use super::{
    bodies::{
        AppealReview, CallBackView, DecideAppeal, FollowUpView, NoteFollowUpContact, RecordCallBack, ReviewAppealView,
        ReviewBundle, SettleFollowUp,
    },
    ops::{appeals, bundles, call_backs, follow_ups},
};
use crate::{
    app::App,
    auth::{
        Staff,
        duty::{Anything, WorkOnCases},
    },
    cases::trail,
    db::Tx,
    http::{Command, ListQuery, Page, PageQuery, json},
    problem::Problem,
};

/// `?done=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListDone {
    /// What is done, instead of what is to do.
    done: Option<bool>,
}

/// What was said of one's own work, together with others: without case, name or day. The latest month first.
#[utoipa::path(tag = "staff", responses((status = 200, body = Page<ReviewBundle>)))]
#[get("/staff/me/reviews")]
pub async fn list_own_reviews(app: Data<App>, staff: Staff<Anything>) -> Result<HttpResponse, Problem> {
    json(&Page::whole(bundles::of(&app, &staff).await?))
}

/// Appeals against a review that one was shown, as malicious; the unit above decides within five working days.
#[utoipa::path(
    tag = "staff", params(("handle" = String, Path)), request_body = AppealReview,
    responses((status = 201, body = ReviewAppealView))
)]
#[post("/staff/me/reviews/{handle}/appeal")]
pub async fn appeal_review(
    app: Data<App>,
    staff: Staff<Anything>,
    handle: Path<String>,
    command: Command<AppealReview>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let operation = async move |tx: &Tx, body: &AppealReview| appeals::appeal(tx, &shared, &staff, &handle, body).await;
    command.once(&app, caller, StatusCode::CREATED, operation).await
}

/// Bad reviews that one's units follow up, the oldest first.
#[utoipa::path(tag = "staff", params(ListDone, PageQuery), responses((status = 200, body = Page<FollowUpView>)))]
#[get("/staff/follow-ups")]
pub async fn list_follow_ups(
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    query: ListQuery<ListDone>,
) -> Result<HttpResponse, Problem> {
    trail::listed(&app, &staff).await?;
    let rows = follow_ups::list(&app, &staff, query.by.done.unwrap_or(false), &query.page).await?;
    json(&Page::cut(rows, query.page.size(), FollowUpView::id, |view| view)?)
}

/// The villager was spoken to.
#[utoipa::path(
    tag = "staff", params(("id" = FollowUpId, Path)), request_body = NoteFollowUpContact,
    responses((status = 200, body = FollowUpView))
)]
#[post("/staff/follow-ups/{id}/contact")]
pub async fn note_follow_up_contact(
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    id: Path<FollowUpId>,
    command: Command<NoteFollowUpContact>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let operation =
        async move |tx: &Tx, body: &NoteFollowUpContact| follow_ups::contacted(tx, &shared, &staff, *id, body).await;
    command.once(&app, caller, StatusCode::OK, operation).await
}

/// Says what became of it: the villager is told, and may rate once more.
#[utoipa::path(
    tag = "staff", params(("id" = FollowUpId, Path)), request_body = SettleFollowUp,
    responses((status = 200, body = FollowUpView))
)]
#[post("/staff/follow-ups/{id}/settle")]
pub async fn settle_follow_up(
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    id: Path<FollowUpId>,
    command: Command<SettleFollowUp>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let operation =
        async move |tx: &Tx, body: &SettleFollowUp| follow_ups::settle(tx, &shared, &staff, *id, body).await;
    command.once(&app, caller, StatusCode::OK, operation).await
}

/// Appeals against reviews that one's units decide, the oldest first.
#[utoipa::path(tag = "staff", params(ListDone, PageQuery), responses((status = 200, body = Page<ReviewAppealView>)))]
#[get("/staff/review-appeals")]
pub async fn list_review_appeals(
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    query: ListQuery<ListDone>,
) -> Result<HttpResponse, Problem> {
    trail::listed(&app, &staff).await?;
    let rows = appeals::list(&app, &staff, query.by.done.unwrap_or(false), &query.page).await?;
    json(&Page::cut(rows, query.page.size(), |row| row.0, |row| row.1)?)
}

/// Decides on an appeal: a review that is taken out counts no more, and is counted as taken out.
#[utoipa::path(
    tag = "staff", params(("id" = ReviewAppealId, Path)), request_body = DecideAppeal,
    responses((status = 200, body = ReviewAppealView))
)]
#[post("/staff/review-appeals/{id}/decide")]
pub async fn decide_review_appeal(
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    id: Path<ReviewAppealId>,
    command: Command<DecideAppeal>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let operation = async move |tx: &Tx, body: &DecideAppeal| appeals::decide(tx, &shared, &staff, *id, body).await;
    command.once(&app, caller, StatusCode::OK, operation).await
}

/// Closed cases that one's units call back, the oldest first.
#[utoipa::path(tag = "staff", params(ListDone, PageQuery), responses((status = 200, body = Page<CallBackView>)))]
#[get("/staff/call-backs")]
pub async fn list_call_backs(
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    query: ListQuery<ListDone>,
) -> Result<HttpResponse, Problem> {
    trail::listed(&app, &staff).await?;
    let rows = call_backs::list(&app, &staff, query.by.done.unwrap_or(false), &query.page).await?;
    json(&Page::cut(rows, query.page.size(), |row| row.0, |row| row.1)?)
}

/// Records what the villager said when called back.
#[utoipa::path(
    tag = "staff", params(("id" = CallBackId, Path)), request_body = RecordCallBack,
    responses((status = 200, body = CallBackView))
)]
#[post("/staff/call-backs/{id}/record")]
pub async fn record_call_back(
    app: Data<App>,
    staff: Staff<WorkOnCases>,
    id: Path<CallBackId>,
    command: Command<RecordCallBack>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let operation =
        async move |tx: &Tx, body: &RecordCallBack| call_backs::record(tx, &shared, &staff, *id, body).await;
    command.once(&app, caller, StatusCode::OK, operation).await
}
