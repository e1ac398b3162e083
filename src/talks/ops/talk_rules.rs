//! Rules of a place, and what making, changing and ending one does.
//!
//! What a change would do is shown by the same plan that carries it out: what is booked never moves silently.

use entity::{
    Instant,
    id::{DivisionId, TalkRuleId},
    talk_rule,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use serde_json::json;

use super::{
    hosts,
    rule_days::{self, Hold},
};
use crate::{
    app::App,
    audit::{Actor, Entry},
    auth::{Staff, duty::ManageTalks},
    calendar::Calendar,
    clock,
    db::Tx,
    divisions,
    http::{Cursor, PageQuery},
    problem::{Code, Problem},
    talks::{
        bodies::{PreviewTalkRule, TalkRuleBody, TalkRuleChange},
        plan::Plan,
        sittings::{Sitting, Sittings},
        terms::Terms,
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
    app: &App,
) -> Result<talk_rule::Model, Problem> {
    let (calendar, now) = (&app.calendar.load_full(), app.clock.now());
    let place = divisions::reach(tx, staff, division).await?;
    let (terms, sittings) =
        (body.terms()?, Sittings::checked(&body.recurrence, &body.exceptions, body.holiday_policy)?);
    hosts::check(tx, &place, &terms.hosts, clock::local_day(now)).await?;
    let mut row = columns(&terms, &sittings)?;
    row.id = Set(TalkRuleId::fresh());
    row.division_id = Set(place.id);
    row.version = Set(1);
    row.created_at = Set(now);
    row.ended_at = Set(None);
    let rule = row.insert(tx).await?;
    let plan = rule_days::plan(tx, rule.id, &terms, &rule_days::ahead(&sittings, calendar, now), Hold::No, now).await?;
    rule_days::carry_out(tx, &rule, &terms, plan, now).await?;
    if !terms.hosts.is_empty() {
        let entry = Entry::done("make_talk_rule", "talk_rule", rule.id);
        hosts::entered(tx, app, &Actor::staff(staff), entry, &terms.hosts, now).await?;
    }
    Ok(rule)
}

/// The next dates of a rule that is not made yet.
pub async fn preview(
    tx: &Tx,
    staff: &Staff<ManageTalks>,
    division: DivisionId,
    body: &PreviewTalkRule,
    calendar: &Calendar,
    now: Instant,
) -> Result<Vec<Sitting>, Problem> {
    let place = divisions::reach(tx, staff, division).await?;
    let (terms, sittings) =
        (body.terms()?, Sittings::checked(&body.recurrence, &body.exceptions, body.holiday_policy)?);
    hosts::check(tx, &place, &terms.hosts, clock::local_day(now)).await?;
    Ok(coming(&sittings, &terms, body.count, calendar, now))
}

/// A change of a rule, and what it comes to.
pub struct Change {
    rule: talk_rule::Model,
    terms: Terms,
    sittings: Sittings,
    /// What becomes of the days.
    pub plan: Plan,
}

impl Change {
    /// The next dates of the rule as it is to be.
    pub fn next(&self, count: usize, calendar: &Calendar, now: Instant) -> Vec<Sitting> {
        coming(&self.sittings, &self.terms, count, calendar, now)
    }
}

/// What a change of a rule would do. With [`Hold::Yes`] rule and days are locked, and what would be done is what is.
///
/// # Errors
/// `not_found` where the staff have no part, `stale`, `invalid`.
pub async fn weigh_change(
    tx: &Tx,
    staff: &Staff<ManageTalks>,
    id: TalkRuleId,
    body: &TalkRuleChange,
    calendar: &Calendar,
    (hold, now): (Hold, Instant),
) -> Result<Change, Problem> {
    let rule = standing(tx, staff, id, hold).await?;
    if body.version.is_some_and(|version| version != rule.version) {
        return Err(Code::Stale.into());
    }
    let (terms, sittings) =
        (body.terms()?, Sittings::checked(&body.recurrence, &body.exceptions, body.holiday_policy)?);
    let place = divisions::find(tx, rule.division_id).await?;
    hosts::check(tx, &place, &terms.hosts, clock::local_day(now)).await?;
    let plan = rule_days::plan(tx, rule.id, &terms, &rule_days::ahead(&sittings, calendar, now), hold, now).await?;
    Ok(Change { rule, terms, sittings, plan })
}

/// Changes a rule; days that people have nothing to do with follow it, the others stay as they are.
pub async fn change(
    tx: &Tx,
    staff: &Staff<ManageTalks>,
    id: TalkRuleId,
    body: &TalkRuleChange,
    app: &App,
) -> Result<talk_rule::Model, Problem> {
    let (calendar, now) = (&app.calendar.load_full(), app.clock.now());
    let Change { rule, terms, sittings, plan } = weigh_change(tx, staff, id, body, calendar, (Hold::Yes, now)).await?;
    let others = rule.hosts != json!(terms.hosts);
    let mut row = columns(&terms, &sittings)?;
    row.id = Set(rule.id);
    row.version = Set(rule.version + 1);
    let rule = row.update(tx).await?;
    rule_days::carry_out(tx, &rule, &terms, plan, now).await?;
    if others {
        let entry = Entry::done("change_talk_rule", "talk_rule", id);
        hosts::entered(tx, app, &Actor::staff(staff), entry, &terms.hosts, now).await?;
    }
    Ok(rule)
}

/// Ends a rule; its days to come go, unless people have to do with them.
pub async fn end(tx: &Tx, staff: &Staff<ManageTalks>, id: TalkRuleId, now: Instant) -> Result<(), Problem> {
    let rule = standing(tx, staff, id, Hold::Yes).await?;
    let row = talk_rule::ActiveModel {
        id: Set(rule.id),
        ended_at: Set(Some(now)),
        version: Set(rule.version + 1),
        ..Default::default()
    };
    let (rule, terms) = (row.update(tx).await?, Terms::try_from(&rule)?);
    let plan = rule_days::plan(tx, rule.id, &terms, &[], Hold::Yes, now).await?;
    rule_days::carry_out(tx, &rule, &terms, plan, now).await
}

/// A rule that has not ended and lies where the staff may manage talks.
async fn standing(
    tx: &Tx,
    staff: &Staff<ManageTalks>,
    id: TalkRuleId,
    hold: Hold,
) -> Result<talk_rule::Model, Problem> {
    let mut standing = talk_rule::Entity::find_by_id(id).filter(talk_rule::COLUMN.ended_at.is_null());
    if hold == Hold::Yes {
        standing = standing.lock_exclusive();
    }
    let rule = standing.one(tx).await?.ok_or_else(Problem::not_found)?;
    divisions::reach(tx, staff, rule.division_id).await?;
    Ok(rule)
}

/// The next dates on which somebody can still come.
fn coming(sittings: &Sittings, terms: &Terms, count: usize, calendar: &Calendar, now: Instant) -> Vec<Sitting> {
    let mut coming = sittings.next(clock::local_day(now), count + 1, calendar);
    coming.retain(|sitting| clock::instant(sitting.date, terms.band.ends) > now);
    coming.truncate(count);
    coming
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
