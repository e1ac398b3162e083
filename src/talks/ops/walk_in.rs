//! People who just come: they get a number at once, and are never sent away while the day runs.
//!
//! The places kept for them are used first, that of the hour or a later one; when none is left they wait in the line
//! without one. Numbers follow after those of all places and are given once a day, so nobody can have the same.

use std::collections::BTreeSet;

use entity::{
    Instant, booking,
    booking::{BookingChannel, BookingPlace, BookingPrivacy, BookingState},
    booking_event,
    id::{PersonId, SlotId, TalkDayId},
    person, slot, talk_day,
    talk_day::TalkDayState,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, Set,
    sea_query::{Expr, ExprTrait, LockType},
};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{call, places, step, step::Acting, turns};
use crate::{
    app::App,
    auth::{Staff, duty::SeeTalkLine},
    clock::local_day,
    db::Tx,
    lists, people,
    personal::PersonName,
    problem::{Code, Problem},
    talks::{bodies::TalkMode, fresh::Fresh, terms},
};

/// Name of the event by which somebody came into the line.
pub(super) const WALK_IN: &str = "walk_in";

/// Somebody who has come without a booking.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterWalkIn {
    /// As they say it; may be left out when `person` is given, else must be theirs.
    #[validate(length(min = 1, max = 60))]
    #[schema(min_length = 1, max_length = 60)]
    pub(super) name: Option<String>,
    /// A code of the list `topics`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub(super) topic: String,
    /// What it is about.
    #[validate(length(min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    pub(super) summary: String,
    /// A resident whom the desk knows already.
    pub(super) person: Option<PersonId>,
    /// Private when it is not said.
    pub(super) privacy: Option<BookingPrivacy>,
    /// In person when it is not said.
    pub(super) mode: Option<TalkMode>,
}

/// Enters somebody who has come; they have checked in with that.
///
/// # Errors
/// `not_found`, `invalid`, `day_cancelled`, `day_not_running`, `already_booked`.
pub async fn register(
    tx: &Tx,
    app: &App,
    staff: &Staff<SeeTalkLine>,
    id: TalkDayId,
    body: &RegisterWalkIn,
    acting: &Acting,
) -> Result<booking::Model, Problem> {
    let (day, _) = call::lock_day(tx, staff, id).await?;
    let at = call::said(acting);
    running(&day, at)?;
    let mode = check(body, &day)?;
    let person = person(tx, app, staff, body, acting.now).await?;
    let held = booking::Entity::find().filter(booking::COLUMN.talk_day_id.eq(id));
    let held = held.filter(booking::COLUMN.person_id.eq(person)).filter(places::live()).one(tx).await?;
    if held.is_some() {
        return Err(Code::AlreadyBooked.into());
    }
    let slots = turns::slots(tx, id).await?;
    let (slot, place) = place_for(tx, &slots, at).await?;
    let fresh = Fresh {
        day: id,
        slot,
        person,
        number_in_line: next_number(tx, id, &slots).await?,
        topic: body.topic.clone(),
        summary: body.summary.clone(),
        privacy: body.privacy.unwrap_or(BookingPrivacy::Private),
        mode,
        now: acting.now,
    };
    let row = booking::Model {
        state: BookingState::CheckedIn,
        place,
        channel: BookingChannel::WalkIn,
        entered_by: acting.staff,
        arrived_at: Some(at),
        client_time: acting.said_at.or(acting.client_time),
        ..fresh.row()
    };
    let row = booking::Entity::insert(row.into_active_model()).exec_with_returning(tx).await;
    // A code that was drawn before is drawn again; a number that clashes would clash again.
    let row = row.map_err(|fault| crate::db::again_on_unique_of(fault, "code"))?;
    entered(tx, &day, &row, at, acting).await?;
    let mut counted = day.clone().into_active_model();
    counted.walk_ins = Set(day.walk_ins + 1);
    counted.update(tx).await?;
    step::moved(tx, &day).await?;
    Ok(row)
}

/// A day takes people as long as it runs: on its date, until it ends.
fn running(day: &talk_day::Model, at: Instant) -> Result<(), Code> {
    match day.state {
        TalkDayState::Cancelled => Err(Code::DayCancelled),
        TalkDayState::Planned if local_day(at) == day.on_date && at < day.ends_at => Ok(()),
        TalkDayState::Planned => Err(Code::DayNotRunning),
    }
}

fn check(body: &RegisterWalkIn, day: &talk_day::Model) -> Result<TalkMode, Problem> {
    if !lists::knows("topics", &body.topic) {
        return Err(Problem::field("/topic", "unknown"));
    }
    if body.summary.trim().is_empty() {
        return Err(Problem::field("/summary", "empty"));
    }
    match body.mode {
        // Whoever stands there can be heard there, whatever the day offers.
        None | Some(TalkMode::InPerson) => Ok(TalkMode::InPerson),
        Some(mode) if terms::modes_of(day)?.contains(&mode) => Ok(mode),
        Some(_) => Err(Problem::field("/mode", "not_offered")),
    }
}

/// The resident who is named, locked, or somebody new of whom only the name is known.
async fn person(
    tx: &Tx,
    app: &App,
    staff: &Staff<SeeTalkLine>,
    body: &RegisterWalkIn,
    now: Instant,
) -> Result<PersonId, Problem> {
    let name = body.name.as_deref().map(|name| PersonName::read(name).ok_or_else(|| Problem::field("/name", "format")));
    let name = name.transpose()?;
    let Some(id) = body.person else {
        let name = name.ok_or_else(|| Problem::field("/name", "required"))?;
        return Ok(people::register_by_name(tx, app, &name, now).await?.id);
    };
    let known = people::within_reach(tx, staff, id).await.map_err(|problem| match problem.code() {
        Code::NotFound => Problem::field("/person", "unknown"),
        _ => problem,
    })?;
    if let (Some(name), Some(hash)) = (name, &known.name_hash)
        && app.field_keys.hash_of(&name)? != *hash
    {
        return Err(Problem::field("/name", "somebody_else"));
    }
    let lock = person::Entity::find_by_id(id).select_only().column(person::Column::Id);
    lock.lock(LockType::NoKeyUpdate).into_tuple::<PersonId>().one(tx).await?;
    Ok(id)
}

/// A number after all that were ever given on the day, and after those that its slots may still give. The day is locked.
///
/// A slot can shrink, so how many places there are says nothing of the numbers that are out.
async fn next_number(tx: &Tx, day: TalkDayId, slots: &[slot::Model]) -> Result<i32, Problem> {
    let given = booking::Entity::find()
        .select_only()
        .column_as(Expr::col(booking::Column::NumberInLine).max(), "last")
        .filter(booking::COLUMN.talk_day_id.eq(day));
    let given: Option<Option<i32>> = given.into_tuple().one(tx).await?;
    let kept = slots.iter().map(|slot| slot.first_number + slot.places - 1).max();
    Ok(given.flatten().into_iter().chain(kept).max().unwrap_or(0) + 1)
}

/// A kept place of the slot whose time it is, or of the nearest later one; else none, in the slot whose time it is.
async fn place_for(tx: &Tx, slots: &[slot::Model], at: Instant) -> Result<(SlotId, BookingPlace), Problem> {
    let here = slots.iter().rposition(|slot| slot.starts_at <= at).unwrap_or(0);
    let from_here = slots.get(here..).unwrap_or_default();
    let now = from_here.first().ok_or_else(|| Problem::unexpected("a day without slots"))?;
    let left = |slot: &&slot::Model| slot.reserve_taken < slot.places - slot.public_places;
    let kept: BTreeSet<SlotId> = from_here.iter().filter(left).map(|slot| slot.id).collect();
    // Again under their locks; those who book by phone take from them too.
    let locked = places::lock(tx, kept).await?;
    let first = locked.iter().filter(left).min_by_key(|slot| slot.starts_at);
    let Some(first) = first else { return Ok((now.id, BookingPlace::Line)) };
    slot::Entity::update_many()
        .col_expr(slot::Column::ReserveTaken, Expr::col(slot::Column::ReserveTaken).add(1))
        .filter(slot::COLUMN.id.eq(first.id))
        .exec(tx)
        .await?;
    Ok((first.id, BookingPlace::Reserve))
}

/// Gives a kept place back.
pub(super) async fn give_back(tx: &Tx, slot: SlotId) -> Result<(), Problem> {
    slot::Entity::update_many()
        .col_expr(slot::Column::ReserveTaken, Expr::col(slot::Column::ReserveTaken).sub(1))
        .filter(slot::COLUMN.id.eq(slot))
        .exec(tx)
        .await?;
    Ok(())
}

async fn entered(
    tx: &Tx,
    day: &talk_day::Model,
    row: &booking::Model,
    at: Instant,
    acting: &Acting,
) -> Result<(), Problem> {
    let event = booking_event::Model {
        from_state: BookingState::Booked,
        acted_at: at,
        booking_version: row.version,
        ..acting.trace(day, row, WALK_IN, BookingState::CheckedIn)
    };
    step::write(tx, event).await
}
