//! For staff at the door: people come, are called, set aside, called again; a slip of the finger is taken back.

use actix_web::{HttpResponse, http::StatusCode, post, web::Data, web::Path};
use entity::{
    Instant, booking,
    id::{BookingId, TalkDayId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::line::TalkLineView;
use crate::{
    app::App,
    auth::{Staff, duty::SeeTalkLine},
    db::Tx,
    http::{Command, json},
    problem::Problem,
    talks::{
        ops::{
            call::{self, TakeStep},
            find::{self, FindInLine},
            line,
            queue::{self, ReplayLine, Replayed},
            step::Acting,
            undo,
            walk_in::{self, RegisterWalkIn},
        },
        steps::LineAction,
    },
};

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config
        .service(register_walk_in)
        .service(find_in_line)
        .service(call_next)
        .service(undo_last_step)
        .service(replay_line)
        .service(check_in_booking)
        .service(call_booking)
        .service(recall_booking)
        .service(park_booking)
        .service(miss_booking)
        .service(undo_booking_step);
}

/// Nothing needs to be said.
#[derive(Clone, Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfTheDay {}

/// Bookings that fit.
#[derive(Serialize, ToSchema)]
pub struct FoundInLine {
    items: Vec<TalkLineView>,
}

/// What became of each step of a queue, in its order.
#[derive(Serialize, ToSchema)]
pub struct ReplayedLine {
    items: Vec<Replayed>,
}

/// Who acts, and when by their own clock.
fn acting<T>(staff: &Staff<SeeTalkLine>, command: &Command<T>, now: Instant) -> Acting {
    Acting::call(staff.id(), command.client_time, now)
}

/// The booking as it stands in the line now.
async fn shown(
    tx: &Tx,
    app: &App,
    staff: &Staff<SeeTalkLine>,
    row: booking::Model,
    now: Instant,
) -> Result<TalkLineView, Problem> {
    Ok(line::entry(tx, app, staff, row, now).await?.into())
}

/// Enters somebody who has come without a booking: they have a number and wait from now on.
///
/// While the day runs nobody is refused: when no place is left that is kept for walk-ins, they wait without one.
#[utoipa::path(
    tag = "staff", params(("id" = TalkDayId, Path)), request_body = RegisterWalkIn,
    responses((status = 201, body = TalkLineView))
)]
#[post("/staff/talk-days/{id}/walk-ins")]
pub async fn register_walk_in(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<TalkDayId>,
    command: Command<RegisterWalkIn>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let (shared, acting) = (app.clone().into_inner(), acting(&staff, &command, now));
    let register = async move |tx: &Tx, body: &RegisterWalkIn| {
        let row = walk_in::register(tx, &shared, &staff, *id, body, &acting).await?;
        shown(tx, &shared, &staff, row, now).await
    };
    command.once(&app, caller, StatusCode::CREATED, register).await
}

/// Finds who stands at the door: by code, by the last four digits of the phone, or by the whole name.
///
/// A POST, because names and phones must not stand in addresses. At most twenty.
#[utoipa::path(
    tag = "staff", params(("id" = TalkDayId, Path)), request_body = FindInLine,
    responses((status = 200, body = FoundInLine))
)]
#[post("/staff/talk-days/{id}/find")]
pub async fn find_in_line(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<TalkDayId>,
    command: Command<FindInLine>,
) -> Result<HttpResponse, Problem> {
    let found = find::find(&app, &staff, *id, &command.body).await?;
    json(&FoundInLine { items: found.into_iter().map(TalkLineView::from).collect() })
}

/// Calls whoever is next; 409 `line_empty` when nobody waits.
#[utoipa::path(
    tag = "staff", params(("id" = TalkDayId, Path)), request_body = Option<OfTheDay>,
    responses((status = 200, body = TalkLineView))
)]
#[post("/staff/talk-days/{id}/call-next")]
pub async fn call_next(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<TalkDayId>,
    command: Command<OfTheDay>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let (shared, acting) = (app.clone().into_inner(), acting(&staff, &command, now));
    let call = async move |tx: &Tx, _: &OfTheDay| {
        let row = call::call_next(tx, &staff, *id, &acting).await?;
        shown(tx, &shared, &staff, row, now).await
    };
    command.once(&app, caller, StatusCode::OK, call).await
}

/// Takes back the last step that one has taken oneself on this day, within a minute.
#[utoipa::path(
    tag = "staff", params(("id" = TalkDayId, Path)), request_body = Option<OfTheDay>,
    responses((status = 200, body = TalkLineView))
)]
#[post("/staff/talk-days/{id}/undo")]
pub async fn undo_last_step(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<TalkDayId>,
    command: Command<OfTheDay>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let (shared, acting) = (app.clone().into_inner(), acting(&staff, &command, now));
    let undo = async move |tx: &Tx, _: &OfTheDay| {
        let row = undo::undo_last(tx, &staff, *id, &acting).await?;
        shown(tx, &shared, &staff, row, now).await
    };
    command.once(&app, caller, StatusCode::OK, undo).await
}

/// Replays what the desk did while its line was down: in order, each step once, whatever is sent again.
///
/// A step that is refused does not stop the others. `Idempotency-Key` is not needed: each step has a key of its own.
#[utoipa::path(
    tag = "staff", params(("id" = TalkDayId, Path)), request_body = ReplayLine,
    responses((status = 200, body = ReplayedLine))
)]
#[post("/staff/talk-days/{id}/queue")]
pub async fn replay_line(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<TalkDayId>,
    command: Command<ReplayLine>,
) -> Result<HttpResponse, Problem> {
    let items = queue::replay(&app.into_inner(), &staff, *id, command.body.actions).await?;
    json(&ReplayedLine { items })
}

/// What the calls with one booking have in common.
async fn moved(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: BookingId,
    command: Command<TakeStep>,
    action: LineAction,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let (shared, acting) = (app.clone().into_inner(), acting(&staff, &command, now));
    let step = async move |tx: &Tx, body: &TakeStep| {
        let row = call::take(tx, &staff, id, action, body, &acting).await?;
        shown(tx, &shared, &staff, row, now).await
    };
    command.once(&app, caller, StatusCode::OK, step).await
}

/// The person is there; on the day itself.
#[utoipa::path(
    tag = "staff", params(("id" = BookingId, Path)), request_body = Option<TakeStep>,
    responses((status = 200, body = TalkLineView))
)]
#[post("/staff/bookings/{id}/check-in")]
pub async fn check_in_booking(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<BookingId>,
    command: Command<TakeStep>,
) -> Result<HttpResponse, Problem> {
    moved(app, staff, *id, command, LineAction::CheckIn).await
}

/// It is their turn, whoever else waits.
#[utoipa::path(
    tag = "staff", params(("id" = BookingId, Path)), request_body = Option<TakeStep>,
    responses((status = 200, body = TalkLineView))
)]
#[post("/staff/bookings/{id}/call")]
pub async fn call_booking(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<BookingId>,
    command: Command<TakeStep>,
) -> Result<HttpResponse, Problem> {
    moved(app, staff, *id, command, LineAction::Call).await
}

/// Calls them once more.
#[utoipa::path(
    tag = "staff", params(("id" = BookingId, Path)), request_body = Option<TakeStep>,
    responses((status = 200, body = TalkLineView))
)]
#[post("/staff/bookings/{id}/recall")]
pub async fn recall_booking(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<BookingId>,
    command: Command<TakeStep>,
) -> Result<HttpResponse, Problem> {
    moved(app, staff, *id, command, LineAction::Recall).await
}

/// Sets them aside until they are called.
#[utoipa::path(
    tag = "staff", params(("id" = BookingId, Path)), request_body = Option<TakeStep>,
    responses((status = 200, body = TalkLineView))
)]
#[post("/staff/bookings/{id}/park")]
pub async fn park_booking(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<BookingId>,
    command: Command<TakeStep>,
) -> Result<HttpResponse, Problem> {
    moved(app, staff, *id, command, LineAction::Park).await
}

/// They were not there; of somebody who never came, not before their slot starts.
#[utoipa::path(
    tag = "staff", params(("id" = BookingId, Path)), request_body = Option<TakeStep>,
    responses((status = 200, body = TalkLineView))
)]
#[post("/staff/bookings/{id}/missed")]
pub async fn miss_booking(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<BookingId>,
    command: Command<TakeStep>,
) -> Result<HttpResponse, Problem> {
    moved(app, staff, *id, command, LineAction::Missed).await
}

/// Takes the last step of a booking back, within a minute; of a walk-in, the entry itself.
///
/// What opened a case or put a matter on the council's list stays: 409 `transition_not_allowed`.
#[utoipa::path(
    tag = "staff", params(("id" = BookingId, Path)), request_body = Option<TakeStep>,
    responses((status = 200, body = TalkLineView))
)]
#[post("/staff/bookings/{id}/undo")]
pub async fn undo_booking_step(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<BookingId>,
    command: Command<TakeStep>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let (shared, acting) = (app.clone().into_inner(), acting(&staff, &command, now));
    let undo = async move |tx: &Tx, body: &TakeStep| {
        let row = undo::undo(tx, &staff, *id, body, &acting).await?;
        shown(tx, &shared, &staff, row, now).await
    };
    command.once(&app, caller, StatusCode::OK, undo).await
}
