//! `/me/content`

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::{
    content_check::{self, ContentState, ContentSubject},
    id::ContentCheckId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::{
    ops,
    own::{self, RewordContent},
};
use crate::{
    app::App,
    auth::Villager,
    db::Tx,
    http::{Command, Page, PageQuery, Query, json},
    problem::Problem,
};

/// One's own words as others see them or are to see them.
#[derive(Serialize, ToSchema)]
pub struct OwnContentView {
    id: ContentCheckId,
    subject: ContentSubject,
    /// The case or the matter of a talk day.
    subject_id: Uuid,
    /// Which part of it; `file` and an id for a photo or a recording.
    part: String,
    /// As others would read it: without names and numbers.
    text: Option<String>,
    /// `passed`: others see it.
    state: ContentState,
    /// Why somebody of the desk holds it.
    decision: Option<String>,
    /// Other words may be given, or a person be asked for.
    may_ask: bool,
    since: DateTime<Utc>,
    version: i32,
}

impl OwnContentView {
    fn of(app: &App, row: content_check::Model) -> Self {
        let text = ops::words_of(app, &row);
        Self {
            id: row.id,
            subject: row.subject,
            subject_id: row.subject_id,
            part: row.part,
            text,
            state: row.state,
            may_ask: row.state == ContentState::Held && row.decided_by.is_none(),
            decision: row.decision_text,
            since: row.since_at,
            version: row.version,
        }
    }
}

/// Nothing to say but the call itself.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskForLook {}

/// One's own words that others see, or are to see once somebody looked at them.
#[utoipa::path(tag = "me", params(PageQuery), responses((status = 200, body = Page<OwnContentView>)))]
#[get("/me/content")]
pub async fn list_own_content(app: Data<App>, me: Villager, page: Query<PageQuery>) -> Result<HttpResponse, Problem> {
    let rows = own::list(&app, &me, &page.0).await?;
    json(&Page::cut(rows, page.0.size(), |row| row.id, |row| OwnContentView::of(&app, row))?)
}

/// Gives other words for others to read; they are looked at anew. The case stays as it was filed.
#[utoipa::path(
    tag = "me", params(("id" = ContentCheckId, Path)), request_body = RewordContent,
    responses((status = 200, body = OwnContentView))
)]
#[post("/me/content/{id}/reword")]
pub async fn reword_content(
    app: Data<App>,
    me: Villager,
    id: Path<ContentCheckId>,
    command: Command<RewordContent>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller, now) = (app.clone(), me.caller(), app.clock.now());
    let reword = async move |tx: &Tx, body: &RewordContent| {
        Ok(OwnContentView::of(&shared, own::reword(tx, &shared, &me, *id, body, now).await?))
    };
    command.once(&app, caller, StatusCode::OK, reword).await
}

/// Asks for a person of the desk to look at what is held.
#[utoipa::path(
    tag = "me", params(("id" = ContentCheckId, Path)), request_body = Option<AskForLook>,
    responses((status = 200, body = OwnContentView))
)]
#[post("/me/content/{id}/ask")]
pub async fn ask_for_look(
    app: Data<App>,
    me: Villager,
    id: Path<ContentCheckId>,
    command: Command<AskForLook>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller, now) = (app.clone(), me.caller(), app.clock.now());
    let ask = async move |tx: &Tx, _: &AskForLook| Ok(OwnContentView::of(&shared, own::ask(tx, &me, *id, now).await?));
    command.once(&app, caller, StatusCode::OK, ask).await
}
