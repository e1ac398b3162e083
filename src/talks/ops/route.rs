//! The way of a day's home visits: in which order the host goes, and where to.

use std::collections::BTreeSet;

use entity::{
    Instant, booking,
    booking::BookingState,
    id::{BookingId, SlotId, TalkDayId},
    person, slot, talk_day,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, LockType},
};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{call, line, places, step, turns};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Staff, duty::SeeTalkLine},
    db::{Tx, padded},
    personal::{PersonName, PhoneNumber, PrivateText},
    problem::{FieldFault, Problem},
    talks::bodies::TalkMode,
};

/// The order of a day's home visits.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderRoute {
    /// Every booking of the day that is to be visited, once each.
    #[validate(length(max = 500))]
    #[schema(max_items = 500)]
    bookings: Vec<BookingId>,
}

/// One visit.
pub struct Visit {
    pub booking: booking::Model,
    pub starts_at: Instant,
    /// Masked.
    pub name: Option<PersonName>,
    /// Masked.
    pub phone: Option<PhoneNumber>,
    /// For the host alone.
    pub address: Option<PrivateText>,
}

/// Puts the visits in order.
///
/// # Errors
/// `not_found`; `invalid` when one is missing, there twice, or no visit of the day.
pub async fn order(
    tx: &Tx,
    app: &App,
    staff: &Staff<SeeTalkLine>,
    id: TalkDayId,
    body: &OrderRoute,
) -> Result<Vec<Visit>, Problem> {
    let (day, hosting) = call::lock_day(tx, staff, id).await?;
    let known: BTreeSet<BookingId> =
        visits(id).select_only().column(booking::Column::Id).into_tuple().all(tx).await?.into_iter().collect();
    check(&body.bookings, &known)?;
    let locked =
        booking::Entity::find().filter(booking::COLUMN.id.is_in(padded(known))).order_by_asc(booking::Column::Id);
    locked.lock(LockType::NoKeyUpdate).all(tx).await?;
    for (booking, turn) in body.bookings.iter().zip(1_i32..) {
        booking::Entity::update_many()
            .col_expr(booking::Column::RouteOrder, Expr::val(turn))
            .col_expr(booking::Column::Version, Expr::col(booking::Column::Version).add(1))
            .filter(booking::COLUMN.id.eq(*booking))
            .exec(tx)
            .await?;
    }
    step::moved(tx, &day).await?;
    read(tx, app, id, hosting).await
}

fn check(wanted: &[BookingId], known: &BTreeSet<BookingId>) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    let fault = |at: usize, code: &str| FieldFault::new(format!("/bookings/{at}"), code);
    let mut faults: Vec<FieldFault> = Vec::new();
    for (at, id) in wanted.iter().enumerate() {
        if !known.contains(id) {
            faults.push(fault(at, "unknown"));
        } else if !seen.insert(*id) {
            faults.push(fault(at, "duplicate"));
        }
    }
    if faults.is_empty() && seen.len() < known.len() {
        faults.push(FieldFault::new("/bookings", "incomplete"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Problem::invalid(faults)) }
}

/// The visits of a day, in order; who was not put in order comes last, by their slot.
///
/// Where addresses are shown it is entered in the audit.
pub async fn list(app: &App, staff: &Staff<SeeTalkLine>, id: TalkDayId) -> Result<Vec<Visit>, Problem> {
    let day = talk_day::Entity::find_by_id(id).one(app.db.read()).await?.ok_or_else(Problem::not_found)?;
    let hosting = line::hosting(app.db.read(), staff, &day).await?;
    let visits = read(app.db.read(), app, id, hosting).await?;
    if visits.iter().any(|visit| visit.address.is_some()) {
        let entry = Entry::done("read_route", "talk_day", id).of_fields("address");
        audit::note(app, &Actor::staff(staff), entry).await?;
    }
    Ok(visits)
}

/// Everybody who is to be visited on a day; who was not at home stays on the list.
fn visits(day: TalkDayId) -> sea_orm::Select<booking::Entity> {
    booking::Entity::find()
        .filter(booking::COLUMN.talk_day_id.eq(day))
        .filter(places::live())
        .filter(booking::COLUMN.mode.eq(TalkMode::HomeVisit.slug()))
        .filter(booking::COLUMN.state.ne(BookingState::Cancelled))
}

async fn read(db: &impl ConnectionTrait, app: &App, day: TalkDayId, hosting: bool) -> Result<Vec<Visit>, Problem> {
    let rows = visits(day).all(db).await?;
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let slots = turns::slots(db, day).await?;
    let people = person::Entity::find().filter(person::COLUMN.id.is_in(padded(rows.iter().map(|row| row.person_id))));
    let people = people.all(db).await?;
    let starts = |id: SlotId| slots.iter().find(|slot: &&slot::Model| slot.id == id).map(|slot| slot.starts_at);
    let mut visits = Vec::with_capacity(rows.len());
    for booking in rows {
        let person = people.iter().find(|person| person.id == booking.person_id);
        let address = booking.address.as_ref().filter(|_| hosting);
        visits.push(Visit {
            starts_at: starts(booking.slot_id).ok_or_else(|| Problem::unexpected("a booking of no slot"))?,
            name: app.field_keys.open_if(person.and_then(|person| person.name.as_ref()))?,
            phone: app.field_keys.open_if(person.and_then(|person| person.phone.as_ref()))?,
            address: app.field_keys.open_if(address)?,
            booking,
        });
    }
    visits.sort_by_key(|visit| {
        let order = visit.booking.route_order;
        (order.is_none(), order, visit.starts_at, visit.booking.number_in_line)
    });
    Ok(visits)
}
