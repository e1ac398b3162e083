//! Rules of a place, and the days they make.
//!
//! Changing or ending a rule touches only days on which nobody ever had a place: what is booked never moves silently.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use entity::{
    Instant, booking,
    id::{DivisionId, TalkDayId, TalkRuleId},
    slot, talk_day,
    talk_day::TalkDayState,
    talk_rule,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::ExprTrait,
};
use serde_json::json;

use super::{hosts, talk_days};
use crate::{
    app::App,
    auth::{Staff, duty::ManageTalks},
    clock,
    db::Tx,
    divisions,
    http::{Cursor, PageQuery},
    problem::{Code, Problem},
    talks::{
        bodies::{TalkRuleBody, TalkRuleChange},
        rules::AHEAD,
        terms::{Sittings, Terms},
    },
};

/// Rules of a place that stand, in the order they were made, at most a page and one.
pub async fn list(
    app: &App,
    staff: &Staff<ManageTalks>,
    division: DivisionId,
    page: &PageQuery,
) -> Result<Vec<talk_rule::Model>, Problem> {
    let place = divisions::reach(app.db.read(), staff, division).await?;
    let mut query = talk_rule::Entity::find()
        .filter(talk_rule::COLUMN.division_id.eq(place.id))
        .filter(talk_rule::COLUMN.ended_at.is_null());
    if let Some(after) = Cursor::read::<TalkRuleId>(page.cursor.as_deref())? {
        query = query.filter(talk_rule::COLUMN.id.gt(after));
    }
    Ok(query.order_by_asc(talk_rule::Column::Id).limit(page.size() + 1).all(app.db.read()).await?)
}

/// Makes a rule and its days.
pub async fn make(
    tx: &Tx,
    staff: &Staff<ManageTalks>,
    division: DivisionId,
    body: &TalkRuleBody,
    now: Instant,
) -> Result<talk_rule::Model, Problem> {
    let place = divisions::reach(tx, staff, division).await?;
    let (terms, sittings) =
        (body.terms()?, Sittings::checked(&body.recurrence, &body.exceptions, body.holiday_policy)?);
    hosts::check(tx, &place, &terms.hosts, now).await?;
    let mut row = columns(&terms, &sittings)?;
    row.id = Set(TalkRuleId::fresh());
    row.division_id = Set(place.id);
    row.version = Set(1);
    row.created_at = Set(now);
    row.ended_at = Set(None);
    let rule = row.insert(tx).await?;
    make_days(tx, &rule, now).await?;
    Ok(rule)
}

/// Changes a rule; days without any booking follow it, the others stay as they are.
pub async fn change(
    tx: &Tx,
    staff: &Staff<ManageTalks>,
    id: TalkRuleId,
    body: &TalkRuleChange,
    now: Instant,
) -> Result<talk_rule::Model, Problem> {
    let rule = standing(tx, staff, id).await?;
    if body.version.is_some_and(|version| version != rule.version) {
        return Err(Code::Stale.into());
    }
    let (terms, sittings) =
        (body.terms()?, Sittings::checked(&body.recurrence, &body.exceptions, body.holiday_policy)?);
    let place = divisions::find(tx, rule.division_id).await?;
    hosts::check(tx, &place, &terms.hosts, now).await?;
    let mut row = columns(&terms, &sittings)?;
    row.id = Set(rule.id);
    row.version = Set(rule.version + 1);
    let rule = row.update(tx).await?;
    remove_untouched(tx, rule.id, now).await?;
    make_days(tx, &rule, now).await?;
    Ok(rule)
}

/// Ends a rule; its days to come go, unless somebody has or had a place on them.
pub async fn end(tx: &Tx, staff: &Staff<ManageTalks>, id: TalkRuleId, now: Instant) -> Result<(), Problem> {
    let rule = standing(tx, staff, id).await?;
    let row = talk_rule::ActiveModel {
        id: Set(rule.id),
        ended_at: Set(Some(now)),
        version: Set(rule.version + 1),
        ..Default::default()
    };
    row.update(tx).await?;
    remove_untouched(tx, rule.id, now).await
}

/// Locks a rule that has not ended and lies where the staff may manage talks.
async fn standing(tx: &Tx, staff: &Staff<ManageTalks>, id: TalkRuleId) -> Result<talk_rule::Model, Problem> {
    let standing = talk_rule::Entity::find_by_id(id).filter(talk_rule::COLUMN.ended_at.is_null());
    let rule = standing.lock_exclusive().one(tx).await?.ok_or_else(Problem::not_found)?;
    divisions::reach(tx, staff, rule.division_id).await?;
    Ok(rule)
}

/// The columns that say what the rule is.
fn columns(terms: &Terms, sittings: &Sittings) -> Result<talk_rule::ActiveModel, Problem> {
    let number = |value: u32| i32::try_from(value).map_err(Problem::unexpected);
    Ok(talk_rule::ActiveModel {
        recurrence: Set(json!(sittings.recurrence)),
        exceptions: Set(json!(sittings.exceptions)),
        starts: Set(terms.band.starts),
        ends: Set(terms.band.ends),
        slot_minutes: Set(number(terms.band.slot_minutes)?),
        capacity: Set(number(terms.band.capacity)?),
        walk_in_share: Set(terms.band.walk_in_share),
        hosts: Set(json!(terms.hosts)),
        place: Set(terms.place.trim().to_owned()),
        modes: Set(json!(terms.modes)),
        purpose: Set(terms.purpose),
        format: Set(terms.format),
        holiday_policy: Set(sittings.holiday_policy),
        video_url: Set(terms.video_url.clone()),
        opens_days_before: Set(number(terms.opens_days_before)?),
        closes_hours_before: Set(number(terms.closes_hours_before)?),
        ..Default::default()
    })
}

/// Days the rule should have made by now and has not. A day that was made stays made, also when it was called off.
pub async fn missing(
    db: &impl ConnectionTrait,
    rule: &talk_rule::Model,
    now: Instant,
) -> Result<Vec<NaiveDate>, Problem> {
    let (today, terms) = (clock::local_day(now), Terms::try_from(rule)?);
    // A day that was shifted stands for the date it was first set for, too.
    let ahead = talk_day::COLUMN.on_date.gte(today).or(talk_day::COLUMN.shifted_from.gte(today));
    let made: Vec<(NaiveDate, Option<NaiveDate>)> = talk_day::Entity::find()
        .select_only()
        .columns([talk_day::Column::OnDate, talk_day::Column::ShiftedFrom])
        .filter(talk_day::COLUMN.rule_id.eq(Some(rule.id)))
        .filter(ahead)
        .into_tuple()
        .all(db)
        .await?;
    let made: BTreeSet<NaiveDate> = made.into_iter().flat_map(|(on, from)| [Some(on), from]).flatten().collect();
    let mut dates = Sittings::try_from(rule)?.dates(today, today + AHEAD);
    // What is over by the time it is made would be a day on which nobody listened.
    dates.retain(|date| !made.contains(date) && clock::instant(*date, terms.band.ends) > now);
    Ok(dates)
}

/// Makes the missing days of a rule, if it still stands.
pub async fn make_days_of(tx: &Tx, id: TalkRuleId, now: Instant) -> Result<(), Problem> {
    let standing = talk_rule::Entity::find_by_id(id).filter(talk_rule::COLUMN.ended_at.is_null());
    // In share: another server may do the same, but nobody may change the rule meanwhile.
    match standing.lock_shared().one(tx).await? {
        Some(rule) => make_days(tx, &rule, now).await,
        None => Ok(()),
    }
}

async fn make_days(tx: &Tx, rule: &talk_rule::Model, now: Instant) -> Result<(), Problem> {
    let terms = Terms::try_from(rule)?;
    for date in missing(tx, rule, now).await? {
        talk_days::insert(tx, rule.division_id, Some(rule.id), &terms, &terms.on(date)?, now).await?;
    }
    Ok(())
}

/// Removes the rule's days to come on which nobody ever had a place. Days called off stay: people were told of them; so
/// do days that were shifted: somebody decided so.
async fn remove_untouched(tx: &Tx, rule: TalkRuleId, now: Instant) -> Result<(), Problem> {
    // A booking under way holds its day in share: the lock waits for it, and the look after the lock sees it.
    let coming: Vec<TalkDayId> = talk_day::Entity::find()
        .select_only()
        .column(talk_day::Column::Id)
        .filter(talk_day::COLUMN.rule_id.eq(Some(rule)))
        .filter(talk_day::COLUMN.state.eq(TalkDayState::Planned))
        .filter(talk_day::COLUMN.starts_at.gt(now))
        .filter(talk_day::COLUMN.shifted_from.is_null())
        .order_by_asc(talk_day::Column::Id)
        .lock_exclusive()
        .into_tuple()
        .all(tx)
        .await?;
    let touched: Vec<TalkDayId> = booking::Entity::find()
        .select_only()
        .column(booking::Column::TalkDayId)
        .filter(booking::COLUMN.talk_day_id.is_in(coming.iter().copied()))
        .distinct()
        .into_tuple()
        .all(tx)
        .await?;
    let free: Vec<TalkDayId> = coming.into_iter().filter(|day| !touched.contains(day)).collect();
    slot::Entity::delete_many().filter(slot::COLUMN.talk_day_id.is_in(free.iter().copied())).exec(tx).await?;
    talk_day::Entity::delete_many().filter(talk_day::COLUMN.id.is_in(free)).exec(tx).await?;
    Ok(())
}
