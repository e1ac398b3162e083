//! For villagers: rating the day on which they were heard.

use actix_web::{HttpResponse, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::id::{TalkDayId, TalkRatingId};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    app::App,
    auth::Villager,
    db::Tx,
    http::Command,
    problem::Problem,
    talks::ops::ratings::{self, RateTalkDay},
};

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config.service(rate_talk_day);
}

/// A rating as its author sees it; nobody else does.
#[derive(Serialize, ToSchema)]
pub struct TalkRatingView {
    id: TalkRatingId,
    talk_day: TalkDayId,
    stars: i32,
    text: Option<String>,
    at: DateTime<Utc>,
}

/// Rates a day on which one was heard, from its end on for 15 days, once.
#[utoipa::path(
    tag = "talks", params(("id" = TalkDayId, Path)), request_body = RateTalkDay,
    responses((status = 201, body = TalkRatingView))
)]
#[post("/talk-days/{id}/ratings")]
pub async fn rate_talk_day(
    app: Data<App>,
    me: Villager,
    id: Path<TalkDayId>,
    command: Command<RateTalkDay>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller, now) = (app.clone(), me.caller(), app.clock.now());
    let rate = async move |tx: &Tx, body: &RateTalkDay| {
        let row = ratings::rate(tx, &shared, &me, *id, body, now).await?;
        Ok(TalkRatingView {
            id: row.id,
            talk_day: row.talk_day_id,
            stars: row.stars,
            text: body.text.clone(),
            at: row.at,
        })
    };
    command.once(&app, caller, StatusCode::CREATED, rate).await
}
