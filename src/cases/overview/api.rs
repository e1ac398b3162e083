//! `/staff/divisions/{division}/overview`

use actix_web::{HttpResponse, get, web::Data, web::Path};
use chrono::NaiveDate;
use entity::{case::CaseState, id::DivisionId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::{
    ops::{self, Open},
    rates::{FEWEST, Rates, Share},
};
use crate::{
    app::App,
    auth::{Staff, duty::SeeCaseNumbers},
    calendar::Period,
    clock::local_day,
    divisions,
    http::{Query, json},
    problem::Problem,
    settings,
};

/// `?period=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OverviewOf {
    /// `2026-11`, `2026-11..2026-12`, `2026-Q4`, `2026`; left out: this month.
    #[validate(length(max = 20))]
    #[param(max_length = 20, example = "2026-11")]
    period: Option<String>,
}

/// A share, and of how many.
#[derive(Serialize, ToSchema)]
pub struct CaseShare {
    /// 0 to 1, to the hundredth; null of none.
    share: Option<f64>,
    n: i64,
}

impl From<Share> for CaseShare {
    fn from(share: Share) -> Self {
        Self { share: share.share(), n: share.n }
    }
}

/// What is said of few people is not told.
#[derive(Serialize, ToSchema)]
pub struct HiddenShare {
    /// 0 to 1, to the hundredth; null of fewer than ten.
    share: Option<f64>,
    /// Null of fewer than ten.
    n: Option<i64>,
}

impl From<Share> for HiddenShare {
    fn from(share: Share) -> Self {
        let enough = share.n >= FEWEST;
        Self { share: share.share().filter(|_| enough), n: enough.then_some(share.n) }
    }
}

/// Open cases in a state.
#[derive(Serialize, ToSchema)]
pub struct StateCount {
    state: CaseState,
    n: i64,
}

/// Open work as it is now.
#[derive(Serialize, ToSchema)]
pub struct OpenCases {
    by_state: Vec<StateCount>,
    /// Past their due day.
    red: i64,
    /// Accepted and with nobody.
    unassigned: i64,
    /// Something was asked for and is not decided.
    waiting_for_a_decision: i64,
    /// So long overdue that the county looks at them.
    on_the_county_list: i64,
}

impl From<Open> for OpenCases {
    fn from(open: Open) -> Self {
        Self {
            by_state: open.by_state.into_iter().map(|(state, n)| StateCount { state, n }).collect(),
            red: open.red,
            unassigned: open.unassigned,
            waiting_for_a_decision: open.pending,
            on_the_county_list: open.on_the_county_list,
        }
    }
}

/// The rates of a place and a period. Silent closings are in no numerator.
#[derive(Serialize, ToSchema)]
pub struct CaseRates {
    /// First contacts made in time, of those that fell due.
    first_contact: CaseShare,
    /// Done or in part by the villager's word, at the phone too; of confirmed, objected and called back.
    solved: CaseShare,
    /// Three to five stars, of those who rated.
    satisfied: HiddenShare,
    /// Rated, of all rounds answered.
    rated: HiddenShare,
    /// Answered by the due day as it stood, of all that had one.
    on_time: CaseShare,
    /// Working days by which half of what was late was later.
    median_overdue_days: Option<u32>,
    /// Sent back, of all work given.
    returned: CaseShare,
    /// Asked for papers once, of all who were asked.
    one_notice: CaseShare,
    /// Objected to, of all rounds answered.
    reopened: CaseShare,
    closed_by_silence: i64,
    /// Reviews that an appeal took out.
    excluded_reviews: i64,
}

impl From<Rates> for CaseRates {
    fn from(rates: Rates) -> Self {
        Self {
            first_contact: rates.first_contact.into(),
            solved: rates.solved.into(),
            satisfied: rates.satisfied.into(),
            rated: Share { part: rates.rated.part, n: rates.rated.n }.into(),
            on_time: rates.on_time.into(),
            median_overdue_days: rates.median_overdue_days,
            returned: rates.returned.into(),
            one_notice: rates.one_notice.into(),
            reopened: rates.reopened.into(),
            closed_by_silence: rates.closed_by_silence,
            excluded_reviews: rates.excluded_reviews,
        }
    }
}

/// What cases of a place come to.
#[derive(Serialize, ToSchema)]
pub struct CasesOverview {
    division: DivisionId,
    /// The first day of the period.
    from: NaiveDate,
    /// The last day.
    to: NaiveDate,
    open: OpenCases,
    /// Filed in the period.
    filed: i64,
    rates: CaseRates,
}

/// Open work of a place and all below it, and the rates of a period.
#[utoipa::path(
    tag = "staff", params(("division" = DivisionId, Path), OverviewOf), responses((status = 200, body = CasesOverview))
)]
#[get("/staff/divisions/{division}/overview")]
pub async fn overview_cases(
    app: Data<App>,
    staff: Staff<SeeCaseNumbers>,
    division: Path<DivisionId>,
    query: Query<OverviewOf>,
) -> Result<HttpResponse, Problem> {
    let db = app.db.read();
    let place = divisions::reach(db, &staff, *division).await?;
    let now = app.clock.now();
    let period = match &query.0.period {
        Some(text) => Period::read(text)?,
        None => Period::month_of(local_day(now)),
    };
    let clocks = app.settings.load().of(&settings::lineage(&place));
    let happened = ops::happened(db, &place, period, &clocks.calendar, now).await?;
    json(&CasesOverview {
        division: place.id,
        from: period.from,
        to: period.to,
        open: ops::open(db, &place, local_day(now)).await?.into(),
        filed: ops::filed(db, &place, period).await?,
        rates: Rates::of(&happened).into(),
    })
}
