//! Talk days: finding them, making them with their slots, calling them off.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::{
    Instant, booking,
    booking::BookingState,
    id::{DivisionId, SlotId, TalkDayId, TalkRuleId},
    slot, talk_day,
    talk_day::{TalkDayState, TalkPurpose},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, Set,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use serde_json::json;

use super::hosts;
use crate::{
    app::App,
    auth::{Staff, duty::ManageTalks},
    db::Tx,
    divisions,
    notices::{self, About, Telling},
    problem::{Code, Problem},
    talks::{
        bodies::SingleDayBody,
        rules::spoken,
        terms::{self, DatedTerms, Terms},
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
    hosts::check(tx, &place, &terms.hosts, now).await?;
    let made = insert(tx, place.id, None, &terms, &dated, now).await?;
    made.ok_or_else(|| Problem::unexpected("a single day met another"))
}

/// Calls a day off: everybody who has a place loses it and is told.
pub async fn cancel(
    tx: &Tx,
    staff: &Staff<ManageTalks>,
    id: TalkDayId,
    reason: &str,
    now: Instant,
) -> Result<SlottedDay, Problem> {
    // Bookings hold the day in share, so from here on none comes in.
    let row = talk_day::Entity::find_by_id(id).lock_exclusive().one(tx).await?.ok_or_else(Problem::not_found)?;
    divisions::reach(tx, staff, row.division_id).await?;
    if row.state == TalkDayState::Cancelled || row.ends_at <= now {
        return Err(Code::TransitionNotAllowed.into());
    }
    let version = row.version + 1;
    let mut row = row.into_active_model();
    row.state = Set(TalkDayState::Cancelled);
    row.cancel_reason = Set(Some(reason.trim().to_owned()));
    row.version = Set(version);
    row.update(tx).await?;
    release_all(tx, id, now).await?;
    find(tx, id).await
}

/// Cancels what is still to come of a day's bookings and gives their places back.
async fn release_all(tx: &Tx, day: TalkDayId, now: Instant) -> Result<(), Problem> {
    let waiting = [BookingState::ToConfirm, BookingState::Booked, BookingState::CheckedIn, BookingState::Parked];
    let gone = booking::Entity::update_many()
        .col_expr(booking::Column::State, BookingState::Cancelled.into())
        .col_expr(booking::Column::Live, false.into())
        .col_expr(booking::Column::CancelReason, "day_cancelled".into())
        .col_expr(booking::Column::Version, Expr::col(booking::Column::Version).add(1))
        .filter(booking::COLUMN.talk_day_id.eq(day))
        .filter(booking::COLUMN.live.eq(true))
        .filter(booking::COLUMN.state.is_in(waiting))
        .exec_with_returning(tx)
        .await?;
    let mut released = BTreeMap::<SlotId, i32>::new();
    for row in &gone {
        *released.entry(row.slot_id).or_default() += 1;
    }
    let mut starts = BTreeMap::new();
    for (slot, places) in released {
        let after = super::places::give_back(tx, slot, places).await?;
        starts.insert(slot, after.starts_at);
    }
    let telling = |row: booking::Model| {
        let when = starts.get(&row.slot_id).map_or_else(String::new, |at| spoken(*at));
        let (about, params) = (About::Booking(row.id), json!({"when": when}));
        Telling { person: row.person_id, kind: "booking_cancelled", about, params }
    };
    notices::tell(tx, gone.into_iter().map(telling).collect(), now).await
}
