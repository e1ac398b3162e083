//! `/inbox`

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::{
    id::{BookingId, CaseId, NoticeId},
    notice,
    notice_delivery::NoticeChannel,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::{ops, words};
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
    /// How it was told beside the inbox.
    told_by: Option<NoticeChannel>,
}

impl NoticeView {
    fn of(row: notice::Model, told_by: Option<NoticeChannel>, language: Language) -> Self {
        Self {
            id: row.id,
            text: words::sentence(&row.kind, &row.params, language),
            kind: row.kind,
            case: row.case_id,
            booking: row.booking_id,
            at: row.created_at,
            read: row.read_at.is_some(),
            told_by,
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
    let ways = ops::told_by(app.db.read(), &rows).await?;
    let view = |row: notice::Model| {
        let told_by = ways.get(&row.id).copied();
        NoticeView::of(row, told_by, language)
    };
    json(&Page::cut(rows, page.0.size(), |row| row.id, view)?)
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
    let read = async move |tx: &Tx, _: &ReadNotice| {
        let row = ops::read(tx, &me, *id, now).await?;
        let told_by = ops::told_by(tx, std::slice::from_ref(&row)).await?.remove(&row.id);
        Ok(NoticeView::of(row, told_by, language))
    };
    command.once(&app, caller, StatusCode::OK, read).await
}
