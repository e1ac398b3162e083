//! `/cases/{id}/reviews`: giving one, adding to it, rating again.

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data, web::Path};
use entity::id::{CaseId, ReviewId};

use super::{
    bodies::{AddToReview, RerateCase, ReviewView},
    ops::give,
};
use crate::{
    app::App,
    auth::Villager,
    cases::commands::ReviewCase,
    db::Tx,
    http::{Command, Page, json},
    problem::Problem,
};

/// One's reviews of a case, the first round first.
#[utoipa::path(tag = "cases", params(("id" = CaseId, Path)), responses((status = 200, body = Page<ReviewView>)))]
#[get("/cases/{id}/reviews")]
pub async fn list_reviews(app: Data<App>, me: Villager, id: Path<CaseId>) -> Result<HttpResponse, Problem> {
    json(&Page::whole(give::of_case(app.db.read(), &me, *id, app.clock.now()).await?))
}

/// Reviews the round that was answered last. One or two stars open a follow-up.
#[utoipa::path(tag = "cases", params(("id" = CaseId, Path)), request_body = ReviewCase, responses((status = 201, body = ReviewView)))]
#[post("/cases/{id}/reviews")]
pub async fn review_case(
    app: Data<App>,
    me: Villager,
    id: Path<CaseId>,
    command: Command<ReviewCase>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), me.caller());
    let operation = async move |tx: &Tx, body: &ReviewCase| give::give(tx, &shared, &me, *id, body).await;
    command.once(&app, caller, StatusCode::CREATED, operation).await
}

/// Adds words to a review, once.
#[utoipa::path(
    tag = "cases", params(("id" = CaseId, Path), ("review" = ReviewId, Path)), request_body = AddToReview,
    responses((status = 200, body = ReviewView))
)]
#[post("/cases/{id}/reviews/{review}/addition")]
pub async fn add_to_review(
    app: Data<App>,
    me: Villager,
    path: Path<(CaseId, ReviewId)>,
    command: Command<AddToReview>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), me.caller());
    let operation = async move |tx: &Tx, body: &AddToReview| give::add(tx, &shared, &me, *path, body).await;
    command.once(&app, caller, StatusCode::OK, operation).await
}

/// Rates again after a bad review was followed up, once. Both stay.
#[utoipa::path(
    tag = "cases", params(("id" = CaseId, Path), ("review" = ReviewId, Path)), request_body = RerateCase,
    responses((status = 200, body = ReviewView))
)]
#[post("/cases/{id}/reviews/{review}/rerate")]
pub async fn rerate_case(
    app: Data<App>,
    me: Villager,
    path: Path<(CaseId, ReviewId)>,
    command: Command<RerateCase>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), me.caller());
    let operation = async move |tx: &Tx, body: &RerateCase| give::rerate(tx, &shared, &me, *path, body).await;
    command.once(&app, caller, StatusCode::OK, operation).await
}
