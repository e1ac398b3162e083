//! `/me/publications`: what is published of one's own matters.

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, NaiveDate, Utc};
use entity::{id::PublicationId, publication};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::{
    end,
    find::{self, PublicationState},
};
use crate::{
    app::App,
    auth::Villager,
    db::Tx,
    http::{Command, Page, PageQuery, Query, json},
    problem::Problem,
};

/// Something on the page of the village that tells of one's own matter.
#[derive(Serialize, ToSchema)]
pub struct OwnPublicationView {
    id: PublicationId,
    /// The case.
    case: Uuid,
    title: Option<String>,
    state: PublicationState,
    /// It could make one known: published by one's consent.
    may_identify: bool,
    published_at: Option<DateTime<Utc>>,
    expires_on: NaiveDate,
    ended_at: Option<DateTime<Utc>>,
}

impl From<publication::Model> for OwnPublicationView {
    fn from(row: publication::Model) -> Self {
        Self {
            id: row.id,
            case: row.subject_id,
            state: PublicationState::of(&row),
            title: row.title,
            may_identify: row.may_identify,
            published_at: row.shown_at,
            expires_on: row.expires_on,
            ended_at: row.ended_at,
        }
    }
}

/// Nothing to say but the call itself.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeBack {}

/// What is or was published of one's own matters, newest first.
#[utoipa::path(tag = "me", params(PageQuery), responses((status = 200, body = Page<OwnPublicationView>)))]
#[get("/me/publications")]
pub async fn list_own_publications(
    app: Data<App>,
    me: Villager,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let rows = find::own(&app, &me, &page.0).await?;
    json(&Page::cut(rows, page.0.size(), |row| row.id, OwnPublicationView::from)?)
}

/// Takes one's own matter off the page; nobody sees it from now on.
#[utoipa::path(
    tag = "me", params(("id" = PublicationId, Path)), request_body = Option<TakeBack>,
    responses((status = 200, body = OwnPublicationView))
)]
#[post("/me/publications/{id}/take-down")]
pub async fn take_back_publication(
    app: Data<App>,
    me: Villager,
    id: Path<PublicationId>,
    command: Command<TakeBack>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller, now) = (app.clone(), me.caller(), app.clock.now());
    let take = async move |tx: &Tx, _: &TakeBack| {
        Ok(OwnPublicationView::from(end::by_villager(tx, &shared, &me, *id, now).await?))
    };
    command.once(&app, caller, StatusCode::OK, take).await
}
