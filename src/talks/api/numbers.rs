//! For staff: what talk days come to, of a place and village by village.

use actix_web::{HttpResponse, get, web::Data, web::Path};
use chrono::NaiveDate;
use entity::id::DivisionId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{
    app::App,
    auth::{Staff, duty::SeeTalkNumbers},
    calendar::Period,
    clock::local_day,
    http::{ListQuery, Page, PageQuery, json},
    problem::Problem,
    talks::{
        ops::numbers::{self, OfPlace},
        tally::Tally,
    },
};

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config.service(count_talks);
}

/// Village by village.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NumbersBy {
    /// Each village of the place.
    Village,
}

/// `?period=&by=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CountTalks {
    /// `2026-11`, `2026-11..2026-12`, `2026-Q4` or `2026`, at most five years; left out: this month.
    #[validate(length(max = 20))]
    #[param(max_length = 20, example = "2026-Q4")]
    period: Option<String>,
    /// `village`: also each village for itself, by page.
    #[param(inline)]
    by: Option<NumbersBy>,
}

/// Talk days of the period.
#[derive(Serialize, ToSchema)]
pub struct DaysCounted {
    /// Set for the period, those called off included.
    planned: i64,
    /// On which somebody was heard.
    held: i64,
    cancelled: i64,
}

/// A share, and of how many.
#[derive(Serialize, ToSchema)]
pub struct ShareView {
    /// 0 to 1, to the hundredth; null of none.
    share: Option<f64>,
    n: i64,
}

/// Minutes from arrival to being called.
#[derive(Serialize, ToSchema)]
pub struct WaitingView {
    /// Half did not wait longer.
    median: Option<i64>,
    /// Nine in ten did not wait longer.
    p90: Option<i64>,
    n: i64,
}

/// Ratings of days.
#[derive(Serialize, ToSchema)]
pub struct RatingsView {
    /// Of the stars, to the hundredth; null of fewer than ten ratings.
    average: Option<f64>,
    /// Of how many; likewise.
    n: Option<i64>,
}

/// What talk days come to.
#[derive(Serialize, ToSchema)]
pub struct TalkNumbersView {
    division: DivisionId,
    /// How it is called.
    name: String,
    days: DaysCounted,
    /// Different people who were heard.
    people: i64,
    /// Matters that were heard, private ones included.
    matters: i64,
    answered: i64,
    cases: i64,
    council: i64,
    /// Answered on the spot, or a case whose villager confirmed that it is done; of all matters.
    solved: ShareView,
    waiting_minutes: WaitingView,
    /// Of those who had booked.
    no_show: ShareView,
    ratings: RatingsView,
}

impl From<OfPlace> for TalkNumbersView {
    fn from(OfPlace { place, tally }: OfPlace) -> Self {
        let Tally { days, people, matters, answered, cases, council, expected, .. } = tally;
        Self {
            division: place.id,
            name: place.display_name,
            days: DaysCounted { planned: days.planned, held: days.held, cancelled: days.cancelled },
            people,
            matters,
            answered,
            cases,
            council,
            solved: ShareView { share: tally.solved(), n: matters },
            waiting_minutes: WaitingView {
                median: tally.waited_at_most(50),
                p90: tally.waited_at_most(90),
                n: tally.who_waited(),
            },
            no_show: ShareView { share: tally.no_show(), n: expected },
            ratings: RatingsView { average: tally.average(), n: tally.enough_ratings() },
        }
    }
}

/// Numbers of a period.
#[derive(Serialize, ToSchema)]
pub struct TalksCounted {
    /// The first day.
    from: NaiveDate,
    /// The last day.
    to: NaiveDate,
    /// Of the place and all below it.
    total: TalkNumbersView,
    /// Of each village, by code; null unless asked for.
    villages: Option<Page<TalkNumbersView>>,
}

/// What talk days came to in a period, of a place and all below it.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path), CountTalks, PageQuery),
    responses((status = 200, body = TalksCounted))
)]
#[get("/staff/divisions/{division}/talk-numbers")]
pub async fn count_talks(
    app: Data<App>,
    staff: Staff<SeeTalkNumbers>,
    division: Path<DivisionId>,
    query: ListQuery<CountTalks>,
) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let period = match &by.period {
        Some(text) => Period::read(text)?,
        None => Period::month_of(local_day(app.clock.now())),
    };
    let total = numbers::total(&app, &staff, *division, period).await?;
    let villages = match by.by {
        Some(NumbersBy::Village) => {
            let rows = numbers::by_village(&app, &staff, *division, period, &page).await?;
            Some(Page::cut(rows, page.size(), |row| row.place.code.clone(), TalkNumbersView::from)?)
        }
        None => None,
    };
    json(&TalksCounted { from: period.from, to: period.to, total: total.into(), villages })
}
