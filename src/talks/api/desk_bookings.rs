//! For staff: places for callers, confirming by phone, objections to missed days.

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::{
    booking::{self, BookingState, MissedObjection},
    id::{BookingId, DivisionId, PersonId, SlotId, TalkDayId},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{
    app::App,
    auth::{Staff, duty::ManageTalks},
    db::Tx,
    http::{Command, ListQuery, Page, PageQuery, json},
    personal::{PersonName, Personal, PhoneNumber},
    problem::Problem,
    talks::ops::{
        bookings::CancelBooking,
        desk_booking::{self, BookForCaller},
        desk_changes,
        missed::{self, ForDesk, SettleMissed, WaitingForDesk},
        move_booking::MoveBooking,
    },
};

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config
        .service(book_for_caller)
        .service(cancel_for_caller)
        .service(move_for_caller)
        .service(confirm_booking)
        .service(settle_missed)
        .service(list_bookings_for_desk);
}

/// A booking as the desk took or changed it.
#[derive(Serialize, ToSchema)]
pub struct DeskBookingView {
    id: BookingId,
    code: String,
    talk_day: TalkDayId,
    slot: SlotId,
    person: PersonId,
    state: BookingState,
    number_in_line: i32,
    objection: Option<MissedObjection>,
    version: i32,
}

impl From<booking::Model> for DeskBookingView {
    fn from(row: booking::Model) -> Self {
        Self {
            id: row.id,
            code: row.code,
            talk_day: row.talk_day_id,
            slot: row.slot_id,
            person: row.person_id,
            state: row.state,
            number_in_line: row.number_in_line,
            objection: row.objection,
            version: row.version,
        }
    }
}

/// Takes a place for somebody who called: one that is kept for walk-ins and the phone, else a free public one.
#[utoipa::path(
    tag = "staff", params(("slot" = SlotId, Path)), request_body = BookForCaller,
    responses((status = 201, body = DeskBookingView))
)]
#[post("/staff/slots/{slot}/bookings")]
pub async fn book_for_caller(
    app: Data<App>,
    staff: Staff<ManageTalks>,
    slot: Path<SlotId>,
    command: Command<BookForCaller>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let shared = app.clone().into_inner();
    let book = async move |tx: &Tx, body: &BookForCaller| {
        let booked = desk_booking::book_for_caller(tx, &shared, &staff, *slot, body, now).await?;
        Ok(DeskBookingView::from(booked.booking))
    };
    command.once(&app, caller, StatusCode::CREATED, book).await
}

/// Gives a place up for somebody who called; until the slot begins, whether or not the app may still.
#[utoipa::path(
    tag = "staff", params(("id" = BookingId, Path)), request_body = Option<CancelBooking>,
    responses((status = 200, body = DeskBookingView))
)]
#[post("/staff/bookings/{id}/cancel")]
pub async fn cancel_for_caller(
    app: Data<App>,
    staff: Staff<ManageTalks>,
    id: Path<BookingId>,
    command: Command<CancelBooking>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let cancel = async move |tx: &Tx, body: &CancelBooking| {
        Ok(DeskBookingView::from(desk_changes::cancel(tx, &staff, *id, body, now).await?))
    };
    command.once(&app, caller, StatusCode::OK, cancel).await
}

/// Moves a place for somebody who called, to one that is kept for walk-ins and the phone, else to a free public one.
#[utoipa::path(
    tag = "staff", params(("id" = BookingId, Path)), request_body = MoveBooking,
    responses((status = 200, body = DeskBookingView))
)]
#[post("/staff/bookings/{id}/move")]
pub async fn move_for_caller(
    app: Data<App>,
    staff: Staff<ManageTalks>,
    id: Path<BookingId>,
    command: Command<MoveBooking>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let moved = async move |tx: &Tx, body: &MoveBooking| {
        Ok(DeskBookingView::from(desk_changes::move_booking(tx, &staff, *id, body, now).await?.booking))
    };
    command.once(&app, caller, StatusCode::OK, moved).await
}

/// Nothing to say but the call itself.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmBooking {}

/// Confirms by phone that somebody who was missed twice will come.
#[utoipa::path(
    tag = "staff", params(("id" = BookingId, Path)), request_body = Option<ConfirmBooking>,
    responses((status = 200, body = DeskBookingView))
)]
#[post("/staff/bookings/{id}/confirm")]
pub async fn confirm_booking(
    app: Data<App>,
    staff: Staff<ManageTalks>,
    id: Path<BookingId>,
    command: Command<ConfirmBooking>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let confirm = async move |tx: &Tx, _: &ConfirmBooking| {
        Ok(DeskBookingView::from(missed::confirm(tx, &staff, *id, now).await?))
    };
    command.once(&app, caller, StatusCode::OK, confirm).await
}

/// Settles an objection to being counted as missed.
#[utoipa::path(
    tag = "staff", params(("id" = BookingId, Path)), request_body = SettleMissed,
    responses((status = 200, body = DeskBookingView))
)]
#[post("/staff/bookings/{id}/settle-missed")]
pub async fn settle_missed(
    app: Data<App>,
    staff: Staff<ManageTalks>,
    id: Path<BookingId>,
    command: Command<SettleMissed>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let settle = async move |tx: &Tx, body: &SettleMissed| {
        Ok(DeskBookingView::from(missed::settle(tx, &staff, *id, body, now).await?))
    };
    command.once(&app, caller, StatusCode::OK, settle).await
}

/// A booking that waits for the desk.
#[derive(Serialize, ToSchema)]
pub struct BookingForDeskView {
    #[serde(flatten)]
    booking: DeskBookingView,
    starts_at: DateTime<Utc>,
    /// Masked.
    name: Option<PersonName>,
    /// Masked.
    phone: Option<PhoneNumber>,
    /// What the person objects; of a private matter for the hosts of its day alone.
    text: Option<String>,
}

impl From<ForDesk> for BookingForDeskView {
    fn from(ForDesk { booking, slot, name, phone, text }: ForDesk) -> Self {
        Self {
            booking: booking.into(),
            starts_at: slot.starts_at,
            name,
            phone,
            text: text.map(|text| text.in_the_clear().to_owned()),
        }
    }
}

/// `?waiting_for=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListForDesk {
    /// For a call to confirm, for an objection to be settled, or, the day being over, for a word on whether they came.
    #[param(inline)]
    waiting_for: WaitingForDesk,
}

/// Bookings of a place that wait for the desk, the oldest first.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path), ListForDesk, PageQuery),
    responses((status = 200, body = Page<BookingForDeskView>))
)]
#[get("/staff/divisions/{division}/bookings")]
pub async fn list_bookings_for_desk(
    app: Data<App>,
    staff: Staff<ManageTalks>,
    division: Path<DivisionId>,
    query: ListQuery<ListForDesk>,
) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let rows = missed::list(&app, &staff, *division, by.waiting_for, &page).await?;
    json(&Page::cut(rows, page.size(), |row| row.booking.id, BookingForDeskView::from)?)
}
