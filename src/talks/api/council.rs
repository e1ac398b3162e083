//! For staff: the council's list.

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, NaiveDate, Utc};
use entity::id::{CouncilMatterId, DivisionId, TalkDayId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{
    app::App,
    auth::{
        Staff,
        duty::{ManageTalks, SeeTalkNumbers},
    },
    db::Tx,
    http::{Command, ListQuery, Page, PageQuery, json},
    problem::Problem,
    talks::ops::council::{self, CouncilState, Listed},
};

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config.service(list_council_matters).service(take_up_council_matter);
}

/// A matter for the council.
#[derive(Serialize, ToSchema)]
pub struct CouncilMatterView {
    id: CouncilMatterId,
    division: DivisionId,
    title: String,
    /// The day it was heard on.
    talk_day: Option<TalkDayId>,
    date: Option<NaiveDate>,
    listed_at: DateTime<Utc>,
    taken_up_at: Option<DateTime<Utc>>,
}

impl From<Listed> for CouncilMatterView {
    fn from(Listed { matter, day }: Listed) -> Self {
        Self {
            id: matter.id,
            division: matter.division_id,
            title: matter.title,
            talk_day: day.as_ref().map(|day| day.id),
            date: day.map(|day| day.on_date),
            listed_at: matter.listed_at,
            taken_up_at: matter.taken_up_at,
        }
    }
}

/// `?state=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListCouncilMatters {
    /// `listed` or `taken_up`; left out: both.
    #[param(inline)]
    state: Option<CouncilState>,
}

/// Nothing to say but the call itself.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeUpCouncilMatter {}

/// Matters that talk days put on the council's list, the oldest first.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path), ListCouncilMatters, PageQuery),
    responses((status = 200, body = Page<CouncilMatterView>))
)]
#[get("/staff/divisions/{division}/council-matters")]
pub async fn list_council_matters(
    app: Data<App>,
    staff: Staff<SeeTalkNumbers>,
    division: Path<DivisionId>,
    query: ListQuery<ListCouncilMatters>,
) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let rows = council::list(&app, &staff, *division, by.state, &page).await?;
    json(&Page::cut(rows, page.size(), |row| row.matter.id, CouncilMatterView::from)?)
}

/// The council has taken it up.
#[utoipa::path(
    tag = "staff", params(("id" = CouncilMatterId, Path)), request_body = Option<TakeUpCouncilMatter>,
    responses((status = 200, body = CouncilMatterView))
)]
#[post("/staff/council-matters/{id}/take-up")]
pub async fn take_up_council_matter(
    app: Data<App>,
    staff: Staff<ManageTalks>,
    id: Path<CouncilMatterId>,
    command: Command<TakeUpCouncilMatter>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), staff.caller());
    let take_up = async move |tx: &Tx, _: &TakeUpCouncilMatter| {
        Ok(CouncilMatterView::from(council::take_up(tx, &staff, *id, now).await?))
    };
    command.once(&app, caller, StatusCode::OK, take_up).await
}
