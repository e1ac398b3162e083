//! Waiting lists of full slots: leaving, what becomes free, holds that are used or run out. Joining: [`super::joining`].
//!
//! Whatever gives a place back does it through [`give_back`], which offers it to the list in the same transaction: there
//! is no moment in which somebody who did not wait could take it. Everything happens under the lock of the slot's row.
//! Next: [`super::offers`] for who is next.

use std::collections::{BTreeMap, BTreeSet};

use entity::{
    Instant,
    id::{PersonId, SlotId, TalkDayId, TalkWaitId},
    slot, talk_day,
    talk_wait::{self, WaitState},
    talk_waiter,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Set,
    sea_query::{Expr, ExprTrait, LockType},
};
use serde_json::json;

pub(super) use super::offers::serve;
use super::{
    bookings::{note_use, reach_person},
    offers::passed_over,
    places, round,
};
use crate::{
    app::App,
    auth::Villager,
    clock::local_day,
    db::Tx,
    http::{Cursor, PageQuery},
    notices::{self, About, Telling},
    problem::{Code, Problem},
    talks::{
        rules::{Standing, spoken},
        terms::stored,
    },
};

/// Entries that are ended in one go.
const LOOKED_AT: u64 = 100;
/// An entry with its place in the list.
pub struct Waiting {
    pub wait: talk_wait::Model,
    pub slot: slot::Model,
    pub day: talk_day::Model,
    /// From 1; 0 when it does not wait (any more).
    pub position: u64,
    /// No place is held for it as things stand, whoever gives one up.
    pub passed_over: bool,
}

/// From 1, of an entry that waits: one more than those of the same slot that have waited longer.
pub(super) async fn position(db: &impl ConnectionTrait, wait: &talk_wait::Model) -> Result<u64, Problem> {
    if wait.state != WaitState::Waiting {
        return Ok(0);
    }
    let ahead = talk_wait::Entity::find()
        .select_only()
        .column_as(Expr::col(talk_wait::Column::Id).count(), "n")
        .filter(talk_wait::COLUMN.slot_id.eq(wait.slot_id))
        .filter(talk_wait::COLUMN.state.eq(WaitState::Waiting))
        .filter(talk_wait::COLUMN.turn.lt(wait.turn));
    let ahead: Option<i64> = ahead.into_tuple().one(db).await?;
    Ok(u64::try_from(ahead.unwrap_or(0)).unwrap_or(0) + 1)
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

/// Leaves the list; a place that was held goes to the next. Everybody of the party may, and the others are told.
///
/// # Errors
/// `not_found`; `transition_not_allowed` when it does not wait any more.
pub async fn leave(tx: &Tx, app: &App, me: &Villager, id: TalkWaitId, now: Instant) -> Result<(), Problem> {
    let seen = talk_wait::Entity::find_by_id(id).one(tx).await?.ok_or_else(Problem::not_found)?;
    let party: Vec<PersonId> = stored(&seen.party)?;
    let mut grants = Vec::new();
    for person in party.iter().filter(|person| **person != me.person()) {
        match reach_person(tx, me, *person, local_day(now)).await {
            Ok(grant) => grants.extend(grant),
            Err(problem) if problem.code() == Code::NoAuthorisation => {}
            Err(problem) => return Err(problem),
        }
    }
    // That somebody waits is for them and their agents to know.
    if grants.is_empty() && !party.contains(&me.person()) {
        return Err(Problem::not_found());
    }
    let day = round::lock_day(tx, seen.talk_day_id).await?;
    let slot = end(tx, &day, &seen, WaitState::Left, now).await?;
    let slot = slot.ok_or_else(|| Problem::new(Code::TransitionNotAllowed))?;
    for grant in &grants {
        note_use(tx, app, Some(grant), "leave_waits", None, now).await?;
    }
    tell_others(tx, party, me.person(), &slot, now).await
}

/// Tells a party that the entry is no more, all but the one who did it.
pub(super) async fn tell_others(
    tx: &Tx,
    party: Vec<PersonId>,
    by: PersonId,
    slot: &slot::Model,
    now: Instant,
) -> Result<(), Problem> {
    let params = json!({"when": spoken(slot.starts_at)});
    let telling = |person| Telling { person, kind: "wait_left", about: About::Oneself, params: params.clone() };
    notices::tell(tx, party.into_iter().filter(|person| *person != by).map(telling).collect(), now).await
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
    let Some(row) = open(tx, seen.id).await? else { return Ok(None) };
    Ok(Some(close(tx, day, slot, row, state, now).await?))
}

/// An entry that waits or holds, locked; its slot was locked before.
pub(super) async fn open(tx: &Tx, id: TalkWaitId) -> Result<Option<talk_wait::Model>, Problem> {
    let row = talk_wait::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(tx).await?;
    Ok(row.filter(|row| matches!(row.state, WaitState::Waiting | WaitState::Held)))
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

/// Uses up what is held for somebody in a slot that is locked, so that they can take it; the caller serves the list
/// with what their party leaves, once it has taken their place.
pub(super) async fn use_up(
    tx: &Tx,
    mut slot: slot::Model,
    person: PersonId,
    now: Instant,
) -> Result<slot::Model, Problem> {
    if slot.held > 0 {
        let held = holds_of(tx, &[slot.id], &[person]).await?;
        for (id, places) in used(tx, held.into_values().collect(), now).await? {
            slot = places::hold(tx, id, -places).await?;
        }
    }
    Ok(slot)
}

/// Ends what is held for somebody in other slots of a day on which they have a place now; what is held for several is
/// left to the others. The slots were locked with the one that they took.
pub(super) async fn let_go(
    tx: &Tx,
    day: &talk_day::Model,
    standing: &Standing,
    taken: SlotId,
    now: Instant,
) -> Result<(), Problem> {
    for offer in standing.offered_beside(day.id, taken) {
        let hold = talk_wait::Entity::find_by_id(offer.wait).one(tx).await?;
        if let Some(hold) = hold.filter(|hold| hold.state == WaitState::Held && hold.places == 1) {
            end(tx, day, &hold, WaitState::Left, now).await?;
        }
    }
    Ok(())
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

/// Entries that concern oneself, or somebody who let the caller see to talk days; the latest first, at most a page and
/// one.
pub async fn list(
    app: &App,
    me: &Villager,
    for_person: Option<PersonId>,
    page: &PageQuery,
) -> Result<Vec<Waiting>, Problem> {
    let (db, now, person) = (app.db.read(), app.clock.now(), for_person.unwrap_or(me.person()));
    reach_person(db, me, person, local_day(now)).await?;
    let theirs = talk_waiter::Entity::find().select_only().column(talk_waiter::Column::WaitId);
    let theirs = theirs.filter(talk_waiter::COLUMN.person_id.eq(person)).into_query();
    let mut query = talk_wait::Entity::find().filter(talk_wait::Column::Id.in_subquery(theirs));
    if let Some(before) = Cursor::read::<TalkWaitId>(page.cursor.as_deref())? {
        query = query.filter(talk_wait::COLUMN.id.lt(before));
    }
    let rows = query.order_by_desc(talk_wait::Column::Id).limit(page.size() + 1).all(db).await?;
    let slots = slot::Entity::find().filter(slot::COLUMN.id.is_in(rows.iter().map(|row| row.slot_id))).all(db).await?;
    let days = talk_day::Entity::find().filter(talk_day::COLUMN.id.is_in(rows.iter().map(|row| row.talk_day_id)));
    let days: BTreeMap<TalkDayId, talk_day::Model> = days.all(db).await?.into_iter().map(|day| (day.id, day)).collect();
    let passed_over = passed_over(db, &rows, now).await?;
    let mut found = Vec::with_capacity(rows.len());
    for wait in rows {
        let lost = || Problem::unexpected("an entry without its slot or day");
        let slot = slots.iter().find(|slot| slot.id == wait.slot_id).cloned().ok_or_else(lost)?;
        let day = days.get(&wait.talk_day_id).cloned().ok_or_else(lost)?;
        let (position, passed_over) = (position(db, &wait).await?, passed_over.contains(&wait.id));
        found.push(Waiting { wait, slot, day, position, passed_over });
    }
    Ok(found)
}

/// Entries whose hold ran out, or whose day takes no bookings any more, but for those that are passed over; at most a
/// batch of each.
pub async fn overdue(app: &App, but: &BTreeSet<TalkWaitId>) -> Result<Vec<talk_wait::Model>, Problem> {
    let (db, now) = (app.db.read(), app.clock.now());
    let others = || talk_wait::COLUMN.id.is_not_in(but.iter().copied());
    let mut found = talk_wait::Entity::find()
        .filter(others())
        .filter(talk_wait::COLUMN.state.eq(WaitState::Held))
        .filter(talk_wait::COLUMN.held_until.lte(now))
        .order_by_asc(talk_wait::Column::HeldUntil)
        .limit(LOOKED_AT)
        .all(db)
        .await?;
    let closed = talk_day::Entity::find().select_only().column(talk_day::Column::Id);
    let closed = closed.filter(talk_day::COLUMN.closes_at.lte(now)).into_query();
    let late = talk_wait::Entity::find()
        .filter(others())
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
