//! For villagers: `/slots/{slot}/bookings`, `/slots/{slot}/household-bookings`, `/bookings`

use actix_web::{HttpResponse, Responder, get, http::StatusCode, post, web::Data, web::Path};
use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    Instant,
    booking::{BookingOutcome, BookingPrivacy, BookingState, MissedObjection},
    file::FileThing,
    id::{BookingId, CaseId, DivisionId, PartyId, PersonId, SlotId, TalkDayId},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{
    app::App,
    auth::Villager,
    db::{Db, Tx},
    files::{self, FileView},
    http::{Command, Lane, ListQuery, Page, PageQuery, Single, json},
    problem::Problem,
    talks::{
        ops::{
            book::{self, BookSlot, Wish},
            bookings::{self, Booked, CancelBooking},
            household::{self, BookTogether},
            missed::{self, ObjectToMissed},
            move_booking::{self as moving, MoveBooking},
            places::Alternative,
            rebook::{self, Rebook},
        },
        rules,
    },
};

pub(in crate::talks) fn routes(config: &mut ServiceConfig) {
    config
        .service(book_slot)
        .service(book_household)
        .service(list_bookings)
        .service(get_booking)
        .service(cancel_booking)
        .service(move_booking)
        .service(rebook_booking)
        .service(object_to_missed);
}

/// One's own booking.
#[derive(Serialize, ToSchema)]
pub struct BookingView {
    id: BookingId,
    /// To be said or shown at the door.
    #[schema(example = "K7M4XA")]
    code: String,
    state: BookingState,
    slot: SlotId,
    talk_day: TalkDayId,
    division: DivisionId,
    date: NaiveDate,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    place: String,
    number_in_line: i32,
    topic: String,
    summary: String,
    privacy: BookingPrivacy,
    #[schema(example = "in_person")]
    mode: String,
    /// Where to meet, when it is by video: from half an hour before the slot to the end of its day.
    video_url: Option<String>,
    /// Bookings of a household that were taken together bear the same.
    party: Option<PartyId>,
    /// An objection to being counted as missed.
    objection: Option<MissedObjection>,
    /// `day_cancelled`, `host_left`, or what the person said.
    cancel_reason: Option<String>,
    /// What became of it on the day.
    outcome: Option<BookingOutcome>,
    /// The case it became.
    case: Option<CaseId>,
    version: i32,
    /// Somebody whom the person let act took it.
    by_agent: bool,
    created_at: DateTime<Utc>,
    /// What one may do with it now.
    #[schema(example = json!(["cancel", "move"]))]
    actions: Vec<&'static str>,
    /// Files that came with it. Left out in a list and in the answer to a change.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<FileView>>,
    /// Free places near one that was lost with its day or its host.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    alternatives: Vec<Alternative>,
}

impl BookingView {
    fn of(Booked { booking, slot, day }: Booked, now: Instant) -> Self {
        Self {
            actions: rules::actions(&booking, &day, now),
            video_url: day.video_url.clone().filter(|_| rules::may_meet(&booking, &slot, &day, now)),
            id: booking.id,
            code: booking.code,
            state: booking.state,
            slot: slot.id,
            talk_day: day.id,
            division: day.division_id,
            date: day.on_date,
            starts_at: slot.starts_at,
            ends_at: slot.ends_at,
            place: day.place,
            number_in_line: booking.number_in_line,
            topic: booking.topic,
            summary: booking.summary,
            privacy: booking.privacy,
            mode: booking.mode,
            party: booking.party_id,
            objection: booking.objection,
            cancel_reason: booking.cancel_reason,
            outcome: booking.outcome,
            case: booking.case_id,
            version: booking.version,
            by_agent: booking.agent_id.is_some(),
            created_at: booking.created_at,
            files: None,
            alternatives: vec![],
        }
    }
}

/// Bookings of people who come together.
#[derive(Serialize, ToSchema)]
pub struct HouseholdBookingView {
    party: Option<PartyId>,
    /// In the order in which the people were named.
    items: Vec<BookingView>,
}

/// Takes a place in a slot.
///
/// 409 `slot_full` carries `alternatives`: up to five free slots near it, `{slot, talk_day, starts_at, ends_at, free}`.
#[utoipa::path(
    tag = "talks", params(("slot" = SlotId, Path)), request_body = BookSlot,
    responses((status = 201, body = BookingView))
)]
#[post("/slots/{slot}/bookings")]
pub async fn book_slot(
    app: Data<App>,
    me: Villager,
    slot: Path<SlotId>,
    command: Command<BookSlot>,
) -> Result<HttpResponse, Problem> {
    let (now, client_time, caller) = (app.clock.now(), command.client_time, me.caller());
    let shared = app.clone().into_inner();
    let wish = |body| Wish { app: shared, me, slot: *slot, body, client_time, now };
    command.once_in(&app, &app.bookings, caller, StatusCode::CREATED, wish).await
}

/// The lane of [`book_slot`]: whoever wants a place at the same moment is decided on together.
#[must_use]
pub fn lane(db: &Db) -> Lane<Wish> {
    Lane::open(db, async |tx: &Tx, wishes: &[&Wish]| {
        let booked = book::book(tx, wishes).await?;
        let mut views = Vec::with_capacity(wishes.len());
        for (wish, booked) in wishes.iter().zip(booked) {
            views.push(match booked {
                Ok(booked) => {
                    let id = booked.booking.id.0;
                    // Where it came without files, nobody looks for them.
                    let files = match wish.files().as_slice() {
                        [] => vec![],
                        _ => files::views_of(tx, FileThing::Booking, id).await?,
                    };
                    Ok(BookingView { files: Some(files), ..BookingView::of(booked, wish.now) })
                }
                Err(problem) => Err(problem),
            });
        }
        Ok(views)
    })
}

/// `?for_person=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListBookings {
    /// Of somebody who let the caller act.
    for_person: Option<PersonId>,
}

/// One's own bookings, newest first.
#[utoipa::path(tag = "talks", params(ListBookings, PageQuery), responses((status = 200, body = Page<BookingView>)))]
#[get("/bookings")]
pub async fn list_bookings(
    app: Data<App>,
    me: Villager,
    query: ListQuery<ListBookings>,
) -> Result<HttpResponse, Problem> {
    let ListQuery { by, page } = query;
    let (now, rows) = (app.clock.now(), bookings::list(&app, &me, by.for_person, &page).await?);
    json(&Page::cut(rows, page.size(), |row| row.booking.id, |row| BookingView::of(row, now))?)
}

/// One's own booking.
#[utoipa::path(
    tag = "talks", params(("id" = BookingId, Path)),
    responses((status = 200, body = BookingView), (status = 304, description = "Not changed"))
)]
#[get("/bookings/{id}")]
pub async fn get_booking(app: Data<App>, me: Villager, id: Path<BookingId>) -> Result<impl Responder, Problem> {
    let booked = bookings::find(&app, &me, *id).await?;
    let alternatives = bookings::alternatives(&app, &booked).await?;
    let files = Some(files::views_of(app.db.read(), FileThing::Booking, id.0).await?);
    Ok(Single(BookingView { files, alternatives, ..BookingView::of(booked, app.clock.now()) }))
}

/// Takes a place for each of several people, or none at all. `errors` points at the person who could not be booked.
#[utoipa::path(
    tag = "talks", params(("slot" = SlotId, Path)), request_body = BookTogether,
    responses((status = 201, body = HouseholdBookingView))
)]
#[post("/slots/{slot}/household-bookings")]
pub async fn book_household(
    app: Data<App>,
    me: Villager,
    slot: Path<SlotId>,
    command: Command<BookTogether>,
) -> Result<HttpResponse, Problem> {
    let (now, client_time, caller) = (app.clock.now(), command.client_time, me.caller());
    let shared = app.clone().into_inner();
    let book = async move |tx: &Tx, body: &BookTogether| {
        let all = household::book_together(tx, &shared, &me, *slot, body, client_time, now).await?;
        let party = all.first().and_then(|booked| booked.booking.party_id);
        Ok(HouseholdBookingView { party, items: all.into_iter().map(|one| BookingView::of(one, now)).collect() })
    };
    command.once(&app, caller, StatusCode::CREATED, book).await
}

/// Moves a booking to another slot: the old place is given up only with the new one taken.
#[utoipa::path(
    tag = "talks", params(("id" = BookingId, Path)), request_body = MoveBooking,
    responses((status = 200, body = BookingView))
)]
#[post("/bookings/{id}/move")]
pub async fn move_booking(
    app: Data<App>,
    me: Villager,
    id: Path<BookingId>,
    command: Command<MoveBooking>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), me.caller());
    let shared = app.clone().into_inner();
    let moved = async move |tx: &Tx, body: &MoveBooking| {
        Ok(BookingView::of(moving::move_booking(tx, &shared, &me, *id, body, now).await?, now))
    };
    command.once(&app, caller, StatusCode::OK, moved).await
}

/// Takes another place for a booking that was lost with its day or its host: the named one, or the nearest.
#[utoipa::path(
    tag = "talks", params(("id" = BookingId, Path)), request_body = Option<Rebook>,
    responses((status = 201, body = BookingView))
)]
#[post("/bookings/{id}/rebook")]
pub async fn rebook_booking(
    app: Data<App>,
    me: Villager,
    id: Path<BookingId>,
    command: Command<Rebook>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), me.caller());
    let shared = app.clone().into_inner();
    let rebooked = async move |tx: &Tx, body: &Rebook| {
        Ok(BookingView::of(rebook::rebook(tx, &shared, &me, *id, body, now).await?, now))
    };
    command.once(&app, caller, StatusCode::CREATED, rebooked).await
}

/// Objects to being counted as missed, within 30 days; until the desk has settled it the day does not count.
#[utoipa::path(
    tag = "talks", params(("id" = BookingId, Path)), request_body = ObjectToMissed,
    responses((status = 200, body = BookingView))
)]
#[post("/bookings/{id}/object")]
pub async fn object_to_missed(
    app: Data<App>,
    me: Villager,
    id: Path<BookingId>,
    command: Command<ObjectToMissed>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), me.caller());
    let shared = app.clone().into_inner();
    let object = async move |tx: &Tx, body: &ObjectToMissed| {
        Ok(BookingView::of(missed::object(tx, &shared, &me, *id, body, now).await?, now))
    };
    command.once(&app, caller, StatusCode::OK, object).await
}

/// Gives a place up, as long as booking is open.
#[utoipa::path(
    tag = "talks", params(("id" = BookingId, Path)), request_body = Option<CancelBooking>,
    responses((status = 200, body = BookingView))
)]
#[post("/bookings/{id}/cancel")]
pub async fn cancel_booking(
    app: Data<App>,
    me: Villager,
    id: Path<BookingId>,
    command: Command<CancelBooking>,
) -> Result<HttpResponse, Problem> {
    let (now, caller) = (app.clock.now(), me.caller());
    let shared = app.clone().into_inner();
    let cancel = async move |tx: &Tx, body: &CancelBooking| {
        Ok(BookingView::of(bookings::cancel(tx, &shared, &me, *id, body, now).await?, now))
    };
    command.once(&app, caller, StatusCode::OK, cancel).await
}
