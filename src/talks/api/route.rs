//! For staff: the way of a day's home visits.

use actix_web::{HttpResponse, get, http::StatusCode, put, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::{
    booking::BookingState,
    id::{BookingId, TalkDayId},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    app::App,
    auth::{Staff, duty::SeeTalkLine},
    db::Tx,
    http::{Command, json},
    personal::{PersonName, Personal, PhoneNumber},
    problem::Problem,
    talks::ops::route::{self, OrderRoute, Visit},
};

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config.service(list_route).service(order_route);
}

/// One home visit.
#[derive(Serialize, ToSchema)]
pub struct VisitView {
    booking: BookingId,
    /// Its turn, from 1; null while nobody has put the visits in order.
    route_order: Option<i32>,
    starts_at: DateTime<Utc>,
    number_in_line: i32,
    state: BookingState,
    /// Masked.
    name: Option<PersonName>,
    /// Masked.
    phone: Option<PhoneNumber>,
    /// Where to; for the host alone, else null.
    address: Option<String>,
    version: i32,
}

/// The visits of a day, in order.
#[derive(Serialize, ToSchema)]
pub struct RouteView {
    items: Vec<VisitView>,
}

impl RouteView {
    fn of(visits: Vec<Visit>) -> Self {
        let view = |visit: Visit| VisitView {
            booking: visit.booking.id,
            route_order: visit.booking.route_order,
            starts_at: visit.starts_at,
            number_in_line: visit.booking.number_in_line,
            state: visit.booking.state,
            name: visit.name,
            phone: visit.phone,
            // Without it the host cannot go there.
            address: visit.address.map(|address| address.in_the_clear().to_owned()),
            version: visit.booking.version,
        };
        Self { items: visits.into_iter().map(view).collect() }
    }

    /// As an answer that may be kept: without addresses.
    fn without_addresses(visits: Vec<Visit>) -> Self {
        Self::of(visits.into_iter().map(|visit| Visit { address: None, ..visit }).collect())
    }
}

/// Whom the host visits on a day, in order. That addresses were shown is entered in the audit.
#[utoipa::path(tag = "staff", params(("id" = TalkDayId, Path)), responses((status = 200, body = RouteView)))]
#[get("/staff/talk-days/{id}/route")]
pub async fn list_route(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<TalkDayId>,
) -> Result<HttpResponse, Problem> {
    json(&RouteView::of(route::list(&app, &staff, *id).await?))
}

/// Puts a day's home visits in order: all of them, once each. Addresses are not in the answer.
#[utoipa::path(
    tag = "staff", params(("id" = TalkDayId, Path)), request_body = OrderRoute,
    responses((status = 200, body = RouteView))
)]
#[put("/staff/talk-days/{id}/route")]
pub async fn order_route(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<TalkDayId>,
    command: Command<OrderRoute>,
) -> Result<HttpResponse, Problem> {
    let caller = staff.caller();
    let shared = app.clone().into_inner();
    let order = async move |tx: &Tx, body: &OrderRoute| {
        Ok(RouteView::without_addresses(route::order(tx, &shared, &staff, *id, body).await?))
    };
    command.once(&app, caller, StatusCode::OK, order).await
}
