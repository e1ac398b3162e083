//! Matters that were heard: concluding them, their records, and the villager's own.

use actix_web::{HttpResponse, Responder, get, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, Utc};
use entity::{
    booking::{BookingOutcome, BookingState},
    id::{BookingId, CaseId, CouncilMatterId},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    app::App,
    auth::{Staff, Villager, duty::SeeTalkLine},
    db::Tx,
    files::FileView,
    http::{Command, Page, Single, json},
    problem::Problem,
    talks::ops::{
        bookings,
        conclude::{self, ConcludeBooking, Concluded},
        records::{self, Clear, CorrectRecord},
        step::{self, Acting},
    },
};

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config.service(conclude_booking).service(correct_record).service(list_records).service(get_record);
}

/// A matter, concluded.
#[derive(Serialize, ToSchema)]
pub struct ConcludedView {
    booking: BookingId,
    state: BookingState,
    outcome: Option<BookingOutcome>,
    version: i32,
    /// Of the record.
    revision: i32,
    /// With outcome `case`; null where it complains about staff: it is confidential then, and the villager alone has the
    /// number.
    case: Option<CaseId>,
    /// Its number, for the receipt; likewise.
    case_number: Option<String>,
    /// With outcome `council`.
    council_matter: Option<CouncilMatterId>,
}

impl From<Concluded> for ConcludedView {
    fn from(Concluded { booking, record, case, council_matter }: Concluded) -> Self {
        let case = case.filter(|case| !case.confidential);
        Self {
            booking: booking.id,
            state: booking.state,
            outcome: booking.outcome,
            version: booking.version,
            revision: record.revision,
            case: case.as_ref().map(|case| case.id),
            case_number: case.map(|case| case.number),
            council_matter,
        }
    }
}

/// A record of a matter, or a correction of one.
#[derive(Serialize, ToSchema)]
pub struct TalkRecordView {
    /// From 1; the last one holds.
    revision: i32,
    text: String,
    /// What may be published of it.
    public_text: Option<String>,
    /// Of a correction: why.
    reason: Option<String>,
    /// Who wrote it.
    by: Option<String>,
    /// As it was spoken; left out where it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    voice: Option<FileView>,
    at: DateTime<Utc>,
}

impl From<Clear> for TalkRecordView {
    fn from(Clear { row, text, public_text, reason, by, voice }: Clear) -> Self {
        Self { revision: row.revision, text, public_text, reason, by, voice, at: row.at }
    }
}

/// What was said and answered in one's own matter.
#[derive(Serialize, ToSchema)]
pub struct OwnRecordView {
    booking: BookingId,
    outcome: Option<BookingOutcome>,
    /// With outcome `case`.
    case: Option<CaseId>,
    /// The record that holds.
    record: TalkRecordView,
}

/// Writes down what was said and says what becomes of it. A private matter is concluded by a host.
#[utoipa::path(
    tag = "staff", params(("id" = BookingId, Path)), request_body = ConcludeBooking,
    responses((status = 200, body = ConcludedView))
)]
#[post("/staff/bookings/{id}/conclude")]
pub async fn conclude_booking(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<BookingId>,
    command: Command<ConcludeBooking>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (app.clone(), staff.caller());
    let acting = Acting::call(staff.id(), command.client_time, app.clock.now());
    let conclude = async move |tx: &Tx, body: &ConcludeBooking| {
        let open = step::open(tx, &staff, *id).await?;
        Ok(ConcludedView::from(conclude::conclude(tx, &shared, &staff, &acting, open, body).await?))
    };
    command.once(&app, caller, StatusCode::OK, conclude).await
}

/// Adds a corrected record; what was written before stays.
#[utoipa::path(
    tag = "staff", params(("id" = BookingId, Path)), request_body = CorrectRecord,
    responses((status = 201, body = TalkRecordView))
)]
#[post("/staff/bookings/{id}/records")]
pub async fn correct_record(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<BookingId>,
    command: Command<CorrectRecord>,
) -> Result<HttpResponse, Problem> {
    let (shared, caller, now) = (app.clone(), staff.caller(), app.clock.now());
    let correct = async move |tx: &Tx, body: &CorrectRecord| {
        let row = records::correct(tx, &shared, &staff, *id, body, now).await?;
        let clear = records::clear(&shared, tx, vec![row]).await?.pop();
        clear.map(TalkRecordView::from).ok_or_else(|| Problem::unexpected("a record that was written is not there"))
    };
    command.once(&app, caller, StatusCode::CREATED, correct).await
}

/// The record of a matter with its corrections, oldest first. Reading is entered in the audit.
#[utoipa::path(
    tag = "staff", params(("id" = BookingId, Path)), responses((status = 200, body = Page<TalkRecordView>))
)]
#[get("/staff/bookings/{id}/records")]
pub async fn list_records(
    app: Data<App>,
    staff: Staff<SeeTalkLine>,
    id: Path<BookingId>,
) -> Result<HttpResponse, Problem> {
    let rows = records::list(&app, &staff, *id).await?;
    json(&Page::whole(rows.into_iter().map(TalkRecordView::from).collect()))
}

/// What was said and answered in one's own matter, as it holds now.
#[utoipa::path(
    tag = "talks", params(("id" = BookingId, Path)),
    responses((status = 200, body = OwnRecordView), (status = 304, description = "Not changed"))
)]
#[get("/bookings/{id}/record")]
pub async fn get_record(app: Data<App>, me: Villager, id: Path<BookingId>) -> Result<impl Responder, Problem> {
    let booking = bookings::find(&app, &me, *id).await?.booking;
    let row = records::of_heard(app.db.read(), &booking).await?.ok_or_else(Problem::not_found)?;
    let clear = records::clear(&app, app.db.read(), vec![row]).await?.pop().ok_or_else(Problem::not_found)?;
    Ok(Single(OwnRecordView {
        booking: booking.id,
        outcome: booking.outcome,
        case: booking.case_id,
        record: clear.into(),
    }))
}
