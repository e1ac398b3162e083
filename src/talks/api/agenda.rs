//! Before the day: screening, and the agenda that everybody reads or hears.

use actix_web::{HttpResponse, Responder, get, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    booking::{BookingOutcome, BookingPrivacy, Screening},
    case::CaseState,
    id::{BookingId, TalkDayId},
    talk_day::{TalkDayState, TalkFormat, TalkPurpose},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    app::App,
    auth::{Staff, duty::SeeTalkLine},
    db::Tx,
    http::{Command, Single},
    problem::Problem,
    talks::ops::{
        agenda::{self, Agenda},
        screening::{self, ScreenBooking},
    },
};

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config.service(screen_booking).service(get_agenda);
}

/// A matter that was screened.
#[derive(Serialize, ToSchema)]
pub struct ScreenedView {
    booking: BookingId,
    screened: Option<Screening>,
    privacy: BookingPrivacy,
    /// What the agenda says of it.
    agenda_title: Option<String>,
    version: i32,
}

/// A matter on the agenda.
#[derive(Serialize, ToSchema)]
pub struct AgendaItemView {
    /// Its turn on the agenda, from 1; nobody's number in line.
    number: usize,
    title: String,
    /// A code of the list `topics`.
    topic: String,
}

/// What became of a public matter of last time.
#[derive(Serialize, ToSchema)]
pub struct WhatBecameView {
    title: String,
    topic: String,
    outcome: Option<BookingOutcome>,
    /// With outcome `case`: where it stands now.
    case_state: Option<CaseState>,
    /// What was answered, as far as the host wrote it for everybody.
    answered: Option<String>,
}

/// The agenda of a talk day.
#[derive(Serialize, ToSchema)]
pub struct AgendaView {
    talk_day: TalkDayId,
    date: NaiveDate,
    state: TalkDayState,
    starts_at: DateTime<Utc>,
    place: String,
    purpose: TalkPurpose,
    format: TalkFormat,
    /// From the day before on.
    #[serde(rename = "final")]
    is_final: bool,
    /// What became of last time's public matters.
    opening: Vec<WhatBecameView>,
    items: Vec<AgendaItemView>,
    /// To be read out over the loudspeaker, in Chinese.
    loudspeaker: String,
}

impl From<Agenda> for AgendaView {
    fn from(Agenda { day, is_final, opening, items, loudspeaker }: Agenda) -> Self {
        let became = |one: agenda::WhatBecame| WhatBecameView {
            title: one.title,
            topic: one.topic,
            outcome: one.outcome,
            case_state: one.case_state,
            answered: one.answered,
        };
        let item = |(at, one): (usize, agenda::AgendaItem)| AgendaItemView {
            number: at + 1,
            title: one.title,
            topic: one.topic,
        };
        Self {
            talk_day: day.id,
            date: day.on_date,
            state: day.state,
            starts_at: day.starts_at,
            place: day.place,
            purpose: day.purpose,
            format: day.format,
            is_final,
            opening: opening.into_iter().map(became).collect(),
            items: items.into_iter().enumerate().map(item).collect(),
            loudspeaker,
        }
    }
}

/// Says before the day whether a matter goes on the agenda, is for the host alone, or belongs elsewhere.
#[utoipa::path(
    tag = "staff", params(("id" = BookingId, Path)), request_body = ScreenBooking,
    responses((status = 200, body = ScreenedView))
)]
#[post("/staff/bookings/{id}/screen")]
pub async fn screen_booking(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<BookingId>,
    command: Command<ScreenBooking>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller, now) = (app.clone(), staff.caller(), app.clock.now());
    let screen = async move |tx: &Tx, body: &ScreenBooking| {
        let row = screening::screen(tx, &shared, &staff, *id, body, now).await?;
        Ok(ScreenedView {
            booking: row.id,
            screened: row.screened,
            privacy: row.privacy,
            agenda_title: row.agenda_title,
            version: row.version,
        })
    };
    command.once(&app, caller, StatusCode::OK, screen).await
}

/// The agenda of a day: public matters alone.
#[utoipa::path(
    tag = "talks", security(()), params(("id" = TalkDayId, Path)),
    responses((status = 200, body = AgendaView), (status = 304, description = "Not changed"))
)]
#[get("/talk-days/{id}/agenda")]
pub async fn get_agenda(app: Data<App>, id: Path<TalkDayId>) -> Result<impl Responder, Problem> {
    Ok(Single(AgendaView::from(agenda::agenda(&app, *id, app.clock.now()).await?)))
}
