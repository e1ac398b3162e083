//! The days of a rule: what is to be done about them, and doing it.
//!
//! Days are locked before anybody looks who has to do with them: a booking under way holds its day in share, so the
//! lock waits for it and the look after the lock sees it. Two servers at once make each day once, because rule and date
//! are unique together.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use entity::{
    Instant, booking, booking_event, host_cover,
    id::{TalkDayId, TalkRuleId},
    slot, talk_day, talk_rule, talk_wait,
    talk_wait::WaitState,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType,
};

use super::talk_days;
use crate::{
    calendar::Calendar,
    clock,
    db::Tx,
    problem::Problem,
    talks::{
        plan::{Plan, StandingDay},
        rules::AHEAD,
        sittings::{Sitting, Sittings},
        terms::Terms,
    },
};

/// Whether rows are locked until the end of the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Something will be changed by what is read.
    Yes,
    /// It is only looked at.
    No,
}

/// The sittings for which there should be days by now.
pub fn ahead(sittings: &Sittings, calendar: &Calendar, now: Instant) -> Vec<Sitting> {
    let today = clock::local_day(now);
    sittings.within(today, today + AHEAD, calendar)
}

/// What is to be done so that the rule has these sittings.
pub async fn plan(
    tx: &Tx,
    rule: TalkRuleId,
    terms: &Terms,
    sittings: &[Sitting],
    hold: Hold,
    now: Instant,
) -> Result<Plan, Problem> {
    let days = days_of(tx, rule, sittings, hold, now).await?;
    let ids: Vec<TalkDayId> = days.iter().map(|day| day.id).collect();
    let (mut slots, bookings, waits) =
        (slots_of(tx, &ids).await?, bookings_of(tx, &ids).await?, waits_of(tx, &ids).await?);
    let left = left_by_bookings(tx, &ids).await?;
    let standing = |day: talk_day::Model| {
        let booked = bookings.get(&day.id).copied().unwrap_or_default();
        let waited = waits.get(&day.id).copied().unwrap_or_default();
        StandingDay {
            slots: slots.remove(&day.id).unwrap_or_default(),
            bookings: booked.now,
            waiting: waited.now,
            touched: booked.ever + waited.ever > 0 || left.contains(&day.id),
            day,
        }
    };
    let days: Vec<StandingDay> = days.into_iter().map(standing).collect();
    Ok(Plan::of(sittings, terms, &days, now))
}

/// Makes, replaces and takes away days; what is kept is left alone.
pub async fn carry_out(
    tx: &Tx,
    rule: &talk_rule::Model,
    terms: &Terms,
    plan: Plan,
    now: Instant,
) -> Result<(), Problem> {
    let gone: Vec<TalkDayId> = plan.removed.iter().chain(&plan.remade).map(|(id, _)| *id).collect();
    if !gone.is_empty() {
        host_cover::Entity::delete_many()
            .filter(host_cover::COLUMN.talk_day_id.is_in(gone.iter().copied()))
            .exec(tx)
            .await?;
        slot::Entity::delete_many().filter(slot::COLUMN.talk_day_id.is_in(gone.iter().copied())).exec(tx).await?;
        talk_day::Entity::delete_many().filter(talk_day::COLUMN.id.is_in(gone)).exec(tx).await?;
    }
    let again = plan.remade.iter().map(|(_, date)| *date);
    let mut dates: Vec<NaiveDate> = plan.made.iter().copied().chain(again).collect();
    dates.sort_unstable();
    for date in dates {
        talk_days::insert(tx, rule.division_id, Some(rule.id), terms, &terms.on(date)?, now).await?;
    }
    Ok(())
}

/// Whether the rule may have something to do about its days; a look that locks nothing and asks little.
pub async fn is_behind(
    db: &impl ConnectionTrait,
    rule: &talk_rule::Model,
    calendar: &Calendar,
    now: Instant,
) -> Result<bool, Problem> {
    let (terms, sittings) = (Terms::try_from(rule)?, Sittings::try_from(rule)?);
    let ahead = ahead(&sittings, calendar, now);
    let untouched = |day| StandingDay { day, slots: vec![], bookings: 0, waiting: 0, touched: false };
    let days: Vec<_> = days_of(db, rule.id, &ahead, Hold::No, now).await?.into_iter().map(untouched).collect();
    let plan = Plan::of(&ahead, &terms, &days, now);
    Ok(!plan.made.is_empty() || (sittings.follows_holidays() && !plan.removed.is_empty()))
}

/// Brings the days of a rule up to date, if it still stands: makes those that are missing, and, where the rule follows
/// the public holidays, moves those that people have nothing to do with to where the calendar puts them by now.
pub async fn catch_up(tx: &Tx, id: TalkRuleId, calendar: &Calendar, now: Instant) -> Result<(), Problem> {
    let standing = talk_rule::Entity::find_by_id(id).filter(talk_rule::COLUMN.ended_at.is_null());
    // Another server may be about to do the same; it waits here and finds it done.
    let Some(rule) = standing.lock(LockType::NoKeyUpdate).one(tx).await? else { return Ok(()) };
    let (terms, sittings) = (Terms::try_from(&rule)?, Sittings::try_from(&rule)?);
    let hold = if sittings.follows_holidays() { Hold::Yes } else { Hold::No };
    let mut plan = plan(tx, id, &terms, &ahead(&sittings, calendar, now), hold, now).await?;
    // Nobody changed the rule: a day that is otherwise was made so.
    plan.remade.clear();
    if hold == Hold::No {
        plan.removed.clear();
    }
    carry_out(tx, &rule, &terms, plan, now).await
}

/// Days of a rule, of today and later, and those that a sitting to come stands for or that were shifted from then.
async fn days_of(
    db: &impl ConnectionTrait,
    rule: TalkRuleId,
    sittings: &[Sitting],
    hold: Hold,
    now: Instant,
) -> Result<Vec<talk_day::Model>, Problem> {
    let today = clock::local_day(now);
    let behind = |sitting: &Sitting| sitting.stands_for.first().copied().into_iter().chain(sitting.moved_from).min();
    let first = sittings.iter().filter_map(behind).min();
    let from = first.map_or(today, |first| today.min(first));
    let then = Condition::any().add(talk_day::COLUMN.on_date.gte(from)).add(talk_day::COLUMN.shifted_from.gte(from));
    let mut query = talk_day::Entity::find()
        .filter(talk_day::COLUMN.rule_id.eq(Some(rule)))
        .filter(then)
        .order_by_asc(talk_day::Column::Id);
    if hold == Hold::Yes {
        query = query.lock_exclusive();
    }
    let mut days = query.all(db).await?;
    days.sort_by_key(|day| (day.on_date, day.id));
    Ok(days)
}

async fn slots_of(tx: &Tx, days: &[TalkDayId]) -> Result<BTreeMap<TalkDayId, Vec<slot::Model>>, Problem> {
    let rows = slot::Entity::find()
        .filter(slot::COLUMN.talk_day_id.is_in(days.iter().copied()))
        .order_by_asc(slot::Column::StartsAt)
        .all(tx)
        .await?;
    let mut of_day = BTreeMap::<_, Vec<_>>::new();
    for row in rows {
        of_day.entry(row.talk_day_id).or_default().push(row);
    }
    Ok(of_day)
}

/// How many there are, and how many there ever were.
#[derive(Clone, Copy, Default)]
struct Count {
    now: u64,
    ever: u64,
}

async fn bookings_of(tx: &Tx, days: &[TalkDayId]) -> Result<BTreeMap<TalkDayId, Count>, Problem> {
    let rows: Vec<(TalkDayId, bool)> = booking::Entity::find()
        .select_only()
        .column(booking::Column::TalkDayId)
        .column(booking::Column::Live)
        .filter(booking::COLUMN.talk_day_id.is_in(days.iter().copied()))
        .into_tuple()
        .all(tx)
        .await?;
    Ok(count(rows))
}

/// Days on which something happened to a booking that has moved to another day since.
async fn left_by_bookings(tx: &Tx, days: &[TalkDayId]) -> Result<BTreeSet<TalkDayId>, Problem> {
    let rows = booking_event::Entity::find()
        .select_only()
        .column(booking_event::Column::TalkDayId)
        .distinct()
        .filter(booking_event::COLUMN.talk_day_id.is_in(days.iter().copied()));
    Ok(rows.into_tuple::<TalkDayId>().all(tx).await?.into_iter().collect())
}

async fn waits_of(tx: &Tx, days: &[TalkDayId]) -> Result<BTreeMap<TalkDayId, Count>, Problem> {
    let rows: Vec<(TalkDayId, WaitState)> = talk_wait::Entity::find()
        .select_only()
        .column(talk_wait::Column::TalkDayId)
        .column(talk_wait::Column::State)
        .filter(talk_wait::COLUMN.talk_day_id.is_in(days.iter().copied()))
        .into_tuple()
        .all(tx)
        .await?;
    let waits = |state| matches!(state, WaitState::Waiting | WaitState::Held);
    Ok(count(rows.into_iter().map(|(day, state)| (day, waits(state)))))
}

fn count(rows: impl IntoIterator<Item = (TalkDayId, bool)>) -> BTreeMap<TalkDayId, Count> {
    let mut counts = BTreeMap::<TalkDayId, Count>::new();
    for (day, now) in rows {
        let count = counts.entry(day).or_default();
        count.ever += 1;
        count.now += u64::from(now);
    }
    counts
}
