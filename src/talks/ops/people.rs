//! Bookings and waiting lists when a person is joined with another, or forgotten.
//!
//! Everything is looked up, then locked in the order that everybody keeps (days, persons, slots), then read again: what is
//! done rests on rows that nobody else moves meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use entity::{
    Instant, booking,
    booking::BookingState,
    file::FileThing,
    id::{BookingId, PersonId, SlotId, TalkDayId, TalkWaitId},
    talk_day,
    talk_wait::{self, WaitState},
    talk_waiter,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    sea_query::{Expr, LockType},
};
use serde_json::json;

use super::{
    bookings::{give_back, lose},
    places, round, standing, waits,
};
use crate::{
    db::{Tx, padded},
    files,
    problem::Problem,
    talks::terms::stored,
};

async fn live(tx: &Tx, people: &[PersonId]) -> Result<Vec<booking::Model>, Problem> {
    let rows = booking::Entity::find()
        .filter(booking::COLUMN.person_id.is_in(people.iter().copied()))
        .filter(places::live())
        .order_by_asc(booking::Column::TalkDayId);
    Ok(rows.all(tx).await?)
}

/// Entries of waiting lists that concern these people and that still wait or hold.
async fn waiting(tx: &Tx, people: &[PersonId]) -> Result<Vec<talk_wait::Model>, Problem> {
    let theirs = talk_waiter::Entity::find().select_only().column(talk_waiter::Column::WaitId);
    let theirs = theirs.filter(talk_waiter::COLUMN.person_id.is_in(people.iter().copied()));
    let rows = talk_wait::Entity::find()
        .filter(talk_wait::Column::Id.in_subquery(theirs.into_query()))
        .filter(talk_wait::COLUMN.state.is_in([WaitState::Waiting, WaitState::Held]))
        .order_by_asc(talk_wait::Column::Id);
    Ok(rows.all(tx).await?)
}

/// What people have to do with talk days, with its days, slots and the people themselves locked.
struct Locked {
    days: BTreeMap<TalkDayId, talk_day::Model>,
    bookings: Vec<booking::Model>,
    waits: Vec<talk_wait::Model>,
}

impl Locked {
    async fn open(tx: &Tx, people: &[PersonId], now: Instant) -> Result<Self, Problem> {
        let (booked, waited) = (live(tx, people).await?, waiting(tx, people).await?);
        let named = booked.iter().map(|row| row.talk_day_id).chain(waited.iter().map(|row| row.talk_day_id));
        let mut days = BTreeMap::new();
        for id in named.collect::<BTreeSet<_>>() {
            days.insert(id, round::lock_day(tx, id).await?);
        }
        standing::lock_people(tx, people.iter().copied().collect(), now).await?;
        let (bookings, waits) = (live(tx, people).await?, waiting(tx, people).await?);
        let slots = bookings.iter().map(|row| row.slot_id).chain(waits.iter().map(|row| row.slot_id));
        let slots: BTreeSet<SlotId> = slots.collect();
        let known = bookings.iter().map(|row| row.talk_day_id).chain(waits.iter().map(|row| row.talk_day_id));
        if !known.into_iter().all(|day| days.contains_key(&day)) {
            return Err(Problem::try_again("somebody took a place meanwhile"));
        }
        if !slots.is_empty() {
            places::lock(tx, slots).await?;
        }
        Ok(Self { days, bookings, waits })
    }

    fn day(&self, id: TalkDayId) -> Result<&talk_day::Model, Problem> {
        self.days.get(&id).ok_or_else(|| Problem::unexpected("a day that was not locked"))
    }

    /// Gives a place up, unless it is none any more.
    async fn give_up(
        &self,
        tx: &Tx,
        id: BookingId,
        states: &[BookingState],
        reason: &str,
        now: Instant,
    ) -> Result<(), Problem> {
        let row = booking::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(tx).await?;
        let Some(row) = row.filter(|row| row.live && (states.is_empty() || states.contains(&row.state))) else {
            return Ok(());
        };
        let day = self.day(row.talk_day_id)?;
        let row = lose(tx, row, Some(reason.to_owned()), now).await?;
        give_back(tx, day, &row, now).await?;
        Ok(())
    }
}

/// Gives every place of somebody back and takes their words out. That they were heard stays counted.
pub async fn cancel_all(tx: &Tx, person: PersonId, now: Instant) -> Result<(), Problem> {
    let locked = Locked::open(tx, &[person], now).await?;
    for row in &locked.bookings {
        let ahead = [BookingState::Booked, BookingState::ToConfirm];
        locked.give_up(tx, row.id, &ahead, "person_left", now).await?;
    }
    for wait in &locked.waits {
        if let Some(slot) = waits::end(tx, locked.day(wait.talk_day_id)?, wait, WaitState::Left, now).await? {
            waits::tell_others(tx, stored(&wait.party)?, person, &slot, now).await?;
        }
    }
    let theirs = booking::Entity::find().select_only().column(booking::Column::Id);
    let theirs = theirs.filter(booking::COLUMN.person_id.eq(person)).into_query();
    files::drop_of_those(tx, FileThing::Booking, theirs).await?;
    booking::Entity::update_many()
        .col_expr(booking::Column::Summary, Expr::val(""))
        .col_expr(booking::Column::AgendaTitle, Expr::value(Option::<String>::None))
        .col_expr(booking::Column::Address, Expr::value(Option::<String>::None))
        .col_expr(booking::Column::ObjectionText, Expr::value(Option::<String>::None))
        .col_expr(booking::Column::CancelReason, Expr::value(Option::<String>::None))
        .col_expr(booking::Column::AgentId, Expr::value(Option::<PersonId>::None))
        .filter(booking::COLUMN.person_id.eq(person))
        .exec(tx)
        .await?;
    Ok(())
}

/// The bookings of one become those of the other. Where both have a place on a day, the one by which they were heard
/// stays, else the other's own.
pub async fn move_bookings(tx: &Tx, from: PersonId, into: PersonId, now: Instant) -> Result<(), Problem> {
    let locked = Locked::open(tx, &[from, into], now).await?;
    let (own, theirs): (Vec<&booking::Model>, _) = locked.bookings.iter().partition(|row| row.person_id == into);
    let heard = |row: &booking::Model| row.state == BookingState::Concluded;
    for row in theirs {
        let Some(own) = own.iter().find(|own| own.talk_day_id == row.talk_day_id) else { continue };
        let lost = if heard(row) && !heard(own) { own } else { &row };
        locked.give_up(tx, lost.id, &[], "same_person", now).await?;
    }
    for column in [booking::Column::PersonId, booking::Column::AgentId] {
        booking::Entity::update_many().col_expr(column, Expr::val(into)).filter(column.eq(from)).exec(tx).await?;
    }
    move_waits(tx, &locked, from, into, now).await?;
    move_waiters(tx, from, into).await?;
    for column in [talk_wait::Column::PersonId, talk_wait::Column::AgentId] {
        talk_wait::Entity::update_many().col_expr(column, Expr::val(into)).filter(column.eq(from)).exec(tx).await?;
    }
    Ok(())
}

/// Every open entry that speaks of the one speaks of the other, whoever joined the list.
async fn move_waits(tx: &Tx, locked: &Locked, from: PersonId, into: PersonId, now: Instant) -> Result<(), Problem> {
    let own: BTreeSet<SlotId> =
        locked.waits.iter().filter(|wait| wait.person_id == into).map(|wait| wait.slot_id).collect();
    for wait in &locked.waits {
        let Some(row) = waits::open(tx, wait.id).await? else { continue };
        let party: Vec<PersonId> = stored(&row.party)?;
        if !party.contains(&from) {
            continue;
        }
        let day = locked.day(row.talk_day_id)?;
        if row.person_id == from && own.contains(&row.slot_id) {
            waits::end(tx, day, &row, WaitState::Left, now).await?;
            continue;
        }
        let mut joined = Vec::with_capacity(party.len());
        for person in party.into_iter().map(|one| if one == from { into } else { one }) {
            if !joined.contains(&person) {
                joined.push(person);
            }
        }
        let needed = i32::try_from(joined.len()).map_err(Problem::unexpected)?;
        let (held, slot, fewer) = (row.state == WaitState::Held, row.slot_id, row.places - needed);
        let mut row = row.into_active_model();
        row.party = Set(json!(joined));
        row.places = Set(needed);
        row.update(tx).await?;
        if held && fewer > 0 {
            let slot = places::hold(tx, slot, -fewer).await?;
            waits::serve(tx, slot, day, now).await?;
        }
    }
    Ok(())
}

/// Whom entries concern, those that have ended too: nothing may speak of who is no more.
async fn move_waiters(tx: &Tx, from: PersonId, into: PersonId) -> Result<(), Problem> {
    let own: Vec<TalkWaitId> = talk_waiter::Entity::find()
        .select_only()
        .column(talk_waiter::Column::WaitId)
        .filter(talk_waiter::COLUMN.person_id.eq(into))
        .into_tuple()
        .all(tx)
        .await?;
    if !own.is_empty() {
        talk_waiter::Entity::delete_many()
            .filter(talk_waiter::COLUMN.person_id.eq(from))
            .filter(talk_waiter::COLUMN.wait_id.is_in(padded(own)))
            .exec(tx)
            .await?;
    }
    talk_waiter::Entity::update_many()
        .col_expr(talk_waiter::Column::PersonId, Expr::val(into))
        .filter(talk_waiter::COLUMN.person_id.eq(from))
        .exec(tx)
        .await?;
    Ok(())
}
