//! Bookings that stand: giving a place up, and looking at one's own. Taking one: [`super::book`].

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::{
    Instant, booking,
    booking::{BookingPlace, BookingPrivacy, BookingState},
    id::{BookingId, PersonId, SlotId, TalkDayId},
    slot, talk_day,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    Set,
    sea_query::{ExprTrait, LockType},
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    places::{self, Alternative},
    round, standing, waits,
};
use crate::{
    app::App,
    auth::Villager,
    clock::local_day,
    db::Tx,
    http::{Cursor, PageQuery},
    notices::{self, About, Telling},
    people::{self, Grant, ScopeWord, Use},
    problem::{Code, Problem},
    talks::rules::{self, spoken},
};

/// A booking to be given up.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelBooking {
    /// The version that was looked at; 409 `stale` when it is another by now.
    pub(super) version: Option<i32>,
    /// Why, when one likes to say.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub(super) reason: Option<String>,
}

/// A booking with the slot and the day it belongs to.
#[derive(Clone)]
pub struct Booked {
    pub booking: booking::Model,
    pub slot: slot::Model,
    pub day: talk_day::Model,
}

/// What the person is told of a booking.
pub(super) fn telling(row: &booking::Model, slot: &slot::Model, kind: &'static str) -> Telling {
    let params = json!({"when": spoken(slot.starts_at)});
    Telling { person: row.person_id, kind, about: About::Booking(row.id), params }
}

/// A booking of somebody within reach, locked after its day, its person and the slots that are named.
pub(super) struct Held {
    pub(super) booking: booking::Model,
    pub(super) day: talk_day::Model,
    pub(super) grant: Option<Grant>,
}

/// Locks what changing a booking needs, in the order that everybody keeps: day, person, slot, booking.
pub(super) async fn hold(tx: &Tx, me: &Villager, id: BookingId, now: Instant) -> Result<Held, Problem> {
    let seen = booking::Entity::find_by_id(id).one(tx).await?;
    let (seen, grant) = reach(tx, me, seen, local_day(now)).await?;
    let day = round::lock_day(tx, seen.talk_day_id).await?;
    standing::lock_people(tx, [seen.person_id].into(), now).await?;
    places::lock_one(tx, seen.slot_id).await?;
    Ok(Held { booking: locked(tx, &seen).await?, day, grant })
}

/// A booking as it is by now, locked; its slot was locked before.
pub(super) async fn locked(tx: &Tx, seen: &booking::Model) -> Result<booking::Model, Problem> {
    let booking = booking::Entity::find_by_id(seen.id).lock(LockType::NoKeyUpdate).one(tx).await?;
    let booking = booking.filter(|row| row.slot_id == seen.slot_id);
    // Moved between the look and the lock: from the beginning.
    booking.ok_or_else(|| Problem::try_again("a booking was moved meanwhile"))
}

/// Gives a place up; who waits for it is offered it first.
pub async fn cancel(
    tx: &Tx,
    app: &App,
    me: &Villager,
    id: BookingId,
    body: &CancelBooking,
    now: Instant,
) -> Result<Booked, Problem> {
    let Held { booking, day, grant } = hold(tx, me, id, now).await?;
    rules::cancellable(&booking, &day, now)?;
    check_version(&booking, body.version)?;
    let booking = lose(tx, booking, body.reason.clone(), now).await?;
    let slot = give_back(tx, &day, &booking, now).await?;
    notices::tell(tx, vec![telling(&booking, &slot, "booking_cancelled")], now).await?;
    note_use(tx, app, grant.as_ref(), "cancel_booking", Some(booking.id), now).await?;
    Ok(Booked { booking, slot, day })
}

/// Marks a booking cancelled; its place is given back by [`give_back`].
pub(super) async fn lose(
    tx: &Tx,
    row: booking::Model,
    reason: Option<String>,
    now: Instant,
) -> Result<booking::Model, Problem> {
    let version = row.version + 1;
    let mut row = row.into_active_model();
    row.state = Set(BookingState::Cancelled);
    row.live = Set(false);
    row.cancel_reason = Set(reason);
    row.changed_at = Set(Some(now));
    row.version = Set(version);
    Ok(row.update(tx).await?)
}

/// Gives the place of a booking back to where it came from; who waits is offered it.
pub(super) async fn give_back(
    tx: &Tx,
    day: &talk_day::Model,
    booking: &booking::Model,
    now: Instant,
) -> Result<slot::Model, Problem> {
    match booking.place {
        BookingPlace::Public => waits::give_back(tx, day, booking.slot_id, 1, now).await,
        BookingPlace::Reserve => places::take_reserved(tx, booking.slot_id, -1).await,
        BookingPlace::Line => places::lock_one(tx, booking.slot_id).await,
    }
}

pub(super) fn check_version(row: &booking::Model, looked_at: Option<i32>) -> Result<(), Problem> {
    if looked_at.is_some_and(|version| version != row.version) { Err(Code::Stale.into()) } else { Ok(()) }
}

/// Writes down what an agent did, if one did it.
pub(super) async fn note_use(
    tx: &Tx,
    app: &App,
    grant: Option<&Grant>,
    action: &'static str,
    booking: Option<BookingId>,
    now: Instant,
) -> Result<(), Problem> {
    match grant {
        Some(grant) => people::used(tx, app, grant, Use { action, case: None, booking }, now).await,
        None => Ok(()),
    }
}

/// The booking, when it is the caller's or that of somebody who let them see to talk days; else 404. A private one is
/// seen by the agent who booked it and by no other: what it is about was not told to them.
pub(super) async fn reach(
    db: &impl ConnectionTrait,
    me: &Villager,
    row: Option<booking::Model>,
    today: NaiveDate,
) -> Result<(booking::Model, Option<Grant>), Problem> {
    let row = row.ok_or_else(Problem::not_found)?;
    let grant = reach_person(db, me, row.person_id, today).await.map_err(|problem| match problem.code() {
        Code::NoAuthorisation => Problem::not_found(),
        _ => problem,
    })?;
    let private = row.privacy == BookingPrivacy::Private;
    if grant.is_some() && private && row.agent_id != Some(me.person()) {
        return Err(Problem::not_found());
    }
    Ok((row, grant))
}

/// The authorisation by which the caller sees to somebody's talk days; none is needed for oneself.
///
/// # Errors
/// `no_authorisation`.
pub(super) async fn reach_person(
    db: &impl ConnectionTrait,
    me: &Villager,
    person: PersonId,
    today: NaiveDate,
) -> Result<Option<Grant>, Problem> {
    if person == me.person() {
        return Ok(None);
    }
    people::authority(db, me, person, &ScopeWord::Talk, today).await.map(Some)
}

/// Bookings of oneself, or of somebody who let the caller see to talk days, of these the private ones that the caller
/// booked; newest first, at most a page and one.
///
/// # Errors
/// `no_authorisation`.
pub async fn list(
    app: &App,
    me: &Villager,
    for_person: Option<PersonId>,
    page: &PageQuery,
) -> Result<Vec<Booked>, Problem> {
    let person = for_person.unwrap_or(me.person());
    let grant = reach_person(app.db.read(), me, person, local_day(app.clock.now())).await?;
    let mut query = booking::Entity::find().filter(booking::COLUMN.person_id.eq(person));
    if grant.is_some() {
        let public = booking::COLUMN.privacy.eq(BookingPrivacy::Public);
        query = query.filter(public.or(booking::COLUMN.agent_id.eq(me.person())));
    }
    if let Some(before) = Cursor::read::<BookingId>(page.cursor.as_deref())? {
        query = query.filter(booking::COLUMN.id.lt(before));
    }
    let rows = query.order_by_desc(booking::Column::Id).limit(page.size() + 1).all(app.db.read()).await?;
    complete(app.db.read(), rows).await
}

/// One booking within reach, or 404.
pub async fn find(app: &App, me: &Villager, id: BookingId) -> Result<Booked, Problem> {
    let row = booking::Entity::find_by_id(id).one(app.db.read()).await?;
    let (row, _) = reach(app.db.read(), me, row, local_day(app.clock.now())).await?;
    complete(app.db.read(), vec![row]).await?.pop().ok_or_else(Problem::not_found)
}

/// Places that may be had instead of one that was lost with its day or its host.
pub async fn alternatives(app: &App, lost: &Booked) -> Result<Vec<Alternative>, Problem> {
    match rules::rebookable(&lost.booking) {
        Ok(()) => {
            let (db, now) = (app.db.read(), app.clock.now());
            let near = places::instead_of(db, &lost.booking, &lost.slot, &lost.day, now).await?;
            Ok(near.into_iter().map(Alternative::from).collect())
        }
        Err(_) => Ok(vec![]),
    }
}

/// Bookings with their slots and days, read in one go each.
async fn complete(db: &impl ConnectionTrait, rows: Vec<booking::Model>) -> Result<Vec<Booked>, Problem> {
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let slots = slot::Entity::find().filter(slot::COLUMN.id.is_in(rows.iter().map(|row| row.slot_id))).all(db).await?;
    let days = talk_day::Entity::find().filter(talk_day::COLUMN.id.is_in(rows.iter().map(|row| row.talk_day_id)));
    let slots: BTreeMap<SlotId, slot::Model> = slots.into_iter().map(|slot| (slot.id, slot)).collect();
    let days: BTreeMap<TalkDayId, talk_day::Model> = days.all(db).await?.into_iter().map(|day| (day.id, day)).collect();
    let lost = || Problem::unexpected("a booking without its slot or day");
    rows.into_iter()
        .map(|booking| {
            let slot = slots.get(&booking.slot_id).cloned().ok_or_else(lost)?;
            let day = days.get(&booking.talk_day_id).cloned().ok_or_else(lost)?;
            Ok(Booked { booking, slot, day })
        })
        .collect()
}
