//! Who of a waiting list is offered what is free: in the order of joining, whoever can take it.
//!
//! Passed over, and kept in the list, are a party that needs more places than there are and whoever may not have one: they
//! have a place on that day or one is held for them, they are at the limit of bookings, or had their offer on that day
//! and let it go. What nobody of the list can take is everybody's.

use std::collections::{BTreeMap, BTreeSet};

use entity::{
    Instant,
    id::{PersonId, SlotId, TalkDayId, TalkWaitId},
    slot, talk_day,
    talk_wait::{self, WaitState},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    Set,
};
use serde_json::json;

use super::{places, standing};
use crate::{
    db::Tx,
    notices::{self, About, Telling},
    problem::Problem,
    talks::{
        holds,
        rules::{self, Standing, spoken},
        terms::stored,
    },
};

/// Entries of one list that are looked at in one go.
const LOOKED_AT: u64 = 100;

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
    let mut after = 0;
    let mut served = BTreeSet::new();
    let mut tellings = Vec::new();
    while holds::free(&slot) > 0 {
        let batch = fitting(tx, slot.id, after, holds::free(&slot)).await?;
        let Some(last) = batch.last() else { break };
        after = last.turn;
        let may = Permitted::read(tx, &batch, now).await?;
        for next in batch {
            let party: Vec<PersonId> = stored(&next.party)?;
            let twice = party.iter().any(|person| served.contains(person));
            if next.places > holds::free(&slot) || twice || !may.be_offered(&next, &party) {
                continue;
            }
            let until = holds::held_until(now, day.closes_at);
            let places = next.places;
            let mut row = next.into_active_model();
            row.state = Set(WaitState::Held);
            row.held_at = Set(Some(now));
            row.held_until = Set(Some(until));
            row.update(tx).await?;
            slot = places::hold(tx, slot.id, places).await?;
            let params = json!({"when": spoken(slot.starts_at), "until": spoken(until)});
            for person in party {
                served.insert(person);
                tellings.push(Telling { person, kind: "wait_held", about: About::Oneself, params: params.clone() });
            }
        }
    }
    notices::tell(tx, tellings, now).await?;
    Ok(slot)
}

/// Those who wait for a slot and come after a turn, as far as so many places are enough for them.
async fn fitting(tx: &Tx, slot: SlotId, after: i32, places: i32) -> Result<Vec<talk_wait::Model>, Problem> {
    let waiting = talk_wait::Entity::find()
        .filter(talk_wait::COLUMN.slot_id.eq(slot))
        .filter(talk_wait::COLUMN.state.eq(WaitState::Waiting))
        .filter(talk_wait::COLUMN.turn.gt(after))
        .filter(talk_wait::COLUMN.places.lte(places))
        .order_by_asc(talk_wait::Column::Turn);
    Ok(waiting.limit(LOOKED_AT).all(tx).await?)
}

/// What decides whether a place may be held for those who wait.
struct Permitted {
    standing: BTreeMap<PersonId, Standing>,
    had_theirs: BTreeSet<(TalkDayId, PersonId)>,
}

impl Permitted {
    async fn read(db: &impl ConnectionTrait, waits: &[talk_wait::Model], now: Instant) -> Result<Self, Problem> {
        let mut people = BTreeSet::new();
        for wait in waits {
            people.extend(stored::<Vec<PersonId>>(&wait.party)?);
        }
        let days = waits.iter().map(|wait| wait.talk_day_id).collect();
        Ok(Self {
            had_theirs: standing::had_theirs(db, days, people.clone()).await?,
            standing: standing::look(db, people, now).await?,
        })
    }

    fn be_offered(&self, wait: &talk_wait::Model, party: &[PersonId]) -> bool {
        let day = wait.talk_day_id;
        party.iter().all(|person| {
            let may = self.standing.get(person).is_some_and(|standing| rules::may_be_offered(standing, day));
            may && !self.had_theirs.contains(&(day, *person))
        })
    }
}

/// Those of these entries that wait and are offered nothing as things stand.
pub(super) async fn passed_over(
    db: &impl ConnectionTrait,
    waits: &[talk_wait::Model],
    now: Instant,
) -> Result<BTreeSet<TalkWaitId>, Problem> {
    let waiting: Vec<talk_wait::Model> =
        waits.iter().filter(|wait| wait.state == WaitState::Waiting).cloned().collect();
    let may = Permitted::read(db, &waiting, now).await?;
    let mut found = BTreeSet::new();
    for wait in &waiting {
        if !may.be_offered(wait, &stored::<Vec<PersonId>>(&wait.party)?) {
            found.insert(wait.id);
        }
    }
    Ok(found)
}
