//! Development and test only: a clock that can be moved. In production these addresses do not exist.

use actix_web::{HttpResponse, web, web::Data};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use validator::Validate;

use crate::{
    app::App,
    http::{Command, json},
    jobs,
    problem::Problem,
};

/// Mounted outside the contract.
pub fn routes(config: &mut web::ServiceConfig) {
    config.route("/_dev/clock", web::post().to(advance_clock));
}

#[derive(Deserialize, Validate)]
#[serde(deny_unknown_fields)]
struct AdvanceClock {
    /// Seconds, at most ten years.
    #[validate(range(min = 0, max = 315_360_000))]
    advance_s: i64,
}

#[derive(Serialize)]
struct Now {
    now: entity::Instant,
}

/// Moves this process's clock forward and runs what became due.
async fn advance_clock(app: Data<App>, command: Command<AdvanceClock>) -> Result<HttpResponse, Problem> {
    app.clock.advance(TimeDelta::seconds(command.body.advance_s));
    jobs::run_due(&app).await?;
    json(&Now { now: app.clock.now() })
}
