//! Taking places: one decision for all who wait at the same moment, one transaction, a handful of statements.
//!
//! The days are held in share (they cannot be called off meanwhile), the persons are locked (so that the count of open
//! bookings is true), then the slots; always in the order of their ids, so that two crowds never wait for each other.
//! What is read under these locks stays true until the commit: each wish is decided by [`Round`] in the order of
//! arrival, counters move by conditional updates and rows go in under partial unique indexes. `SQLite` has one writer,
//! there the locks vanish. All of it or nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use entity::{
    Instant, booking,
    booking::BookingPrivacy,
    id::{PersonId, SlotId, TalkDayId},
    person, slot, talk_day,
};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    bookings::{Booked, telling},
    places,
};
use crate::{
    app::App,
    auth::Villager,
    clock::local_day,
    db::{self, Answers, Tx, padded},
    lists, notices,
    people::{self, Grant, ScopeWord, Use},
    problem::{Code, Problem},
    talks::{bodies::TalkMode, fresh::Fresh, rules, terms},
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
    /// Person id of somebody who let the caller act (`GET /me/principals`).
    for_person: Option<PersonId>,
}

/// Who wants which place.
pub struct Wish {
    /// Keys and text messages.
    pub app: Arc<App>,
    /// Who asks.
    pub me: Villager,
    /// Where.
    pub slot: SlotId,
    /// What for.
    pub body: BookSlot,
    /// By the client's clock.
    pub client_time: Option<Instant>,
    /// By ours.
    pub now: Instant,
}

impl Wish {
    /// For whom.
    fn principal(&self) -> PersonId {
        self.body.for_person.unwrap_or(self.me.person())
    }
}

/// Takes a place for each wish, or says why not.
///
/// # Errors
/// Of each: `not_found`, `invalid`, `already_booked`, `day_cancelled`, `booking_not_open`, `booking_closed`,
/// `limit_reached`, `slot_full` with `alternatives`.
pub async fn book(tx: &Tx, wishes: &[&Wish]) -> Answers<Booked> {
    let mut round = Round::open(tx, wishes).await?;
    let mut decisions = Vec::with_capacity(wishes.len());
    let mut grants = Vec::with_capacity(wishes.len());
    for wish in wishes {
        let (decision, grant) = match allowed(tx, wish, round.minors.contains(&wish.principal())).await {
            Ok(grant) => (round.decide(wish, grant.as_ref()), grant),
            Err(problem) if problem.is_refusal() => (Err(problem), None),
            Err(problem) => return Err(problem),
        };
        decisions.push(decision);
        grants.push(grant);
    }
    let booked = decisions.iter().filter_map(|decision| decision.as_ref().ok()?.as_ref());
    write(tx, booked.collect(), round.now).await?;
    for ((wish, grant), decision) in wishes.iter().zip(&grants).zip(&decisions) {
        if let (Some(grant), Ok(Some(booked))) = (grant, decision) {
            let what = Use { action: "book_slot", case: None, booking: Some(booked.booking.id) };
            people::used(tx, &wish.app, grant, what, wish.now).await?;
        }
    }
    let mut answers = Vec::with_capacity(wishes.len());
    for (wish, decision) in wishes.iter().zip(decisions) {
        answers.push(match decision {
            Ok(Some(booked)) => Ok(booked),
            Ok(None) => Err(round.full(tx, wish).await?),
            Err(problem) => Err(problem),
        });
    }
    Ok(answers)
}

/// The authorisation by which somebody asks for another; children need their guardian's consent.
async fn allowed(tx: &Tx, wish: &Wish, minor: bool) -> Result<Option<Grant>, Problem> {
    let principal = wish.principal();
    // Whether somebody is a child is for their agents to know.
    let grant = if principal == wish.me.person() {
        None
    } else {
        Some(people::authority(tx, &wish.me, principal, &ScopeWord::Talk, local_day(wish.now)).await?)
    };
    if minor {
        people::check_guardian(tx, principal).await?;
    }
    Ok(grant)
}

async fn write(tx: &Tx, all: Vec<&Booked>, now: Instant) -> Result<(), Problem> {
    let mut taken = BTreeMap::<SlotId, i32>::new();
    for booked in &all {
        *taken.entry(booked.slot.id).or_default() += 1;
    }
    places::take(tx, taken).await?;
    let rows = all.iter().map(|booked| booked.booking.clone().into_active_model()).collect();
    // Only the code can clash: everything else was settled under the locks.
    db::insert_all::<booking::ActiveModel>(tx, rows).await.map_err(db::again_on_unique)?;
    let tellings = all.iter().map(|booked| telling(&booked.booking, &booked.slot, "booked")).collect();
    notices::tell(tx, tellings, now).await
}

/// What the wishes of a crowd are decided on, kept true from one decision to the next.
struct Round {
    now: Instant,
    days: BTreeMap<TalkDayId, talk_day::Model>,
    slots: BTreeMap<SlotId, slot::Model>,
    /// Days that have not ended on which each person has a place.
    held: BTreeMap<PersonId, Vec<TalkDayId>>,
    /// Who of them is under 14.
    minors: BTreeSet<PersonId>,
    /// Numbers in use, of the slots that had some given back.
    used: BTreeMap<SlotId, Vec<i32>>,
    /// Free slots near the full ones, by the day of these.
    near: BTreeMap<TalkDayId, Vec<slot::Model>>,
}

impl Round {
    async fn open(tx: &Tx, wishes: &[&Wish]) -> Result<Self, Problem> {
        let now = wishes.iter().map(|wish| wish.now).min().unwrap_or_default();
        let wanted: BTreeSet<SlotId> = wishes.iter().map(|wish| wish.slot).collect();
        let days = lock_days(tx, &wanted).await?;
        let (held, minors) = lock_people(tx, wishes.iter().map(|wish| wish.principal()).collect(), now).await?;
        let slots = places::lock(tx, wanted).await?;
        let used = places::numbers(tx, slots.iter().filter(|slot| slot.released > 0).map(|slot| slot.id)).await?;
        let slots = slots.into_iter().map(|slot| (slot.id, slot)).collect();
        Ok(Self { now, days, slots, held, minors, used, near: BTreeMap::new() })
    }

    /// The booking; `None` when the slot is full.
    fn decide(&mut self, wish: &Wish, grant: Option<&Grant>) -> Result<Option<Booked>, Problem> {
        let slot = self.slots.get_mut(&wish.slot).ok_or_else(Problem::not_found)?;
        let day = self.days.get(&slot.talk_day_id).ok_or_else(Problem::not_found)?;
        let held = self.held.get_mut(&wish.principal()).ok_or_else(Problem::not_found)?;
        let mode = check(&wish.body, day)?;
        // Before all other refusals: who is in never hears that it is too late or full.
        if held.contains(&day.id) {
            return Err(Code::AlreadyBooked.into());
        }
        rules::bookable(day, wish.now)?;
        rules::has_room(held)?;
        if slot.taken >= slot.public_places {
            return Ok(None);
        }
        slot.taken += 1;
        held.push(day.id);
        let number_in_line = match self.used.get_mut(&slot.id) {
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
        let booking = booking::Model {
            agent_id: grant.map(|_| wish.me.person()),
            authorisation_id: grant.map(|grant| grant.id),
            client_time: wish.client_time,
            ..fresh.row()
        };
        Ok(Some(Booked { booking, slot: slot.clone(), day: day.clone() }))
    }

    /// The refusal of a full slot.
    async fn full(&mut self, tx: &Tx, wish: &Wish) -> Result<Problem, Problem> {
        let wanted = self.slots.get(&wish.slot).ok_or_else(Problem::not_found)?;
        let day = self.days.get(&wanted.talk_day_id).ok_or_else(Problem::not_found)?;
        if !self.near.contains_key(&day.id) {
            self.near.insert(day.id, places::free_near(tx, day, self.now).await?);
        }
        let held = self.held.get(&wish.principal()).map(Vec::as_slice).unwrap_or_default();
        let near = self.near.get(&day.id).into_iter().flatten();
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
    let modes = terms::modes_of(day)?;
    match wish.mode {
        None => modes.first().copied().ok_or_else(|| Problem::unexpected("a talk day without a mode")),
        Some(mode) if modes.contains(&mode) => Ok(mode),
        Some(_) => Err(Problem::field("/mode", "not_offered")),
    }
}

/// The days of these slots, held in share.
async fn lock_days(tx: &Tx, slots: &BTreeSet<SlotId>) -> Result<BTreeMap<TalkDayId, talk_day::Model>, Problem> {
    let theirs = slot::Entity::find().select_only().column(slot::Column::TalkDayId).distinct();
    let theirs = theirs.filter(slot::COLUMN.id.is_in(padded(slots.iter().copied())));
    let theirs: Vec<TalkDayId> = theirs.into_tuple().all(tx).await?;
    let days = talk_day::Entity::find().filter(talk_day::COLUMN.id.is_in(padded(theirs)));
    let days = days.order_by_asc(talk_day::Column::Id).lock_shared().all(tx).await?;
    Ok(days.into_iter().map(|day| (day.id, day)).collect())
}

/// Locks the persons, so that their calls count one by one: days that have not ended on which each has a place; and
/// who of them is a child.
async fn lock_people(
    tx: &Tx,
    people: BTreeSet<PersonId>,
    now: Instant,
) -> Result<(BTreeMap<PersonId, Vec<TalkDayId>>, BTreeSet<PersonId>), Problem> {
    let people = padded(people);
    let lock = person::Entity::find().select_only().columns([person::Column::Id, person::Column::Minor]);
    let lock = lock.filter(person::COLUMN.id.is_in(people.iter().copied())).order_by_asc(person::Column::Id);
    // Weaker than FOR UPDATE, so that rows which only refer to a person need not wait.
    let known: Vec<(PersonId, bool)> = lock.lock(LockType::NoKeyUpdate).into_tuple().all(tx).await?;
    let live: Vec<(PersonId, TalkDayId)> = booking::Entity::find()
        .select_only()
        .column(booking::Column::PersonId)
        .column(booking::Column::TalkDayId)
        .filter(booking::COLUMN.person_id.is_in(people))
        .filter(booking::COLUMN.live.eq(true))
        .into_tuple()
        .all(tx)
        .await?;
    // Two statements, each by its key: a join leaves it to statistics whether whole tables are read.
    let days: BTreeSet<TalkDayId> = live.iter().map(|(_, day)| *day).collect();
    let ahead = talk_day::Entity::find().select_only().column(talk_day::Column::Id);
    let ahead = ahead.filter(talk_day::COLUMN.id.is_in(padded(days))).filter(talk_day::COLUMN.ends_at.gt(now));
    let ahead: BTreeSet<TalkDayId> = if live.is_empty() {
        BTreeSet::new()
    } else {
        ahead.into_tuple::<TalkDayId>().all(tx).await?.into_iter().collect()
    };
    let mut held: BTreeMap<PersonId, Vec<TalkDayId>> = known.iter().map(|(person, _)| (*person, vec![])).collect();
    for (person, day) in live.into_iter().filter(|(_, day)| ahead.contains(day)) {
        held.entry(person).or_default().push(day);
    }
    Ok((held, known.into_iter().filter(|(_, minor)| *minor).map(|(person, _)| person).collect()))
}
