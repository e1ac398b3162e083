//! Joining the waiting list of a slot, alone or as a party that comes together.

use std::collections::BTreeSet;

use entity::{
    Instant,
    id::{PersonId, SlotId, TalkDayId, TalkWaitId, TalkWaiterId},
    slot, talk_day,
    talk_wait::{self, WaitState},
    talk_waiter,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Set};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    bookings::note_use,
    offers::passed_over,
    places::{self, Taker},
    round, standing,
    waits::{self, Waiting},
};
use crate::{
    app::App,
    auth::Villager,
    db::Tx,
    people::Grant,
    problem::{Code, OnUnique, Problem},
    talks::{holds, rules},
};

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

/// Who would join, with the day and whoever let the caller act; all of them locked.
struct Party {
    persons: Vec<PersonId>,
    first: PersonId,
    places: i32,
    day: talk_day::Model,
    grants: Vec<Grant>,
    /// Days on which one of them has a place.
    busy: BTreeSet<TalkDayId>,
}

/// Joins the list of a slot. Where there is a free place already, it is held at once.
///
/// # Errors
/// `not_found`, `no_authorisation`, `already_booked`, `already_waiting`, `limit_reached`, `offer_used_up`, `slot_full`
/// with `alternatives` where the slot never has so many public places, and whether the day takes bookings at all.
pub async fn join(
    tx: &Tx,
    app: &App,
    me: &Villager,
    id: SlotId,
    body: &JoinWaits,
    now: Instant,
) -> Result<Waiting, Problem> {
    let party = Party::open(tx, me, id, body, now).await?;
    has_room_to_wait(tx, party.first).await?;
    let slot = places::lock_one(tx, id).await?;
    if party.places > slot.public_places {
        // Waiting would never end.
        let taker = Taker { busy: party.busy, ..Taker::default() };
        let near = places::free_near(tx, &party.day, now).await?.for_taker(&taker);
        return Err(places::full(&slot, near.into_iter().filter(|slot| holds::free(slot) >= party.places).collect()));
    }
    let slot = places::join(tx, slot.id).await?;
    let id = party.write(tx, me, &slot, now).await?;
    for grant in &party.grants {
        note_use(tx, app, Some(grant), "join_waits", None, now).await?;
    }
    let slot = waits::serve(tx, slot, &party.day, now).await?;
    let wait = talk_wait::Entity::find_by_id(id).one(tx).await?;
    let wait = wait.ok_or_else(|| Problem::unexpected("an entry that was written is not there"))?;
    let passed_over = passed_over(tx, std::slice::from_ref(&wait), now).await?.contains(&wait.id);
    Ok(Waiting { position: waits::position(tx, &wait).await?, wait, slot, day: party.day, passed_over })
}

impl Party {
    async fn open(tx: &Tx, me: &Villager, slot: SlotId, body: &JoinWaits, now: Instant) -> Result<Self, Problem> {
        let persons = match (&body.persons, body.for_person) {
            (Some(_), Some(_)) => return Err(Problem::field("/for_person", "not_allowed_here")),
            (Some(persons), None) => round::distinct(persons)?,
            (None, one) => vec![one.unwrap_or(me.person())],
        };
        let (day, mut standing) = round::lock_day_and_people(tx, slot, &persons, now).await?;
        let (mut grants, mut busy) = (Vec::new(), BTreeSet::new());
        for person in &persons {
            let standing = standing.remove(person).ok_or_else(|| Problem::new(Code::NoAuthorisation))?;
            grants.extend(round::allowed(tx, me, *person, standing.minor, now).await?);
            if standing.held.contains(&day.id) {
                return Err(Code::AlreadyBooked.into());
            }
            rules::bookable(&day, now)?;
            rules::has_room(&standing, day.id)?;
            busy.extend(standing.held);
        }
        if !standing::had_theirs(tx, [day.id].into(), persons.iter().copied().collect()).await?.is_empty() {
            return Err(Code::OfferUsedUp.into());
        }
        let first = persons.first().copied().ok_or_else(|| Problem::field("/persons", "length"))?;
        let places = i32::try_from(persons.len()).map_err(Problem::unexpected)?;
        Ok(Self { persons, first, places, day, grants, busy })
    }

    /// Writes the entry of a slot that has counted it.
    async fn write(&self, tx: &Tx, me: &Villager, slot: &slot::Model, now: Instant) -> Result<TalkWaitId, Problem> {
        let id = TalkWaitId::fresh();
        let row = talk_wait::ActiveModel {
            id: Set(id),
            slot_id: Set(slot.id),
            talk_day_id: Set(self.day.id),
            turn: Set(slot.joined),
            person_id: Set(self.first),
            agent_id: Set(self.grants.first().map(|_| me.person())),
            authorisation_id: Set(self.grants.first().map(|grant| grant.id)),
            party: Set(json!(self.persons)),
            places: Set(self.places),
            state: Set(WaitState::Waiting),
            held_at: Set(None),
            held_until: Set(None),
            created_at: Set(now),
            ended_at: Set(None),
        };
        row.insert(tx).await.on_unique(Code::AlreadyWaiting)?;
        let waiter = |person: &PersonId| talk_waiter::ActiveModel {
            id: Set(TalkWaiterId::fresh()),
            wait_id: Set(id),
            person_id: Set(*person),
        };
        talk_waiter::Entity::insert_many(self.persons.iter().map(waiter)).exec_without_returning(tx).await?;
        Ok(id)
    }
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
