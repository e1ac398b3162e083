//! Bookings that stand: giving a place up, and looking at one's own. Taking one: [`super::book`].

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::{
    Instant, booking,
    booking::BookingState,
    id::{BookingId, PersonId, SlotId, TalkDayId},
    slot, talk_day,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    Set, sea_query::LockType,
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;

use super::places;
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
    version: Option<i32>,
    /// Why, when one likes to say.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    reason: Option<String>,
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

/// Gives a place up; another person may have it at once.
pub async fn cancel(
    tx: &Tx,
    app: &App,
    me: &Villager,
    id: BookingId,
    body: &CancelBooking,
    now: Instant,
) -> Result<Booked, Problem> {
    let row = booking::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(tx).await?;
    let (row, grant) = reach(tx, me, row, local_day(now)).await?;
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
    row.changed_at = Set(Some(now));
    row.version = Set(version);
    let booking = row.update(tx).await?;
    let slot = places::give_back(tx, slot, 1).await?;
    notices::tell(tx, vec![telling(&booking, &slot, "booking_cancelled")], now).await?;
    if let Some(grant) = grant {
        let what = Use { action: "cancel_booking", case: None, booking: Some(booking.id) };
        people::used(tx, app, &grant, what, now).await?;
    }
    Ok(Booked { booking, slot, day })
}

/// The booking, when it is the caller's or that of somebody who let them see to talk days; else 404.
async fn reach(
    db: &impl ConnectionTrait,
    me: &Villager,
    row: Option<booking::Model>,
    today: NaiveDate,
) -> Result<(booking::Model, Option<Grant>), Problem> {
    let row = row.ok_or_else(Problem::not_found)?;
    if row.person_id == me.person() {
        return Ok((row, None));
    }
    let grant = people::authority(db, me, row.person_id, &ScopeWord::Talk, today).await;
    grant.map(|grant| (row, Some(grant))).map_err(|problem| match problem.code() {
        Code::NoAuthorisation => Problem::not_found(),
        _ => problem,
    })
}

/// Bookings of oneself, or of somebody who let the caller see to talk days; newest first, at most a page and one.
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
    if person != me.person() {
        let today = local_day(app.clock.now());
        people::authority(app.db.read(), me, person, &ScopeWord::Talk, today).await?;
    }
    let mut query = booking::Entity::find().filter(booking::COLUMN.person_id.eq(person));
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
