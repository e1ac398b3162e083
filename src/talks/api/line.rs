//! For staff: the line of a day.

use actix_web::{HttpResponse, get, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::{
    booking::{BookingPrivacy, BookingState},
    id::{BookingId, SlotId, TalkDayId},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    app::App,
    auth::{Staff, duty::SeeTalkLine},
    http::{Page, PageQuery, Query, json},
    personal::PersonName,
    problem::Problem,
    talks::ops::line::{self, InLine},
};

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config.service(list_talk_line);
}

/// A place of the line.
#[derive(Serialize, ToSchema)]
pub struct TalkLineView {
    booking: BookingId,
    code: String,
    state: BookingState,
    number_in_line: i32,
    slot: SlotId,
    starts_at: DateTime<Utc>,
    /// Masked; null when the person has not said it.
    name: Option<PersonName>,
    privacy: BookingPrivacy,
    /// Null when the matter is private and the viewer does not host the day.
    topic: Option<String>,
    /// Likewise.
    summary: Option<String>,
    #[schema(example = "in_person")]
    mode: String,
    version: i32,
}

impl From<InLine> for TalkLineView {
    fn from(InLine { booking, slot, name, readable }: InLine) -> Self {
        Self {
            booking: booking.id,
            code: booking.code,
            state: booking.state,
            number_in_line: booking.number_in_line,
            slot: slot.id,
            starts_at: slot.starts_at,
            name,
            privacy: booking.privacy,
            topic: readable.then_some(booking.topic),
            summary: readable.then_some(booking.summary),
            mode: booking.mode,
            version: booking.version,
        }
    }
}

/// Who has a place on a day, in line order.
#[utoipa::path(
    tag = "staff", params(("id" = TalkDayId, Path), PageQuery),
    responses((status = 200, body = Page<TalkLineView>))
)]
#[get("/staff/talk-days/{id}/line")]
pub async fn list_talk_line(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<TalkDayId>,
    page: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let rows = line::list(&app, &staff, *id, &page.0).await?;
    json(&Page::cut(rows, page.0.size(), |row| row.booking.number_in_line, TalkLineView::from)?)
}
