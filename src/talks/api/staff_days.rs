//! For staff: single days; calling a day off, shifting it, taking a host off it.

use actix_web::{HttpResponse, http::StatusCode, post, web::Data, web::Path};
use entity::id::{DivisionId, TalkDayId};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::days::TalkDayView;
use crate::{
    app::App,
    auth::{Staff, duty::ManageTalks},
    db::Tx,
    http::Command,
    problem::Problem,
    talks::{
        bodies::{ShiftTalkDay, SingleDayBody, WithdrawHost},
        ops::{cancel_day, host_leaves, shift_day, talk_days},
    },
};

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config.service(make_talk_day).service(cancel_talk_day).service(shift_talk_day).service(withdraw_host);
}

/// Why a day is called off; everybody may read it.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelTalkDay {
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// Makes a single talk day beside the rules.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path)), request_body = SingleDayBody,
    responses((status = 201, body = TalkDayView))
)]
#[post("/staff/divisions/{division}/talk-days")]
pub async fn make_talk_day(
    app: Data<App>,
    staff: Staff<ManageTalks>,
    division: Path<DivisionId>,
    command: Command<SingleDayBody>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let shared = app.clone();
    let make = async move |tx: &Tx, body: &SingleDayBody| {
        Ok(TalkDayView::from(talk_days::make_single(tx, &shared, &staff, *division, body, now).await?))
    };
    command.once(&app, caller, StatusCode::CREATED, make).await
}

/// Calls a day off; everybody who has a place or waits for one loses it and is told why, and of the nearest free place.
#[utoipa::path(
    tag = "staff", params(("id" = TalkDayId, Path)), request_body = CancelTalkDay,
    responses((status = 200, body = TalkDayView))
)]
#[post("/staff/talk-days/{id}/cancel")]
pub async fn cancel_talk_day(
    app: Data<App>,
    staff: Staff<ManageTalks>,
    id: Path<TalkDayId>,
    command: Command<CancelTalkDay>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let cancel = async move |tx: &Tx, body: &CancelTalkDay| {
        Ok(TalkDayView::from(cancel_day::cancel(tx, &staff, *id, &body.reason, now).await?))
    };
    command.once(&app, caller, StatusCode::OK, cancel).await
}

/// Shifts a day that has not begun, whole: same slots, same numbers, same people.
///
/// Everybody is told the old and the new time, and may cancel until it starts. Booking that is open stays open. 409
/// `already_exists` when its rule has a day on that date.
#[utoipa::path(
    tag = "staff", params(("id" = TalkDayId, Path)), request_body = ShiftTalkDay,
    responses((status = 200, body = TalkDayView))
)]
#[post("/staff/talk-days/{id}/shift")]
pub async fn shift_talk_day(
    app: Data<App>,
    staff: Staff<ManageTalks>,
    id: Path<TalkDayId>,
    command: Command<ShiftTalkDay>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let shift = async move |tx: &Tx, body: &ShiftTalkDay| {
        Ok(TalkDayView::from(shift_day::shift(tx, &staff, *id, body, now).await?))
    };
    command.once(&app, caller, StatusCode::OK, shift).await
}

/// Takes a host off a day; with a stand-in every booking stays.
///
/// Without one the slots to come lose that host's share of their places, rounded up for the people: held places first,
/// then the bookings made last, which end as `host_left`. 409 `last_host` when nobody would be left.
#[utoipa::path(
    tag = "staff", params(("id" = TalkDayId, Path)), request_body = WithdrawHost,
    responses((status = 200, body = TalkDayView))
)]
#[post("/staff/talk-days/{id}/withdraw-host")]
pub async fn withdraw_host(
    app: Data<App>,
    staff: Staff<ManageTalks>,
    id: Path<TalkDayId>,
    command: Command<WithdrawHost>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let shared = app.clone();
    let withdraw = async move |tx: &Tx, body: &WithdrawHost| {
        Ok(TalkDayView::from(host_leaves::withdraw(tx, &shared, &staff, *id, body, now).await?))
    };
    command.once(&app, caller, StatusCode::OK, withdraw).await
}
