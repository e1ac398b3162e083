//! What a crowd of wishes for places is decided on: read under locks, kept true from one decision to the next.
//!
//! The days are held in share (they cannot be called off meanwhile), the persons are locked (so that the count of open
//! bookings is true), then the slots, then what is held for those who waited; always in the order of their ids, so that
//! two crowds never wait for each other. `SQLite` has one writer, there the locks vanish.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use entity::{
    Instant, booking,
    booking::{BookingChannel, BookingPrivacy, BookingState, MissedObjection},
    id::{PersonId, SlotId, TalkDayId},
    person, slot,
    talk_day::{self, TalkFormat},
    talk_wait,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType};

use super::{
    book::{BookSlot, Wish},
    bookings::Booked,
    places, waits,
};
use crate::{
    auth::Villager,
    clock::local_day,
    db::{Tx, padded},
    lists,
    people::{self, Grant, ScopeWord},
    personal::{Personal, PrivateText},
    problem::{Code, Problem},
    talks::{
        bodies::TalkMode,
        fresh::Fresh,
        holds,
        rules::{self, MISSED_COUNTS_FOR, Standing},
        terms,
    },
};

/// What the wishes of a crowd are decided on.
pub(super) struct Round {
    pub(super) now: Instant,
    days: BTreeMap<TalkDayId, talk_day::Model>,
    slots: BTreeMap<SlotId, slot::Model>,
    standing: BTreeMap<PersonId, Standing>,
    /// Places held for these people.
    holds: BTreeMap<(SlotId, PersonId), talk_wait::Model>,
    /// Holds that were used in this round.
    used_holds: Vec<talk_wait::Model>,
    /// Numbers in use, of the slots that had some given back.
    numbers: BTreeMap<SlotId, Vec<i32>>,
    /// Free slots near the full ones, by the day of these.
    near: BTreeMap<TalkDayId, Vec<slot::Model>>,
}

impl Round {
    pub(super) async fn open(tx: &Tx, wishes: &[&Wish]) -> Result<Self, Problem> {
        let now = wishes.iter().map(|wish| wish.now).min().unwrap_or_default();
        let wanted: BTreeSet<SlotId> = wishes.iter().map(|wish| wish.slot).collect();
        let days = lock_days(tx, &wanted).await?;
        let people: Vec<PersonId> = wishes.iter().map(|wish| wish.principal()).collect();
        let standing = lock_people(tx, people.iter().copied().collect(), now).await?;
        let slots = places::lock(tx, wanted).await?;
        let holding: Vec<SlotId> = slots.iter().filter(|slot| slot.held > 0).map(|slot| slot.id).collect();
        let holds = waits::holds_of(tx, &holding, &people).await?;
        let numbers = places::numbers(tx, slots.iter().filter(|slot| slot.released > 0).map(|slot| slot.id)).await?;
        let slots = slots.into_iter().map(|slot| (slot.id, slot)).collect();
        Ok(Self { now, days, slots, standing, holds, used_holds: vec![], numbers, near: BTreeMap::new() })
    }

    pub(super) fn is_minor(&self, person: PersonId) -> bool {
        self.standing.get(&person).is_some_and(|standing| standing.minor)
    }

    /// The booking; `None` when the slot is full.
    pub(super) fn decide(&mut self, wish: &Wish, grant: Option<&Grant>) -> Result<Option<Booked>, Problem> {
        let slot = self.slots.get_mut(&wish.slot).ok_or_else(Problem::not_found)?;
        let day = self.days.get(&slot.talk_day_id).ok_or_else(Problem::not_found)?;
        let standing = self.standing.get_mut(&wish.principal()).ok_or_else(Problem::not_found)?;
        let mode = check(&wish.body, day)?;
        // Before all other refusals: who is in never hears that it is too late or full.
        if standing.held.contains(&day.id) {
            return Err(Code::AlreadyBooked.into());
        }
        rules::bookable(day, wish.now)?;
        rules::has_room(standing)?;
        // What is held for them is theirs; what the rest of their party does not take goes back to the list.
        if let Some(hold) = self.holds.remove(&(slot.id, wish.principal())) {
            slot.held -= hold.places;
            self.holds.retain(|_, other| other.id != hold.id);
            self.used_holds.push(hold);
        }
        if holds::free(slot) == 0 {
            return Ok(None);
        }
        slot.taken += 1;
        let state = rules::first_state(standing);
        standing.held.push(day.id);
        let number_in_line = match self.numbers.get_mut(&slot.id) {
            None => slot.first_number + slot.taken - 1,
            Some(used) => {
                let number = rules::lowest_free(slot.first_number, used);
                used.push(number);
                number
            }
        };
        let fresh = Fresh {
            day: day.id,
            slot: slot.id,
            person: wish.principal(),
            number_in_line,
            topic: wish.body.topic.clone(),
            summary: wish.body.summary.clone(),
            privacy: wish.body.privacy,
            mode,
            now: wish.now,
        };
        let address = wish.body.address.clone().map(PrivateText::of_stored);
        let booking = booking::Model {
            state,
            agent_id: grant.map(|_| wish.me.person()),
            authorisation_id: grant.map(|grant| grant.id),
            address: address.map(|address| wish.app.field_keys.close(&address)).transpose()?,
            client_time: wish.client_time,
            ..fresh.row()
        };
        Ok(Some(Booked { booking, slot: slot.clone(), day: day.clone() }))
    }

    /// Writes what was taken: counters by conditional updates, holds that were used; what they leave is offered on.
    pub(super) async fn take(&mut self, tx: &Tx, taken: BTreeMap<SlotId, i32>) -> Result<(), Problem> {
        let freed = waits::used(tx, std::mem::take(&mut self.used_holds), self.now).await?;
        for (slot, places) in &freed {
            places::hold(tx, *slot, -places).await?;
        }
        places::take(tx, taken).await?;
        for id in freed.into_keys() {
            let day = self.slots.get(&id).and_then(|slot| self.days.get(&slot.talk_day_id));
            if let Some(day) = day {
                waits::serve(tx, places::lock_one(tx, id).await?, day, self.now).await?;
            }
        }
        Ok(())
    }

    /// The refusal of a slot with fewer than `places` free ones.
    pub(super) async fn full(&mut self, tx: &Tx, wish: &Wish, places: i32) -> Result<Problem, Problem> {
        let wanted = self.slots.get(&wish.slot).ok_or_else(Problem::not_found)?;
        let day = self.days.get(&wanted.talk_day_id).ok_or_else(Problem::not_found)?;
        if !self.near.contains_key(&day.id) {
            self.near.insert(day.id, places::free_near(tx, day, self.now).await?);
        }
        let held = self.standing.get(&wish.principal()).map(|standing| standing.held.as_slice()).unwrap_or_default();
        let near = self.near.get(&day.id).into_iter().flatten().filter(|slot| holds::free(slot) >= places);
        Ok(places::full(wanted, near.filter(|slot| !held.contains(&slot.talk_day_id)).cloned().collect()))
    }
}

/// What of the wish does not need the database beyond its day; the mode it comes to.
fn check(wish: &BookSlot, day: &talk_day::Model) -> Result<TalkMode, Problem> {
    if !lists::knows("topics", &wish.topic) {
        return Err(Problem::field("/topic", "unknown"));
    }
    if wish.summary.trim().is_empty() {
        return Err(Problem::field("/summary", "empty"));
    }
    check_privacy(wish.privacy, day)?;
    let mode = mode_of(wish.mode, day)?;
    check_address(wish.address.as_deref(), mode)?;
    Ok(mode)
}

/// An open meeting hears public matters; a private one needs a slot of its own.
pub(super) fn check_privacy(privacy: BookingPrivacy, day: &talk_day::Model) -> Result<(), Problem> {
    match (day.format, privacy) {
        (TalkFormat::OpenMeeting, BookingPrivacy::Private) => Err(Problem::field("/privacy", "not_offered")),
        _ => Ok(()),
    }
}

/// The mode that is wanted, or the usual one of the day.
pub(super) fn mode_of(wanted: Option<TalkMode>, day: &talk_day::Model) -> Result<TalkMode, Problem> {
    let modes = terms::modes_of(day)?;
    match wanted {
        None => modes.first().copied().ok_or_else(|| Problem::unexpected("a talk day without a mode")),
        Some(mode) if modes.contains(&mode) => Ok(mode),
        Some(_) => Err(Problem::field("/mode", "not_offered")),
    }
}

/// A home visit needs an address, and nothing else does.
pub(super) fn check_address(address: Option<&str>, mode: TalkMode) -> Result<(), Problem> {
    match (address.map(str::trim), mode) {
        (None, TalkMode::HomeVisit) => Err(Problem::field("/address", "required")),
        (Some(""), TalkMode::HomeVisit) => Err(Problem::field("/address", "empty")),
        (Some(_), mode) if mode != TalkMode::HomeVisit => Err(Problem::field("/address", "not_allowed_here")),
        _ => Ok(()),
    }
}

/// People who are each named once.
pub(super) fn distinct(persons: &[PersonId]) -> Result<Vec<PersonId>, Problem> {
    let mut seen = BTreeSet::new();
    match persons.iter().position(|person| !seen.insert(*person)) {
        Some(at) => Err(Problem::field(&format!("/persons/{at}"), "duplicate")),
        None => Ok(persons.to_vec()),
    }
}

/// The authorisation by which somebody asks for another; children need their guardian's consent.
pub(super) async fn allowed(
    tx: &Tx,
    me: &Villager,
    principal: PersonId,
    minor: bool,
    now: Instant,
) -> Result<Option<Grant>, Problem> {
    // Whether somebody is a child is for their agents to know.
    let grant = if principal == me.person() {
        None
    } else {
        Some(people::authority(tx, me, principal, &ScopeWord::Talk, local_day(now)).await?)
    };
    if minor {
        people::check_guardian(tx, principal).await?;
    }
    Ok(grant)
}

/// The day, held in share: it is not called off meanwhile.
pub(super) async fn lock_day(tx: &Tx, id: TalkDayId) -> Result<talk_day::Model, Problem> {
    talk_day::Entity::find_by_id(id).lock_shared().one(tx).await?.ok_or_else(Problem::not_found)
}

/// The day of a slot.
pub(super) async fn day_of(tx: &Tx, slot: SlotId) -> Result<talk_day::Model, Problem> {
    let slot = slot::Entity::find_by_id(slot).one(tx).await?.ok_or_else(Problem::not_found)?;
    talk_day::Entity::find_by_id(slot.talk_day_id).one(tx).await?.ok_or_else(Problem::not_found)
}

/// The day of a slot, held in share, and the people, locked.
pub(super) async fn lock_day_and_people(
    tx: &Tx,
    slot: SlotId,
    people: &[PersonId],
    now: Instant,
) -> Result<(talk_day::Model, BTreeMap<PersonId, Standing>), Problem> {
    let days = lock_days(tx, &BTreeSet::from([slot])).await?;
    let day = days.into_values().next().ok_or_else(Problem::not_found)?;
    Ok((day, lock_people(tx, people.iter().copied().collect(), now).await?))
}

/// The days of these slots, held in share.
pub(super) async fn lock_days(
    tx: &Tx,
    slots: &BTreeSet<SlotId>,
) -> Result<BTreeMap<TalkDayId, talk_day::Model>, Problem> {
    let theirs = slot::Entity::find().select_only().column(slot::Column::TalkDayId).distinct();
    let theirs = theirs.filter(slot::COLUMN.id.is_in(padded(slots.iter().copied())));
    let theirs: Vec<TalkDayId> = theirs.into_tuple().all(tx).await?;
    let days = talk_day::Entity::find().filter(talk_day::COLUMN.id.is_in(padded(theirs)));
    let days = days.order_by_asc(talk_day::Column::Id).lock_shared().all(tx).await?;
    Ok(days.into_iter().map(|day| (day.id, day)).collect())
}

type Live = (PersonId, TalkDayId, BookingState, Option<MissedObjection>, BookingChannel, Option<Instant>);
type Known = (PersonId, bool, Option<NaiveDate>, Option<NaiveDate>);

/// Locks the persons, so that their calls count one by one: what they hold, what they missed, whether limits bind them.
pub(super) async fn lock_people(
    tx: &Tx,
    people: BTreeSet<PersonId>,
    now: Instant,
) -> Result<BTreeMap<PersonId, Standing>, Problem> {
    use booking::Column;
    let people = padded(people);
    let lock = person::Entity::find().select_only().columns([
        person::Column::Id,
        person::Column::Minor,
        person::Column::PriorityFrom,
        person::Column::PriorityUntil,
    ]);
    let lock = lock.filter(person::COLUMN.id.is_in(people.iter().copied())).order_by_asc(person::Column::Id);
    // Weaker than FOR UPDATE, so that rows which only refer to a person need not wait.
    let known: Vec<Known> = lock.lock(LockType::NoKeyUpdate).into_tuple().all(tx).await?;
    let today = local_day(now);
    let mut standing: BTreeMap<PersonId, Standing> = BTreeMap::new();
    for (id, minor, from, until) in known {
        let priority = from.is_some_and(|from| from <= today) || until.is_some_and(|until| until >= today);
        standing.insert(id, Standing { priority, minor, ..Standing::default() });
    }
    let live: Vec<Live> = booking::Entity::find()
        .select_only()
        .columns([Column::PersonId, Column::TalkDayId, Column::State, Column::Objection])
        .columns([Column::Channel, Column::ArrivedAt])
        .filter(booking::COLUMN.person_id.is_in(people))
        .filter(places::live())
        .into_tuple()
        .all(tx)
        .await?;
    let ends = ends_of(tx, live.iter().map(|(_, day, ..)| *day).collect(), now).await?;
    for (person, day, state, objection, channel, arrived_at) in live {
        let (Some(ends_at), Some(standing)) = (ends.get(&day), standing.get_mut(&person)) else { continue };
        if *ends_at > now {
            standing.held.push(day);
        }
        standing.missed += usize::from(rules::counts_as_missed(state, objection, channel, arrived_at));
    }
    Ok(standing)
}

/// When these days end, of those that are ahead or lately past. Two statements, each by its key: a join leaves it to
/// statistics whether whole tables are read.
async fn ends_of(tx: &Tx, days: BTreeSet<TalkDayId>, now: Instant) -> Result<BTreeMap<TalkDayId, Instant>, Problem> {
    if days.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ends = talk_day::Entity::find().select_only().columns([talk_day::Column::Id, talk_day::Column::EndsAt]);
    let ends = ends.filter(talk_day::COLUMN.id.is_in(padded(days)));
    let lately = ends.filter(talk_day::COLUMN.ends_at.gt(now - MISSED_COUNTS_FOR));
    Ok(lately.into_tuple::<(TalkDayId, Instant)>().all(tx).await?.into_iter().collect())
}
