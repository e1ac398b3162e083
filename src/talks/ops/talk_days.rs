//! Talk days: finding them, making them with their slots. Changing them: [`super::cancel_day`], [`super::shift_day`],
//! [`super::host_leaves`].

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::{
    Instant,
    id::{DivisionId, SlotId, TalkDayId, TalkRuleId},
    slot, talk_day,
    talk_day::{TalkDayState, TalkPurpose},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{LockType, OnConflict},
};
use serde_json::json;

use super::hosts;
use crate::{
    app::App,
    audit::{Actor, Entry},
    auth::{Staff, duty::ManageTalks},
    db::Tx,
    divisions,
    problem::Problem,
    talks::{
        bodies::SingleDayBody,
        terms::{self, DatedTerms, Terms},
        words,
    },
};

/// A day and its slots, in order.
pub struct SlottedDay {
    pub day: talk_day::Model,
    pub slots: Vec<slot::Model>,
}

/// Which days: of a place, from and to both included, of one purpose or of all, after a place in the list.
pub struct Wanted {
    pub division: DivisionId,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub purpose: Option<TalkPurpose>,
    pub after: Option<(Instant, TalkDayId)>,
    pub limit: u64,
}

/// Days of a place by their start, at most `limit + 1`; 404 when there is no such place.
pub async fn list(app: &App, wanted: Wanted) -> Result<Vec<SlottedDay>, Problem> {
    let mut query = talk_day::Entity::find()
        .filter(talk_day::COLUMN.division_id.eq(wanted.division))
        .filter(talk_day::COLUMN.on_date.between(wanted.from, wanted.to));
    if let Some(purpose) = wanted.purpose {
        query = query.filter(talk_day::COLUMN.purpose.eq(purpose));
    }
    if let Some((starts_at, id)) = wanted.after {
        let same = Condition::all().add(talk_day::COLUMN.starts_at.eq(starts_at)).add(talk_day::COLUMN.id.gt(id));
        query = query.filter(Condition::any().add(talk_day::COLUMN.starts_at.gt(starts_at)).add(same));
    }
    let by_start = query.order_by_asc(talk_day::Column::StartsAt).order_by_asc(talk_day::Column::Id);
    let days = by_start.limit(wanted.limit + 1).all(app.db.read()).await?;
    if days.is_empty() {
        // An old app may name a village that was merged: the days of the one that took it in are theirs.
        let place = divisions::standing(app.db.read(), wanted.division).await?;
        if place.id != wanted.division {
            return Box::pin(list(app, Wanted { division: place.id, ..wanted })).await;
        }
    }
    with_slots(app.db.read(), days).await
}

/// One day, or 404.
pub async fn find(db: &impl ConnectionTrait, id: TalkDayId) -> Result<SlottedDay, Problem> {
    let day = talk_day::Entity::find_by_id(id).one(db).await?.ok_or_else(Problem::not_found)?;
    with_slots(db, vec![day]).await?.pop().ok_or_else(Problem::not_found)
}

async fn with_slots(db: &impl ConnectionTrait, days: Vec<talk_day::Model>) -> Result<Vec<SlottedDay>, Problem> {
    if days.is_empty() {
        return Ok(vec![]);
    }
    let rows = slot::Entity::find()
        .filter(slot::COLUMN.talk_day_id.is_in(days.iter().map(|day| day.id)))
        .order_by_asc(slot::Column::StartsAt)
        .all(db)
        .await?;
    let mut of_day = BTreeMap::<TalkDayId, Vec<slot::Model>>::new();
    for row in rows {
        of_day.entry(row.talk_day_id).or_default().push(row);
    }
    Ok(days.into_iter().map(|day| SlottedDay { slots: of_day.remove(&day.id).unwrap_or_default(), day }).collect())
}

/// Makes a day with its slots; `None` when the rule has made it before.
pub async fn insert(
    tx: &Tx,
    division: DivisionId,
    rule: Option<TalkRuleId>,
    terms: &Terms,
    dated: &DatedTerms,
    now: Instant,
) -> Result<Option<SlottedDay>, Problem> {
    let day = talk_day::Model {
        id: TalkDayId::fresh(),
        division_id: division,
        rule_id: rule,
        on_date: dated.on_date,
        state: TalkDayState::Planned,
        starts_at: dated.starts_at,
        ends_at: dated.ends_at,
        opens_at: dated.opens_at,
        closes_at: dated.closes_at,
        place: terms.place.trim().to_owned(),
        hosts: json!(terms.hosts),
        modes: json!(terms.modes),
        cancel_reason: None,
        purpose: terms.purpose,
        format: terms.format,
        video_url: terms.video_url.clone(),
        shifted_from: None,
        shifted_at: None,
        changed_at: None,
        line_version: 0,
        walk_ins: 0,
        version: 1,
        created_at: now,
    };
    let once = OnConflict::columns([talk_day::Column::RuleId, talk_day::Column::OnDate]).do_nothing().to_owned();
    let row = day.clone().into_active_model();
    if talk_day::Entity::insert(row).on_conflict(once).exec_without_returning(tx).await? == 0 {
        return Ok(None);
    }
    let slots = slots_of(&day, dated)?;
    let rows = slots.iter().map(|row| row.clone().into_active_model());
    slot::Entity::insert_many(rows).exec_without_returning(tx).await?;
    Ok(Some(SlottedDay { day, slots }))
}

fn slots_of(day: &talk_day::Model, dated: &DatedTerms) -> Result<Vec<slot::Model>, Problem> {
    let count = |places: u32| i32::try_from(places).map_err(Problem::unexpected);
    let mut first_number = 1;
    let mut rows = Vec::with_capacity(dated.slots.len());
    for cut in &dated.slots {
        let places = count(cut.capacity)?;
        rows.push(slot::Model {
            id: SlotId::fresh(),
            talk_day_id: day.id,
            starts_at: crate::clock::instant(dated.on_date, cut.starts),
            ends_at: crate::clock::instant(dated.on_date, cut.ends),
            places,
            public_places: count(cut.public)?,
            taken: 0,
            held: 0,
            reserve_taken: 0,
            waiting: 0,
            joined: 0,
            released: 0,
            first_number,
        });
        first_number += places;
    }
    Ok(rows)
}

/// Makes a day beside all rules.
pub async fn make_single(
    tx: &Tx,
    app: &App,
    staff: &Staff<ManageTalks>,
    division: DivisionId,
    body: &SingleDayBody,
    now: Instant,
) -> Result<SlottedDay, Problem> {
    let place = divisions::reach(tx, staff, division).await?;
    let terms = body.terms()?;
    terms::check_date(body.date, now)?;
    let dated = terms.on(body.date)?;
    terms::check_single(&dated, now)?;
    hosts::check(tx, &place, &terms.hosts, body.date).await?;
    let made = insert(tx, place.id, None, &terms, &dated, now).await?;
    let made = made.ok_or_else(|| Problem::unexpected("a single day met another"))?;
    if !terms.hosts.is_empty() {
        let entry = Entry::done("make_talk_day", "talk_day", made.day.id);
        hosts::entered(tx, app, &Actor::staff(staff), entry, &terms.hosts, now).await?;
    }
    Ok(made)
}

/// Locks a day that is to be changed; 404 where the staff do not manage talks. Bookings hold their day in share, so from
/// here on none comes in.
pub(super) async fn lock(tx: &Tx, staff: &Staff<ManageTalks>, id: TalkDayId) -> Result<talk_day::Model, Problem> {
    let row = talk_day::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(tx).await?;
    let row = row.ok_or_else(Problem::not_found)?;
    divisions::reach(tx, staff, row.division_id).await?;
    Ok(row)
}

/// A reason as it is kept; 422 when it says nothing, or holds somebody's number: everybody who is booked reads it.
pub(super) fn reason(said: &str) -> Result<String, Problem> {
    match said.trim() {
        "" => Err(Problem::field("/reason", "empty")),
        said if words::holds_number(said) => Err(Problem::field("/reason", "personal")),
        said => Ok(said.to_owned()),
    }
}
