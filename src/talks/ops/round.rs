//! What a crowd of wishes for places is decided on: read under locks, kept true from one decision to the next.
//!
//! The days are held in share (they cannot be called off meanwhile), the persons are locked (so that the count of open
//! bookings is true), then the slots, then what is held for those who waited; always in the order of their ids, so that
//! two crowds never wait for each other. `SQLite` has one writer, there the locks vanish.

use std::collections::{BTreeMap, BTreeSet};

use entity::{
    Instant, booking,
    booking::BookingPrivacy,
    id::{PersonId, SlotId, TalkDayId},
    slot,
    talk_day::{self, TalkFormat},
    talk_wait::{self, WaitState},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    book::{BookSlot, Wish},
    bookings::Booked,
    places::{self, Taker},
    standing::lock_people,
    waits,
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
        rules::{self, Standing},
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
    /// Slots of which holds were used in this round.
    freed: BTreeSet<SlotId>,
    /// Holds of other slots of the day by people who have a place on it now.
    let_go: Vec<talk_wait::Model>,
    /// Numbers in use, of the slots that had some given back.
    numbers: BTreeMap<SlotId, Vec<i32>>,
    /// Free slots near the full ones, by the day of these.
    near: BTreeMap<TalkDayId, places::Free>,
}

impl Round {
    pub(super) async fn open(tx: &Tx, wishes: &[&Wish]) -> Result<Self, Problem> {
        let now = wishes.iter().map(|wish| wish.now).min().unwrap_or_default();
        let wanted: BTreeSet<SlotId> = wishes.iter().map(|wish| wish.slot).collect();
        let days = lock_days(tx, &wanted).await?;
        let people: Vec<PersonId> = wishes.iter().map(|wish| wish.principal()).collect();
        let standing = lock_people(tx, people.iter().copied().collect(), now).await?;
        // A hold in another slot of the day ends with the booking: that slot is locked in its turn.
        let offers = standing.values().flat_map(|standing| &standing.offers);
        let also = offers.filter(|offer| days.contains_key(&offer.day)).map(|offer| offer.slot);
        let slots = places::lock(tx, wanted.into_iter().chain(also).collect()).await?;
        let holding: Vec<SlotId> = slots.iter().filter(|slot| slot.held > 0).map(|slot| slot.id).collect();
        let holds = waits::holds_of(tx, &holding, &people).await?;
        let numbers = places::numbers(tx, slots.iter().filter(|slot| slot.released > 0).map(|slot| slot.id)).await?;
        let slots = slots.into_iter().map(|slot| (slot.id, slot)).collect();
        let (used_holds, let_go, freed, near) = (vec![], vec![], BTreeSet::new(), BTreeMap::new());
        Ok(Self { now, days, slots, standing, holds, used_holds, freed, let_go, numbers, near })
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
        rules::has_room(standing, day.id)?;
        // What is held for them is theirs. What the rest of their party does not take stays held until the list is
        // served: nobody of the same crowd comes before it.
        if let Some(hold) = self.holds.remove(&(slot.id, wish.principal())) {
            slot.held -= 1;
            if self.used_holds.iter().all(|used| used.id != hold.id) {
                self.used_holds.push(hold);
            }
        }
        if holds::free(slot) == 0 {
            return Ok(None);
        }
        let elsewhere = |(at, person): &(SlotId, PersonId), hold: &talk_wait::Model| {
            *at != slot.id && hold.talk_day_id == day.id && *person == wish.principal() && hold.places == 1
        };
        self.let_go.extend(self.holds.iter().filter(|(key, hold)| elsewhere(key, hold)).map(|(_, hold)| hold.clone()));
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

    /// Writes what was taken: holds that were used, and counters by conditional updates.
    pub(super) async fn take(&mut self, tx: &Tx, taken: BTreeMap<SlotId, i32>) -> Result<(), Problem> {
        let freed = waits::used(tx, std::mem::take(&mut self.used_holds), self.now).await?;
        for (slot, places) in &freed {
            places::hold(tx, *slot, -places).await?;
        }
        places::take(tx, taken).await?;
        self.freed.extend(freed.into_keys());
        Ok(())
    }

    /// Offers on what holds have left. The bookings are written by now: who has one is offered nothing.
    pub(super) async fn serve(&mut self, tx: &Tx) -> Result<(), Problem> {
        for id in std::mem::take(&mut self.freed) {
            let day = self.slots.get(&id).and_then(|slot| self.days.get(&slot.talk_day_id));
            if let Some(day) = day {
                waits::serve(tx, places::lock_one(tx, id).await?, day, self.now).await?;
            }
        }
        for hold in std::mem::take(&mut self.let_go) {
            if let Some(day) = self.days.get(&hold.talk_day_id) {
                waits::end(tx, day, &hold, WaitState::Left, self.now).await?;
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
        let busy = self.standing.get(&wish.principal()).map(|standing| standing.held.iter().copied().collect());
        let taker = Taker {
            busy: busy.unwrap_or_default(),
            privacy: Some(wish.body.privacy),
            mode: wish.body.mode.map(TalkMode::slug),
        };
        let near = self.near.get(&day.id).map(|near| near.for_taker(&taker)).unwrap_or_default();
        Ok(places::full(wanted, near.into_iter().filter(|slot| holds::free(slot) >= places).collect()))
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
