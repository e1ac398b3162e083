//! `/staff/divisions/{division}/webhooks`, `/staff/webhooks/{id}`

use actix_web::{HttpResponse, Responder, delete, get, http::StatusCode, post, put, web::Data, web::Path};
use entity::id::{DivisionId, WebhookId};

use super::{
    bodies::{ChangeWebhook, MakeWebhook, RotateSecret, WebhookView, WebhookWithSecret},
    ops,
};
use crate::{
    app::App,
    auth::{Staff, duty::ManageReceivers},
    db::Tx,
    divisions,
    http::{Command, Page, PageQuery, Query, Single, json},
    problem::Problem,
};

/// The receivers of a place, the first made first.
#[utoipa::path(
    tag = "connections", params(("division" = DivisionId, Path), PageQuery),
    responses((status = 200, body = Page<WebhookView>))
)]
#[get("/staff/divisions/{division}/webhooks")]
pub async fn list_webhooks(
    app: Data<App>,
    staff: Staff<ManageReceivers>,
    division: Path<DivisionId>,
    query: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let db = app.db.read();
    let place = divisions::reach(db, &staff, *division).await?;
    let rows = ops::list(db, place.id, &query.0).await?;
    json(&Page::cut(rows, query.0.size(), |row| row.id, |row| WebhookView::of(&row))?.sound()?)
}

/// Makes a receiver. Its secret is shown now and never again.
#[utoipa::path(
    tag = "connections", params(("division" = DivisionId, Path)), request_body = MakeWebhook,
    responses((status = 201, body = WebhookWithSecret))
)]
#[post("/staff/divisions/{division}/webhooks")]
pub async fn make_webhook(
    app: Data<App>,
    staff: Staff<ManageReceivers>,
    division: Path<DivisionId>,
    command: Command<MakeWebhook>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let operation = async move |tx: &Tx, body: &MakeWebhook| {
        let (row, secret) = ops::make(tx, &shared, &staff, *division, body).await?;
        WebhookWithSecret::of(&row, secret)
    };
    command.once(&app, caller, StatusCode::CREATED, operation).await
}

/// One receiver.
#[utoipa::path(
    tag = "connections", params(("id" = WebhookId, Path)),
    responses((status = 200, body = WebhookView), (status = 304, description = "Not changed"))
)]
#[get("/staff/webhooks/{id}")]
pub async fn get_webhook(
    app: Data<App>,
    staff: Staff<ManageReceivers>,
    id: Path<WebhookId>,
) -> Result<impl Responder, Problem> {
    let (row, _) = ops::find(app.db.read(), &staff, *id).await?;
    Ok(Single(WebhookView::of(&row)?))
}

/// Says anew where a receiver is, what it is told, and whether.
#[utoipa::path(
    tag = "connections", params(("id" = WebhookId, Path)), request_body = ChangeWebhook,
    responses((status = 200, body = WebhookView))
)]
#[put("/staff/webhooks/{id}")]
pub async fn change_webhook(
    app: Data<App>,
    staff: Staff<ManageReceivers>,
    id: Path<WebhookId>,
    command: Command<ChangeWebhook>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let operation =
        async move |tx: &Tx, body: &ChangeWebhook| WebhookView::of(&ops::change(tx, &shared, &staff, *id, body).await?);
    command.once(&app, caller, StatusCode::OK, operation).await
}

/// Takes a receiver away, and its dead letters with it.
#[utoipa::path(
    tag = "connections", params(("id" = WebhookId, Path)), responses((status = 204, description = "It is gone"))
)]
#[delete("/staff/webhooks/{id}")]
pub async fn remove_webhook(
    app: Data<App>,
    staff: Staff<ManageReceivers>,
    id: Path<WebhookId>,
) -> Result<HttpResponse, Problem> {
    let shared = app.clone();
    app.db.transact(async move |tx| ops::remove(tx, &shared, &staff, *id).await).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Replaces the secret. Both sign for some hours; the new one is shown now and never again.
#[utoipa::path(
    tag = "connections", params(("id" = WebhookId, Path)), request_body = RotateSecret,
    responses((status = 200, body = WebhookWithSecret))
)]
#[post("/staff/webhooks/{id}/rotate-secret")]
pub async fn rotate_webhook_secret(
    app: Data<App>,
    staff: Staff<ManageReceivers>,
    id: Path<WebhookId>,
    command: Command<RotateSecret>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let operation = async move |tx: &Tx, body: &RotateSecret| {
        let (row, secret) = ops::rotate(tx, &shared, &staff, *id, body).await?;
        WebhookWithSecret::of(&row, secret)
    };
    command.once(&app, caller, StatusCode::OK, operation).await
}
