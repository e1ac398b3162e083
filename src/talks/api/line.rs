//! For staff: the line of a day.

use actix_web::{HttpResponse, get, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::{
    booking::{BookingChannel, BookingPlace, BookingPrivacy, BookingState},
    id::{BookingId, PartyId, SlotId, TalkDayId},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{
    app::App,
    auth::{Staff, duty::SeeTalkLine},
    http::{ListQuery, Page, PageQuery, json},
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
    /// Null, of every matter alike, when the viewer does not host the day.
    privacy: Option<BookingPrivacy>,
    /// Likewise.
    topic: Option<String>,
    /// Likewise.
    summary: Option<String>,
    #[schema(example = "in_person")]
    mode: String,
    place: BookingPlace,
    channel: BookingChannel,
    /// Those of one household that were booked together have the same.
    party: Option<PartyId>,
    arrived_at: Option<DateTime<Utc>>,
    called_at: Option<DateTime<Utc>>,
    /// Position in the order, from 1; null when they do not wait.
    turn: Option<usize>,
    /// About when it will be their turn; never before a booked slot.
    estimated_at: Option<DateTime<Utc>>,
    /// What may be done with it now.
    #[schema(example = json!(["call", "park", "missed", "undo"]))]
    actions: Vec<&'static str>,
    version: i32,
}

impl From<InLine> for TalkLineView {
    fn from(InLine { booking, slot, name, readable, turn, actions }: InLine) -> Self {
        Self {
            booking: booking.id,
            code: booking.code,
            state: booking.state,
            number_in_line: booking.number_in_line,
            slot: slot.id,
            starts_at: slot.starts_at,
            name,
            privacy: readable.then_some(booking.privacy),
            topic: readable.then_some(booking.topic),
            summary: readable.then_some(booking.summary),
            mode: booking.mode,
            place: booking.place,
            channel: booking.channel,
            party: booking.party_id,
            arrived_at: booking.arrived_at,
            called_at: booking.called_at,
            turn: turn.map(|(turn, _)| turn),
            estimated_at: turn.map(|(_, at)| at),
            actions,
            version: booking.version,
        }
    }
}

/// `?state=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListTalkLine {
    /// Only those who stand so.
    state: Option<BookingState>,
}

/// Who has a place on a day, by number; `turn` says in which order those who wait will be called.
#[utoipa::path(
    tag = "staff", params(("id" = TalkDayId, Path), ListTalkLine, PageQuery),
    responses((status = 200, body = Page<TalkLineView>))
)]
#[get("/staff/talk-days/{id}/line")]
pub async fn list_talk_line(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<TalkDayId>,
    query: ListQuery<ListTalkLine>,
) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let rows = line::list(&app, &staff, *id, by.state, &page).await?;
    json(&Page::cut(rows, page.size(), |row| row.booking.number_in_line, TalkLineView::from)?)
}
