//! Bookings: taking a place, giving it up, and looking at one's own.
//!
//! A place is one transaction: the day is held in share (it cannot be called off meanwhile), the person is locked (so
//! that the count of open bookings is true), the slot's counter moves only while it is below its limit, and the row
//! goes in under partial unique indexes. `SQLite` has one writer, there the locks vanish. All of it or nothing.

use std::collections::BTreeMap;

use entity::{
    Instant, booking,
    booking::{BookingPrivacy, BookingState},
    id::{BookingId, PersonId, SlotId, TalkDayId},
    person, slot, talk_day,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, JoinType, QueryFilter, QueryOrder,
    QuerySelect, Set, sea_query::LockType,
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;

use super::places;
use crate::{
    app::App,
    auth::Villager,
    db::{self, Tx},
    http::{Cursor, PageQuery},
    lists,
    notices::{self, About},
    problem::{Code, Problem},
    talks::{
        bodies::TalkMode,
        rules::{self, spoken},
        terms,
    },
};

/// A place that is wanted.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookSlot {
    /// A code of the list `topics`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    topic: String,
    /// What it is about, in the villager's words.
    #[validate(length(min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    summary: String,
    /// A private matter is shown to nobody but the person and the host.
    privacy: BookingPrivacy,
    /// How; the usual one of the day when it is not said.
    mode: Option<TalkMode>,
}

/// A booking to be given up.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelBooking {
    /// The version that was looked at; 409 `stale` when it is another by now.
    version: Option<i32>,
    /// Why, when one likes to say.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// A booking with the slot and the day it belongs to.
pub struct Booked {
    pub booking: booking::Model,
    pub slot: slot::Model,
    pub day: talk_day::Model,
}

/// Takes a place in a slot.
pub async fn book(
    tx: &Tx,
    me: &Villager,
    slot: SlotId,
    wish: &BookSlot,
    client_time: Option<Instant>,
    now: Instant,
) -> Result<Booked, Problem> {
    let wanted = slot::Entity::find_by_id(slot).one(tx).await?.ok_or_else(Problem::not_found)?;
    let day = talk_day::Entity::find_by_id(wanted.talk_day_id).lock_shared().one(tx).await?;
    let day = day.ok_or_else(Problem::not_found)?;
    let mode = check(wish, &day)?;
    let held = held_by(tx, me.person(), now).await?;
    // Before all other refusals: who is in never hears that it is too late or full.
    if held.contains(&day.id) {
        return Err(Code::AlreadyBooked.into());
    }
    rules::bookable(&day, now)?;
    rules::has_room(&held)?;
    let Some(slot) = places::take(tx, slot).await? else {
        return Err(places::full(tx, &wanted, &day, held, now).await?);
    };
    let booking = booking::Model {
        id: BookingId::fresh(),
        code: rules::fresh_code(),
        slot_id: slot.id,
        talk_day_id: day.id,
        person_id: me.person(),
        state: BookingState::Booked,
        live: true,
        number_in_line: places::number(tx, &slot).await?,
        topic: wish.topic.clone(),
        summary: wish.summary.trim().to_owned(),
        privacy: wish.privacy,
        mode: mode.slug().to_owned(),
        cancel_reason: None,
        version: 1,
        created_at: now,
        client_time,
    };
    // Only the code can clash: everything else was settled under the locks.
    let row = booking.clone().into_active_model();
    booking::Entity::insert(row).exec_without_returning(tx).await.map_err(db::again_on_unique)?;
    tell(tx, &booking, &slot, "booked", now).await?;
    Ok(Booked { booking, slot, day })
}

/// What of the wish does not need the database beyond its day; the mode it comes to.
fn check(wish: &BookSlot, day: &talk_day::Model) -> Result<TalkMode, Problem> {
    if !lists::knows("topics", &wish.topic) {
        return Err(Problem::field("/topic", "unknown"));
    }
    if wish.summary.trim().is_empty() {
        return Err(Problem::field("/summary", "empty"));
    }
    let modes = terms::modes_of(day)?;
    match wish.mode {
        None => modes.first().copied().ok_or_else(|| Problem::unexpected("a talk day without a mode")),
        Some(mode) if modes.contains(&mode) => Ok(mode),
        Some(_) => Err(Problem::field("/mode", "not_offered")),
    }
}

/// Days that have not ended on which the person has a place. Locks the person: two of their calls count one by one.
async fn held_by(tx: &Tx, person: PersonId, now: Instant) -> Result<Vec<TalkDayId>, Problem> {
    // Weaker than FOR UPDATE, so that rows which only refer to the person need not wait.
    let me = person::Entity::find_by_id(person).select_only().column(person::Column::Id).lock(LockType::NoKeyUpdate);
    me.into_tuple::<PersonId>().one(tx).await?.ok_or_else(Problem::not_found)?;
    let day =
        booking::Entity::belongs_to(talk_day::Entity).from(booking::Column::TalkDayId).to(talk_day::Column::Id).into();
    let held = booking::Entity::find()
        .select_only()
        .column(booking::Column::TalkDayId)
        .join(JoinType::InnerJoin, day)
        .filter(booking::COLUMN.person_id.eq(person))
        .filter(booking::COLUMN.live.eq(true))
        .filter(talk_day::COLUMN.ends_at.gt(now));
    Ok(held.into_tuple().all(tx).await?)
}

async fn tell(tx: &Tx, row: &booking::Model, slot: &slot::Model, kind: &str, now: Instant) -> Result<(), Problem> {
    let when = json!({"when": spoken(slot.starts_at)});
    notices::tell(tx, row.person_id, kind, About::Booking(row.id), when, now).await
}

/// Gives a place up; another person may have it at once.
pub async fn cancel(
    tx: &Tx,
    me: &Villager,
    id: BookingId,
    body: &CancelBooking,
    now: Instant,
) -> Result<Booked, Problem> {
    let mine = booking::Entity::find_by_id(id).filter(booking::COLUMN.person_id.eq(me.person()));
    let row = mine.lock(LockType::NoKeyUpdate).one(tx).await?.ok_or_else(Problem::not_found)?;
    let day = talk_day::Entity::find_by_id(row.talk_day_id).one(tx).await?.ok_or_else(Problem::not_found)?;
    rules::cancellable(&row, &day, now)?;
    if body.version.is_some_and(|version| version != row.version) {
        return Err(Code::Stale.into());
    }
    let (slot, version) = (row.slot_id, row.version + 1);
    let mut row = row.into_active_model();
    row.state = Set(BookingState::Cancelled);
    row.live = Set(false);
    row.cancel_reason = Set(body.reason.clone());
    row.version = Set(version);
    let booking = row.update(tx).await?;
    let slot = places::give_back(tx, slot, 1).await?;
    tell(tx, &booking, &slot, "booking_cancelled", now).await?;
    Ok(Booked { booking, slot, day })
}

/// One's own bookings, newest first, at most a page and one.
pub async fn list(app: &App, me: &Villager, page: &PageQuery) -> Result<Vec<Booked>, Problem> {
    let mut query = booking::Entity::find().filter(booking::COLUMN.person_id.eq(me.person()));
    if let Some(before) = Cursor::read::<BookingId>(page.cursor.as_deref())? {
        query = query.filter(booking::COLUMN.id.lt(before));
    }
    let rows = query.order_by_desc(booking::Column::Id).limit(page.size() + 1).all(app.db.read()).await?;
    complete(app.db.read(), rows).await
}

/// One's own booking, or 404.
pub async fn find(app: &App, me: &Villager, id: BookingId) -> Result<Booked, Problem> {
    let mine = booking::Entity::find_by_id(id).filter(booking::COLUMN.person_id.eq(me.person()));
    let row = mine.one(app.db.read()).await?.ok_or_else(Problem::not_found)?;
    complete(app.db.read(), vec![row]).await?.pop().ok_or_else(Problem::not_found)
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
