//! Talk days of somebody who is away: their stand-in hosts them, as far as they may, until the absence is over.
//!
//! What moved is written down day by day, so that it can be given back, and so that a day that could not move is spoken
//! of once. The audit names the hosts each time they change. Next: [`super::host_leaves`], which does the same by hand.

use std::sync::Arc;

use chrono::NaiveDate;
use entity::{
    Instant, absence, division,
    host_cover::{self, CoverState},
    id::{AbsenceId, DivisionId, HostCoverId, StaffId, TalkDayId},
    posting, talk_day,
    talk_day::TalkDayState,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::{LockType, OnConflict, Query},
};

use super::{host_leaves::hand_over, hosts};
use crate::{
    app::App,
    audit::{Actor, Entry},
    db::Tx,
    divisions,
    problem::Problem,
    talks::terms::stored,
};

/// Lets the stand-in of somebody who is away host their days from `from` on, as long as the absence lasts. A day that
/// the stand-in may not host, or hosts already, stays as it is. Running it twice changes nothing.
pub async fn cover(app: &Arc<App>, away: &absence::Model, from: NaiveDate) -> Result<(), Problem> {
    let now = app.clock.now();
    for day in hosted(app, away, from, now).await? {
        let (app, away) = (app.clone(), away.clone());
        let db = app.db.clone();
        db.transact(async move |tx| cover_day(tx, &app, &away, day, now).await).await?;
    }
    Ok(())
}

async fn cover_day(tx: &Tx, app: &App, away: &absence::Model, id: TalkDayId, now: Instant) -> Result<(), Problem> {
    // Held before the day: whoever ends the absence waits, and finds what was covered.
    let lasts = absence::Entity::find_by_id(away.id).filter(absence::COLUMN.ended_at.is_null());
    if lasts.lock(LockType::NoKeyUpdate).one(tx).await?.is_none() {
        return Ok(());
    }
    let row = talk_day::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(tx).await?;
    let Some(day) = row.filter(|day| is_held_by(day, away.staff_id, away.stand_in_id, now)) else { return Ok(()) };
    let entry = Entry::done("cover_talk_day", "talk_day", id);
    if !may_take(tx, &day, away.stand_in_id).await? {
        let known = host_cover::Entity::find().filter(of(away.id, id)).one(tx).await?;
        if known.is_some() {
            return Ok(());
        }
        write(tx, away.id, id, CoverState::Left, now).await?;
        let named: Vec<StaffId> = stored(&day.hosts)?;
        return hosts::entered(tx, app, &Actor::clock(), entry.ended("left"), &named, now).await;
    }
    let named = hand_over(tx, day, away.staff_id, away.stand_in_id, now).await?;
    write(tx, away.id, id, CoverState::Covered, now).await?;
    hosts::entered(tx, app, &Actor::clock(), entry, &named, now).await
}

/// Gives the days that are still to come back to somebody whose absence is over: those that the stand-in was given for
/// it and still hosts.
pub async fn give_back(tx: &Tx, app: &App, over: &absence::Model, by: &Actor, now: Instant) -> Result<(), Problem> {
    let covered = host_cover::Entity::find()
        .filter(host_cover::COLUMN.absence_id.eq(over.id))
        .filter(host_cover::COLUMN.state.eq(CoverState::Covered))
        .order_by_asc(host_cover::Column::TalkDayId);
    let mut given = Vec::new();
    for cover in covered.all(tx).await? {
        let id = cover.talk_day_id;
        let row = talk_day::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(tx).await?;
        write(tx, over.id, id, CoverState::Over, now).await?;
        let Some(day) = row.filter(|day| is_held_by(day, over.stand_in_id, over.staff_id, now)) else { continue };
        if may_take(tx, &day, over.staff_id).await? {
            given.push((id, hand_over(tx, day, over.stand_in_id, over.staff_id, now).await?));
        }
    }
    // After all days are locked: who enters holds the end of the audit.
    for (id, named) in given {
        hosts::entered(tx, app, by, Entry::done("give_talk_day_back", "talk_day", id), &named, now).await?;
    }
    Ok(())
}

/// Whether a day that is not over is hosted by the one and not by the other.
fn is_held_by(day: &talk_day::Model, one: StaffId, other: StaffId, now: Instant) -> bool {
    let named: Vec<StaffId> = stored(&day.hosts).unwrap_or_default();
    let stands = day.state == TalkDayState::Planned && day.ends_at > now;
    stands && named.contains(&one) && !named.contains(&other)
}

/// Whether somebody has the duty to host the day, and is there.
async fn may_take(tx: &Tx, day: &talk_day::Model, who: StaffId) -> Result<bool, Problem> {
    let place = divisions::find(tx, day.division_id).await?;
    let may = hosts::may_host(tx, &place, &[who], day.on_date).await?.contains(&who);
    Ok(may && !hosts::is_away(tx, who, day.on_date).await?)
}

fn of(absence: AbsenceId, day: TalkDayId) -> Condition {
    Condition::all().add(host_cover::COLUMN.absence_id.eq(absence)).add(host_cover::COLUMN.talk_day_id.eq(day))
}

async fn write(tx: &Tx, absence: AbsenceId, day: TalkDayId, state: CoverState, now: Instant) -> Result<(), Problem> {
    let row = host_cover::ActiveModel {
        id: Set(HostCoverId::fresh()),
        absence_id: Set(absence),
        talk_day_id: Set(day),
        state: Set(state),
        at: Set(now),
    };
    let again = OnConflict::columns([host_cover::Column::AbsenceId, host_cover::Column::TalkDayId])
        .update_columns([host_cover::Column::State, host_cover::Column::At])
        .to_owned();
    host_cover::Entity::insert(row).on_conflict(again).exec_without_returning(tx).await?;
    Ok(())
}

/// Days until the absence ends, where the absent one is posted or below, that the stand-in is to host.
async fn hosted(app: &App, away: &absence::Model, from: NaiveDate, now: Instant) -> Result<Vec<TalkDayId>, Problem> {
    let db = app.db.read();
    let posted: Vec<DivisionId> = posting::Entity::find()
        .select_only()
        .column(posting::Column::DivisionId)
        .filter(posting::COLUMN.staff_id.eq(away.staff_id))
        .distinct()
        .into_tuple()
        .all(db)
        .await?;
    let below = posted.into_iter().fold(Condition::any(), |any, place| any.add(divisions::subtree(place)));
    let places = Query::select().column(division::Column::Id).from(division::Entity).cond_where(below).to_owned();
    let days = talk_day::Entity::find()
        .filter(talk_day::COLUMN.on_date.between(from, away.until_on))
        .filter(talk_day::COLUMN.ends_at.gt(now))
        .filter(talk_day::Column::DivisionId.in_subquery(places))
        .order_by_asc(talk_day::Column::Id)
        .all(db)
        .await?;
    let held = |day: &talk_day::Model| is_held_by(day, away.staff_id, away.stand_in_id, now);
    Ok(days.into_iter().filter(held).map(|day| day.id).collect())
}
