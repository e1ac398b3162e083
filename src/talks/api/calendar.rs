//! Calendars to take along: `/bookings/{id}/calendar.ics`, `/divisions/{division}/calendar.ics`

use actix_web::{Responder, get, web::Data, web::Path};
use entity::id::{BookingId, DivisionId};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    app::App,
    auth::Villager,
    http::SingleText,
    problem::{Language, Problem},
    talks::ops::calendar,
};

/// RFC 5545, 8.1.
const ICALENDAR: &str = "text/calendar; charset=utf-8";

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config.service(get_booking_calendar).service(get_division_calendar);
}

/// One's own booking as iCalendar, to put into the phone.
///
/// `METHOD:PUBLISH`, and `METHOD:CANCEL` once it is cancelled; `SEQUENCE` grows with every change. It says nothing of
/// what one comes to say.
#[utoipa::path(
    tag = "talks", params(("id" = BookingId, Path)),
    responses(
        (status = 200, body = String, content_type = "text/calendar", description = "iCalendar (RFC 5545)"),
        (status = 304, description = "Not changed")
    )
)]
#[get("/bookings/{id}/calendar.ics")]
pub async fn get_booking_calendar(
    app: Data<App>,
    language: Language,
    me: Villager,
    id: Path<BookingId>,
) -> Result<impl Responder, Problem> {
    Ok(SingleText { text: calendar::of_booking(&app, &me, *id, language).await?, content_type: ICALENDAR })
}

/// The talk days of a place as iCalendar, to subscribe to: four weeks back, twelve ahead.
///
/// Days that are called off stay, as `STATUS:CANCELLED`. Bookings are never in it.
#[utoipa::path(
    tag = "talks", security(()), params(("division" = DivisionId, Path)),
    responses(
        (status = 200, body = String, content_type = "text/calendar", description = "iCalendar (RFC 5545)"),
        (status = 304, description = "Not changed")
    )
)]
#[get("/divisions/{division}/calendar.ics")]
pub async fn get_division_calendar(
    app: Data<App>,
    language: Language,
    division: Path<DivisionId>,
) -> Result<impl Responder, Problem> {
    Ok(SingleText { text: calendar::of_division(&app, *division, language).await?, content_type: ICALENDAR })
}
