//! `/inbox`

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::{
    id::{BookingId, CaseId, NoticeId},
    notice,
};
use rust_i18n::t;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::ops;
use crate::{
    app::App,
    auth::Villager,
    db::Tx,
    http::{Command, Page, PageQuery, Query, json},
    problem::{Language, Problem},
};

/// A notice in the inbox.
#[derive(Serialize, ToSchema)]
pub struct NoticeView {
    id: NoticeId,
    /// Stable slug.
    kind: String,
    /// In the caller's language.
    text: String,
    case: Option<CaseId>,
    booking: Option<BookingId>,
    at: DateTime<Utc>,
    read: bool,
}

impl NoticeView {
    fn of(row: notice::Model, language: Language) -> Self {
        let param = |name: &str| row.params.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let (number, when, said) = (param("number"), param("when"), param("text"));
        let text =
            t!(format!("notice.{}", row.kind), locale = language.tag(), number = number, when = when, text = said)
                .into_owned();
        Self {
            id: row.id,
            kind: row.kind,
            text,
            case: row.case_id,
            booking: row.booking_id,
            at: row.created_at,
            read: row.read_at.is_some(),
        }
    }
}

/// Nothing to say but the call itself.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadNotice {}

/// What one was told, newest first.
#[utoipa::path(tag = "me", params(PageQuery), responses((status = 200, body = Page<NoticeView>)))]
#[get("/inbox")]
pub async fn list_inbox(
    app: Data<App>,
    language: Language,
    me: Villager,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let rows = ops::inbox(&app, &me, &page.0).await?;
    json(&Page::cut(rows, page.0.size(), |row| row.id, |row| NoticeView::of(row, language))?)
}

/// Marks a notice read.
#[utoipa::path(tag = "me", params(("id" = NoticeId, Path)), request_body = Option<ReadNotice>, responses((status = 200, body = NoticeView)))]
#[post("/inbox/{id}/read")]
pub async fn read_notice(
    app: Data<App>,
    language: Language,
    me: Villager,
    id: Path<NoticeId>,
    command: Command<ReadNotice>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), me.caller());
    let read = async move |tx: &Tx, _: &ReadNotice| Ok(NoticeView::of(ops::read(tx, &me, *id, now).await?, language));
    command.once(&app, caller, StatusCode::OK, read).await
}
