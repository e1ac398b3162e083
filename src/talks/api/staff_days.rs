//! For staff: single days, calling a day off.

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
    talks::{bodies::SingleDayBody, ops::talk_days},
};

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config.service(make_talk_day).service(cancel_talk_day);
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
    let make = async move |tx: &Tx, body: &SingleDayBody| {
        Ok(TalkDayView::from(talk_days::make_single(tx, &staff, *division, body, now).await?))
    };
    command.once(&app, caller, StatusCode::CREATED, make).await
}

/// Calls a day off; everybody who has a place loses it and is told.
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
        Ok(TalkDayView::from(talk_days::cancel(tx, &staff, *id, &body.reason, now).await?))
    };
    command.once(&app, caller, StatusCode::OK, cancel).await
}
