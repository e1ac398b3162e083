//! What a person's wish for a place is measured by: what they hold, what is held for them, what they missed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use entity::{
    Instant, booking,
    booking::{BookingChannel, BookingState, MissedObjection},
    id::{PersonId, SlotId, TalkDayId, TalkWaitId},
    person, talk_day, talk_wait,
    talk_wait::WaitState,
    talk_waiter,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder,
    QuerySelect, sea_query::LockType,
};

use super::places::live;
use crate::{
    clock::local_day,
    db::{Tx, padded},
    problem::Problem,
    talks::rules::{self, MISSED_COUNTS_FOR, Offer, Standing},
};

type Known = (PersonId, bool, Option<NaiveDate>, Option<NaiveDate>);

/// Locks the persons, so that their calls count one by one: what they hold, what they missed, whether limits bind them.
/// Whoever was forgotten or joined with another meanwhile is not among them.
pub(super) async fn lock_people(
    tx: &Tx,
    people: BTreeSet<PersonId>,
    now: Instant,
) -> Result<BTreeMap<PersonId, Standing>, Problem> {
    let people = padded(people);
    // Weaker than FOR UPDATE, so that rows which only refer to a person need not wait.
    let known: Vec<Known> = known(&people).lock(LockType::NoKeyUpdate).into_tuple().all(tx).await?;
    of(tx, known, &people, now).await
}

/// The same without a lock, as it stands in this moment.
pub(super) async fn look(
    db: &impl ConnectionTrait,
    people: BTreeSet<PersonId>,
    now: Instant,
) -> Result<BTreeMap<PersonId, Standing>, Problem> {
    if people.is_empty() {
        return Ok(BTreeMap::new());
    }
    let people = padded(people);
    let known: Vec<Known> = known(&people).into_tuple().all(db).await?;
    of(db, known, &people, now).await
}

fn known(people: &[PersonId]) -> sea_orm::Select<person::Entity> {
    let columns =
        [person::Column::Id, person::Column::Minor, person::Column::PriorityFrom, person::Column::PriorityUntil];
    person::Entity::find()
        .select_only()
        .columns(columns)
        .filter(person::COLUMN.id.is_in(people.iter().copied()))
        .filter(person::COLUMN.closed_at.is_null())
        .order_by_asc(person::Column::Id)
}

async fn of(
    db: &impl ConnectionTrait,
    known: Vec<Known>,
    people: &[PersonId],
    now: Instant,
) -> Result<BTreeMap<PersonId, Standing>, Problem> {
    let today = local_day(now);
    let mut standing: BTreeMap<PersonId, Standing> = BTreeMap::new();
    for (id, minor, from, until) in known {
        let priority = from.is_some_and(|from| from <= today) || until.is_some_and(|until| until >= today);
        standing.insert(id, Standing { priority, minor, ..Standing::default() });
    }
    let live = live_of(db, people).await?;
    let ends = ends_of(db, live.iter().map(|row| row.talk_day_id).collect(), now).await?;
    for row in live {
        let (Some(ends_at), Some(standing)) = (ends.get(&row.talk_day_id), standing.get_mut(&row.person_id)) else {
            continue;
        };
        if *ends_at > now {
            standing.held.push(row.talk_day_id);
        }
        let missed = rules::counts_as_missed(row.state, row.objection, row.channel, row.arrived_at);
        standing.missed += usize::from(missed);
    }
    for (person, offer) in offers(db, people).await? {
        if let Some(standing) = standing.get_mut(&person) {
            standing.offers.push(offer);
        }
    }
    Ok(standing)
}

#[derive(FromQueryResult)]
struct Live {
    person_id: PersonId,
    talk_day_id: TalkDayId,
    state: BookingState,
    objection: Option<MissedObjection>,
    channel: BookingChannel,
    arrived_at: Option<Instant>,
}

async fn live_of(db: &impl ConnectionTrait, people: &[PersonId]) -> Result<Vec<Live>, Problem> {
    use booking::Column;
    let columns =
        [Column::PersonId, Column::TalkDayId, Column::State, Column::Objection, Column::Channel, Column::ArrivedAt];
    let rows = booking::Entity::find().select_only().columns(columns);
    let rows = rows.filter(booking::COLUMN.person_id.is_in(people.iter().copied())).filter(live());
    Ok(rows.into_model().all(db).await?)
}

/// When these days end, of those that are ahead or lately past. Two statements, each by its key: a join leaves it to
/// statistics whether whole tables are read.
async fn ends_of(
    db: &impl ConnectionTrait,
    days: BTreeSet<TalkDayId>,
    now: Instant,
) -> Result<BTreeMap<TalkDayId, Instant>, Problem> {
    if days.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ends = talk_day::Entity::find().select_only().columns([talk_day::Column::Id, talk_day::Column::EndsAt]);
    let ends = ends.filter(talk_day::COLUMN.id.is_in(padded(days)));
    let lately = ends.filter(talk_day::COLUMN.ends_at.gt(now - MISSED_COUNTS_FOR));
    Ok(lately.into_tuple::<(TalkDayId, Instant)>().all(db).await?.into_iter().collect())
}

/// Entries of waiting lists with whom they concern, by person.
fn concerning(people: &[PersonId]) -> sea_orm::Select<talk_waiter::Entity> {
    let wait =
        talk_waiter::Entity::belongs_to(talk_wait::Entity).from(talk_waiter::Column::WaitId).to(talk_wait::Column::Id);
    talk_waiter::Entity::find()
        .select_only()
        .column(talk_waiter::Column::PersonId)
        .join(JoinType::InnerJoin, wait.into())
        .filter(talk_waiter::COLUMN.person_id.is_in(people.iter().copied()))
}

/// Places that are held for these people.
async fn offers(db: &impl ConnectionTrait, people: &[PersonId]) -> Result<Vec<(PersonId, Offer)>, Problem> {
    let held = concerning(people)
        .columns([talk_wait::Column::TalkDayId])
        .columns([talk_wait::Column::SlotId, talk_wait::Column::Id])
        .filter(talk_wait::COLUMN.state.eq(WaitState::Held));
    let rows: Vec<(PersonId, TalkDayId, SlotId, TalkWaitId)> = held.into_tuple().all(db).await?;
    Ok(rows.into_iter().map(|(person, day, slot, wait)| (person, Offer { day, slot, wait })).collect())
}

/// For whom a place was held on these days in vain: it expired, or they left while it was held.
pub(super) async fn had_theirs(
    db: &impl ConnectionTrait,
    days: BTreeSet<TalkDayId>,
    people: BTreeSet<PersonId>,
) -> Result<BTreeSet<(TalkDayId, PersonId)>, Problem> {
    if days.is_empty() || people.is_empty() {
        return Ok(BTreeSet::new());
    }
    let people = padded(people);
    let in_vain = Condition::any().add(talk_wait::COLUMN.state.eq(WaitState::Expired)).add(
        Condition::all().add(talk_wait::COLUMN.state.eq(WaitState::Left)).add(talk_wait::COLUMN.held_at.is_not_null()),
    );
    let rows = concerning(&people)
        .column(talk_wait::Column::TalkDayId)
        .filter(talk_wait::COLUMN.talk_day_id.is_in(padded(days)))
        .filter(in_vain);
    let rows: Vec<(PersonId, TalkDayId)> = rows.into_tuple().all(db).await?;
    Ok(rows.into_iter().map(|(person, day)| (day, person)).collect())
}
