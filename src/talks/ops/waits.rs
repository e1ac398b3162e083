//! Waiting lists of full slots: joining, leaving, and who gets what becomes free.
//!
//! Whatever gives a place back does it through [`give_back`], which offers it to the list in the same transaction: there
//! is no moment in which somebody who did not wait could take it. Everything happens under the lock of the slot's row.

use std::collections::BTreeMap;

use entity::{
    Instant,
    id::{PersonId, SlotId, TalkDayId, TalkWaitId},
    slot, talk_day,
    talk_wait::{self, WaitState},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    sea_query::{Expr, ExprTrait, LockType},
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    bookings::{note_use, reach_person},
    places, round,
};
use crate::{
    app::App,
    auth::Villager,
    clock::local_day,
    db::Tx,
    http::{Cursor, PageQuery},
    notices::{self, About, Telling},
    problem::{Code, OnUnique, Problem},
    talks::{
        holds,
        rules::{self, spoken},
        terms::stored,
    },
};

/// Entries of one list that are looked at for the next.
const LOOKED_AT: u64 = 100;
/// Slots somebody may wait for at once.
pub const MOST_WAITS: usize = 3;

/// Somebody who would take a place of a full slot.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinWaits {
    /// Person id of somebody who let the caller act.
    for_person: Option<PersonId>,
    /// All for whom a place is wanted, when several come together; then instead of `for_person`.
    #[validate(length(min = 2, max = 8))]
    #[schema(min_items = 2, max_items = 8)]
    persons: Option<Vec<PersonId>>,
}

/// An entry with its place in the list.
pub struct Waiting {
    pub wait: talk_wait::Model,
    pub slot: slot::Model,
    pub day: talk_day::Model,
    /// From 1; 0 when it does not wait (any more).
    pub position: u64,
}

/// Joins the list of a slot. Where there is a free place already, it is held at once.
///
/// # Errors
/// `not_found`, `no_authorisation`, `already_booked`, `already_waiting`, `limit_reached`, `slot_full` with
/// `alternatives` where the slot never has so many public places, and whether the day takes
/// bookings at all.
pub async fn join(
    tx: &Tx,
    app: &App,
    me: &Villager,
    id: SlotId,
    body: &JoinWaits,
    now: Instant,
) -> Result<Waiting, Problem> {
    let party = match (&body.persons, body.for_person) {
        (Some(_), Some(_)) => return Err(Problem::field("/for_person", "not_allowed_here")),
        (Some(persons), None) => round::distinct(persons)?,
        (None, one) => vec![one.unwrap_or(me.person())],
    };
    let (day, mut standing) = round::lock_day_and_people(tx, id, &party, now).await?;
    let mut grant = None;
    for person in &party {
        let standing = standing.remove(person).ok_or_else(|| Problem::new(Code::NoAuthorisation))?;
        let by = round::allowed(tx, me, *person, standing.minor, now).await?;
        if standing.held.contains(&day.id) {
            return Err(Code::AlreadyBooked.into());
        }
        rules::bookable(&day, now)?;
        rules::has_room(&standing)?;
        grant = grant.or(by);
    }
    let first = party.first().copied().ok_or_else(|| Problem::field("/persons", "length"))?;
    has_room_to_wait(tx, first).await?;
    let slot = places::lock_one(tx, id).await?;
    let places = i32::try_from(party.len()).map_err(Problem::unexpected)?;
    if places > slot.public_places {
        // Waiting would never end.
        return Err(places::full(&slot, places::free_near(tx, &day, now).await?));
    }
    let row = talk_wait::ActiveModel {
        id: Set(TalkWaitId::fresh()),
        slot_id: Set(slot.id),
        talk_day_id: Set(day.id),
        person_id: Set(first),
        agent_id: Set(grant.as_ref().map(|_| me.person())),
        authorisation_id: Set(grant.as_ref().map(|grant| grant.id)),
        party: Set(json!(party)),
        places: Set(places),
        state: Set(WaitState::Waiting),
        held_at: Set(None),
        held_until: Set(None),
        created_at: Set(now),
        ended_at: Set(None),
    };
    let wait = row.insert(tx).await.on_unique(Code::AlreadyWaiting)?;
    places::count_waiting(tx, slot.id, 1).await?;
    note_use(tx, app, grant.as_ref(), "join_waits", None, now).await?;
    let slot = serve(tx, places::lock_one(tx, id).await?, &day, now).await?;
    with_place(tx, wait.id, slot, day).await
}

/// Whether somebody waits for few enough slots.
async fn has_room_to_wait(tx: &Tx, person: PersonId) -> Result<(), Problem> {
    let open: Vec<TalkWaitId> = talk_wait::Entity::find()
        .select_only()
        .column(talk_wait::Column::Id)
        .filter(talk_wait::COLUMN.person_id.eq(person))
        .filter(talk_wait::COLUMN.state.is_in([WaitState::Waiting, WaitState::Held]))
        .into_tuple()
        .all(tx)
        .await?;
    if open.len() < MOST_WAITS { Ok(()) } else { Err(Code::LimitReached.into()) }
}

/// The entry as it stands after the list was served.
async fn with_place(tx: &Tx, id: TalkWaitId, slot: slot::Model, day: talk_day::Model) -> Result<Waiting, Problem> {
    let wait = talk_wait::Entity::find_by_id(id).one(tx).await?;
    let wait = wait.ok_or_else(|| Problem::unexpected("an entry that was written is not there"))?;
    let before = queue(tx, slot.id).await?.iter().filter(|other| other.id < wait.id).count();
    let position = if wait.state == WaitState::Waiting { before as u64 + 1 } else { 0 };
    Ok(Waiting { wait, slot, day, position })
}

/// Who waits for a slot, in the order of joining.
async fn queue(tx: &Tx, slot: SlotId) -> Result<Vec<talk_wait::Model>, Problem> {
    let waiting = talk_wait::Entity::find()
        .filter(talk_wait::COLUMN.slot_id.eq(slot))
        .filter(talk_wait::COLUMN.state.eq(WaitState::Waiting))
        .order_by_asc(talk_wait::Column::Id);
    Ok(waiting.limit(LOOKED_AT).all(tx).await?)
}

/// Gives places of a slot back and offers them to who waits for it.
pub(super) async fn give_back(
    tx: &Tx,
    day: &talk_day::Model,
    id: SlotId,
    places: i32,
    now: Instant,
) -> Result<slot::Model, Problem> {
    let slot = places::give_back(tx, id, places).await?;
    serve(tx, slot, day, now).await
}

/// Holds what is free of a slot, whose row is locked, for who waits for it; the slot as it is then.
pub(super) async fn serve(
    tx: &Tx,
    mut slot: slot::Model,
    day: &talk_day::Model,
    now: Instant,
) -> Result<slot::Model, Problem> {
    if slot.waiting == 0 || rules::bookable(day, now).is_err() {
        return Ok(slot);
    }
    let mut waiting = queue(tx, slot.id).await?;
    let mut tellings = Vec::new();
    while let Some(next) = holds::next(&waiting, holds::free(&slot)).cloned() {
        waiting.retain(|other| other.id != next.id);
        let until = holds::held_until(now, day.closes_at);
        let mut row = next.clone().into_active_model();
        row.state = Set(WaitState::Held);
        row.held_at = Set(Some(now));
        row.held_until = Set(Some(until));
        row.update(tx).await?;
        slot = places::hold(tx, slot.id, next.places).await?;
        let params = json!({"when": spoken(slot.starts_at), "until": spoken(until)});
        for person in stored::<Vec<PersonId>>(&next.party)? {
            tellings.push(Telling { person, kind: "wait_held", about: About::Oneself, params: params.clone() });
        }
    }
    notices::tell(tx, tellings, now).await?;
    Ok(slot)
}

/// Leaves the list; a place that was held goes to the next.
///
/// # Errors
/// `not_found`; `transition_not_allowed` when it does not wait any more.
pub async fn leave(tx: &Tx, me: &Villager, id: TalkWaitId, now: Instant) -> Result<(), Problem> {
    let seen = talk_wait::Entity::find_by_id(id).one(tx).await?.ok_or_else(Problem::not_found)?;
    // That somebody waits is for them and their agents to know.
    reach_person(tx, me, seen.person_id, local_day(now)).await.map_err(|problem| match problem.code() {
        Code::NoAuthorisation => Problem::not_found(),
        _ => problem,
    })?;
    let day = round::lock_day(tx, seen.talk_day_id).await?;
    end(tx, &day, &seen, WaitState::Left, now).await?.ok_or_else(|| Problem::new(Code::TransitionNotAllowed))?;
    Ok(())
}

/// Ends an entry that waits or holds; `None` when it does neither any more. The caller has locked the day.
pub(super) async fn end(
    tx: &Tx,
    day: &talk_day::Model,
    seen: &talk_wait::Model,
    state: WaitState,
    now: Instant,
) -> Result<Option<slot::Model>, Problem> {
    let slot = places::lock_one(tx, seen.slot_id).await?;
    let row = talk_wait::Entity::find_by_id(seen.id).lock(LockType::NoKeyUpdate).one(tx).await?;
    let Some(row) = row.filter(|row| matches!(row.state, WaitState::Waiting | WaitState::Held)) else {
        return Ok(None);
    };
    Ok(Some(close(tx, day, slot, row, state, now).await?))
}

async fn close(
    tx: &Tx,
    day: &talk_day::Model,
    slot: slot::Model,
    row: talk_wait::Model,
    state: WaitState,
    now: Instant,
) -> Result<slot::Model, Problem> {
    let (held, places) = (row.state == WaitState::Held, row.places);
    let mut row = row.into_active_model();
    row.state = Set(state);
    row.ended_at = Set(Some(now));
    row.update(tx).await?;
    if held {
        let slot = places::hold(tx, slot.id, -places).await?;
        return serve(tx, slot, day, now).await;
    }
    places::count_waiting(tx, slot.id, -1).await
}

/// Holds of these people in these slots, by slot and person.
pub(super) async fn holds_of(
    tx: &Tx,
    slots: &[SlotId],
    people: &[PersonId],
) -> Result<BTreeMap<(SlotId, PersonId), talk_wait::Model>, Problem> {
    if slots.is_empty() {
        return Ok(BTreeMap::new());
    }
    let held = talk_wait::Entity::find()
        .filter(talk_wait::COLUMN.slot_id.is_in(slots.iter().copied()))
        .filter(talk_wait::COLUMN.state.eq(WaitState::Held))
        .order_by_asc(talk_wait::Column::Id);
    let mut found = BTreeMap::new();
    for wait in held.lock(LockType::NoKeyUpdate).all(tx).await? {
        for person in stored::<Vec<PersonId>>(&wait.party)?.into_iter().filter(|one| people.contains(one)) {
            found.entry((wait.slot_id, person)).or_insert_with(|| wait.clone());
        }
    }
    Ok(found)
}

/// Marks holds as used; how many places of each slot are not held any more.
pub(super) async fn used(
    tx: &Tx,
    waits: Vec<talk_wait::Model>,
    now: Instant,
) -> Result<BTreeMap<SlotId, i32>, Problem> {
    let mut freed = BTreeMap::new();
    for wait in waits {
        *freed.entry(wait.slot_id).or_default() += wait.places;
        let mut row = wait.into_active_model();
        row.state = Set(WaitState::Taken);
        row.ended_at = Set(Some(now));
        row.update(tx).await?;
    }
    Ok(freed)
}

/// Entries of oneself, or of somebody who let the caller see to talk days; the latest first, at most a page and one.
pub async fn list(
    app: &App,
    me: &Villager,
    for_person: Option<PersonId>,
    page: &PageQuery,
) -> Result<Vec<Waiting>, Problem> {
    let (db, person) = (app.db.read(), for_person.unwrap_or(me.person()));
    reach_person(db, me, person, local_day(app.clock.now())).await?;
    let mut query = talk_wait::Entity::find().filter(talk_wait::COLUMN.person_id.eq(person));
    if let Some(before) = Cursor::read::<TalkWaitId>(page.cursor.as_deref())? {
        query = query.filter(talk_wait::COLUMN.id.lt(before));
    }
    let rows = query.order_by_desc(talk_wait::Column::Id).limit(page.size() + 1).all(db).await?;
    let slots = slot::Entity::find().filter(slot::COLUMN.id.is_in(rows.iter().map(|row| row.slot_id))).all(db).await?;
    let days = talk_day::Entity::find().filter(talk_day::COLUMN.id.is_in(rows.iter().map(|row| row.talk_day_id)));
    let days: BTreeMap<TalkDayId, talk_day::Model> = days.all(db).await?.into_iter().map(|day| (day.id, day)).collect();
    let mut found = Vec::with_capacity(rows.len());
    for wait in rows {
        let lost = || Problem::unexpected("an entry without its slot or day");
        let slot = slots.iter().find(|slot| slot.id == wait.slot_id).cloned().ok_or_else(lost)?;
        let day = days.get(&wait.talk_day_id).cloned().ok_or_else(lost)?;
        let position = if wait.state == WaitState::Waiting { ahead(db, &wait).await? + 1 } else { 0 };
        found.push(Waiting { wait, slot, day, position });
    }
    Ok(found)
}

/// How many wait for the same slot and have waited longer.
async fn ahead(db: &sea_orm::DatabaseConnection, wait: &talk_wait::Model) -> Result<u64, Problem> {
    let count = talk_wait::Entity::find()
        .select_only()
        .column_as(Expr::col(talk_wait::Column::Id).count(), "n")
        .filter(talk_wait::COLUMN.slot_id.eq(wait.slot_id))
        .filter(talk_wait::COLUMN.state.eq(WaitState::Waiting))
        .filter(talk_wait::COLUMN.id.lt(wait.id));
    let count: Option<i64> = count.into_tuple().one(db).await?;
    Ok(u64::try_from(count.unwrap_or(0)).unwrap_or(0))
}

/// Entries whose hold ran out, or whose day takes no bookings any more; at most a batch of each.
pub async fn overdue(app: &App) -> Result<Vec<talk_wait::Model>, Problem> {
    let (db, now) = (app.db.read(), app.clock.now());
    let mut found = talk_wait::Entity::find()
        .filter(talk_wait::COLUMN.state.eq(WaitState::Held))
        .filter(talk_wait::COLUMN.held_until.lte(now))
        .order_by_asc(talk_wait::Column::HeldUntil)
        .limit(LOOKED_AT)
        .all(db)
        .await?;
    let closed = talk_day::Entity::find().select_only().column(talk_day::Column::Id);
    let closed = closed.filter(talk_day::COLUMN.closes_at.lte(now)).into_query();
    let late = talk_wait::Entity::find()
        .filter(talk_wait::COLUMN.state.eq(WaitState::Waiting))
        .filter(talk_wait::Column::TalkDayId.in_subquery(closed))
        .limit(LOOKED_AT);
    found.extend(late.all(db).await?);
    Ok(found)
}

/// Ends one of [`overdue`], if it still is; people are told, and the place goes on to the next.
pub async fn expire(tx: &Tx, seen: &talk_wait::Model, now: Instant) -> Result<(), Problem> {
    let day = round::lock_day(tx, seen.talk_day_id).await?;
    let slot = places::lock_one(tx, seen.slot_id).await?;
    let row = talk_wait::Entity::find_by_id(seen.id).lock(LockType::NoKeyUpdate).one(tx).await?;
    let Some(row) = row else { return Ok(()) };
    let (state, kind) = match row.state {
        WaitState::Held if row.held_until.is_some_and(|until| until <= now) => (WaitState::Expired, "wait_expired"),
        WaitState::Waiting if day.closes_at <= now => (WaitState::Ended, "wait_ended"),
        _ => return Ok(()),
    };
    let params = json!({"when": spoken(slot.starts_at)});
    let party: Vec<PersonId> = stored(&row.party)?;
    let telling = |person| Telling { person, kind, about: About::Oneself, params: params.clone() };
    notices::tell(tx, party.into_iter().map(telling).collect(), now).await?;
    close(tx, &day, slot, row, state, now).await?;
    Ok(())
}
