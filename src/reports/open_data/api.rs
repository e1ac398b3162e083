//! `/open-data/{division}`

use actix_web::{
    HttpRequest, Responder, get,
    http::header::CACHE_CONTROL,
    web::{Data, Path},
};
use entity::id::DivisionId;

use super::ops;
use crate::{app::App, auth::check_open_read, http::SingleText, problem::Problem};

/// Signed months do not change; that there is another one may be known an hour later.
const FOR_AN_HOUR: &str = "public, max-age=3600";
const CSV: &str = "text/csv; charset=utf-8";

fn open(text: String, content_type: &'static str) -> impl Responder {
    SingleText { text, content_type }.customize().insert_header((CACHE_CONTROL, FOR_AN_HOUR))
}

/// What of a place is open: the descriptor of a Frictionless Data Package over the two tables beside it.
#[utoipa::path(
    tag = "open data", security(()), params(("division" = DivisionId, Path)),
    responses(
        (status = 200, description = "The descriptor", body = String, content_type = "application/json"),
        (status = 304, description = "Not changed"),
    )
)]
#[get("/open-data/{division}/datapackage.json")]
pub async fn get_data_package(
    app: Data<App>,
    req: HttpRequest,
    division: Path<DivisionId>,
) -> Result<impl Responder, Problem> {
    check_open_read(&app, &req)?;
    Ok(open(ops::of(&app, *division).await?.descriptor, "application/json"))
}

/// Cases by month, kind and topic. What is said of fewer than five is blank, counts are rounded to five.
#[utoipa::path(
    tag = "open data", security(()), params(("division" = DivisionId, Path)),
    responses(
        (status = 200, description = "The table", body = String, content_type = "text/csv"),
        (status = 304, description = "Not changed"),
    )
)]
#[get("/open-data/{division}/cases_by_month.csv")]
pub async fn get_open_cases(
    app: Data<App>,
    req: HttpRequest,
    division: Path<DivisionId>,
) -> Result<impl Responder, Problem> {
    check_open_read(&app, &req)?;
    Ok(open(ops::of(&app, *division).await?.cases, CSV))
}

/// Rates by month, each with the rounded number it is of.
#[utoipa::path(
    tag = "open data", security(()), params(("division" = DivisionId, Path)),
    responses(
        (status = 200, description = "The table", body = String, content_type = "text/csv"),
        (status = 304, description = "Not changed"),
    )
)]
#[get("/open-data/{division}/rates.csv")]
pub async fn get_open_rates(
    app: Data<App>,
    req: HttpRequest,
    division: Path<DivisionId>,
) -> Result<impl Responder, Problem> {
    check_open_read(&app, &req)?;
    Ok(open(ops::of(&app, *division).await?.rates, CSV))
}
