//! `/staff/webhooks/{id}/deliveries`, `/test`, `/replay`, `/staff/deliveries/{id}/replay`

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data, web::Path};
use entity::{
    id::{WebhookDeliveryId, WebhookId},
    webhook_delivery::WebhookDeliveryState,
};
use serde::Deserialize;
use utoipa::IntoParams;
use validator::Validate;

use super::{
    bodies::{ReplayOne, ReplaySince, WebhookDeliveryView, WebhookReplayed},
    ops, replay,
};
use crate::{
    app::App,
    auth::{Staff, duty::ManageReceivers},
    db::Tx,
    http::{Command, ListQuery, Page, PageQuery, json},
    problem::Problem,
};

/// `?state=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListDeliveries {
    /// `dead`: what was given up.
    state: Option<WebhookDeliveryState>,
}

/// Tells a receiver that this is a test. What became of it stands among its deliveries.
#[utoipa::path(
    tag = "connections", params(("id" = WebhookId, Path)), request_body = Option<ReplayOne>,
    responses((status = 202, body = WebhookDeliveryView))
)]
#[post("/staff/webhooks/{id}/test")]
pub async fn test_webhook(
    app: Data<App>,
    staff: Staff<ManageReceivers>,
    id: Path<WebhookId>,
    command: Command<ReplayOne>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let operation = async move |tx: &Tx, _: &ReplayOne| {
        let row = replay::test(tx, &shared, &staff, *id).await?;
        WebhookDeliveryView::of(&shared.field_keys, row)
    };
    command.once(&app, caller, StatusCode::ACCEPTED, operation).await
}

/// What a receiver was told and is to be told, the newest first. Kept for 30 days, dead letters for 90.
#[utoipa::path(
    tag = "connections", params(("id" = WebhookId, Path), ListDeliveries, PageQuery),
    responses((status = 200, body = Page<WebhookDeliveryView>))
)]
#[get("/staff/webhooks/{id}/deliveries")]
pub async fn list_deliveries(
    app: Data<App>,
    staff: Staff<ManageReceivers>,
    id: Path<WebhookId>,
    query: ListQuery<ListDeliveries>,
) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let (row, _) = ops::find(app.db.read(), &staff, *id).await?;
    let rows = replay::list(app.db.read(), row.id, by.state, &page).await?;
    let view = |row| WebhookDeliveryView::of(&app.field_keys, row);
    json(&Page::cut(rows, page.size(), |row| row.id, view)?.sound()?)
}

/// Tells a receiver again, from some moment on, what it did not take, and what it was never told.
#[utoipa::path(
    tag = "connections", params(("id" = WebhookId, Path)), request_body = ReplaySince,
    responses((status = 202, body = WebhookReplayed))
)]
#[post("/staff/webhooks/{id}/replay")]
pub async fn replay_webhook(
    app: Data<App>,
    staff: Staff<ManageReceivers>,
    id: Path<WebhookId>,
    command: Command<ReplaySince>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let operation = async move |tx: &Tx, body: &ReplaySince| {
        let (replayed, more) = replay::since(tx, &shared, &staff, *id, body.since).await?;
        Ok(WebhookReplayed::of(replayed, more))
    };
    command.once(&app, caller, StatusCode::ACCEPTED, operation).await
}

/// Tells one thing again, now, whatever became of it before. The receiver knows it by the same `webhook-id`.
#[utoipa::path(
    tag = "connections", params(("id" = WebhookDeliveryId, Path)), request_body = Option<ReplayOne>,
    responses((status = 202, body = WebhookDeliveryView))
)]
#[post("/staff/deliveries/{id}/replay")]
pub async fn replay_delivery(
    app: Data<App>,
    staff: Staff<ManageReceivers>,
    id: Path<WebhookDeliveryId>,
    command: Command<ReplayOne>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let operation = async move |tx: &Tx, _: &ReplayOne| {
        let row = replay::one(tx, &shared, &staff, *id).await?;
        WebhookDeliveryView::of(&shared.field_keys, row)
    };
    command.once(&app, caller, StatusCode::ACCEPTED, operation).await
}
