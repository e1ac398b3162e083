//! What happens by the clock: rules become dated days and follow a calendar that was published since; places that were
//! held and not taken go to the next.

use std::collections::BTreeSet;

use entity::{id::TalkRuleId, talk_rule};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::ops::{closing, rule_days, waits};
use crate::{
    app::App,
    problem::{Code, Problem},
    settings,
};

/// Rules looked at in one reading.
const BATCH: u64 = 100;

/// Turns rules into dated talk days, some weeks ahead. Running it twice, or on two servers at once, makes nothing twice;
/// a server that died in the middle left whole days behind, and the next run makes the others.
///
/// A rule that cannot be read is logged and passed over: it must not keep the other villages from their days. Days that
/// are over are closed in the same round.
pub async fn materialise(app: &App) -> Result<(), Problem> {
    // With an older calendar than another server has, each would undo what the other did.
    settings::refresh(app).await?;
    let mut after = None;
    loop {
        let rules = standing(app, after).await?;
        for rule in &rules {
            if let Err(problem) = one(app, rule).await {
                if problem.code() == Code::Busy {
                    return Err(problem);
                }
                tracing::error!(talk_rule.id = %rule.id, reason = problem.source_text(), "a talk rule made no days");
            }
        }
        match rules.last() {
            Some(last) => after = Some(last.id),
            None => break,
        }
    }
    close_days(app).await
}

/// Closes the days that are over. One that cannot be closed is logged and passed over.
async fn close_days(app: &App) -> Result<(), Problem> {
    let mut after = None;
    loop {
        let days = closing::unclosed(app, after).await?;
        let Some(last) = days.last() else { return Ok(()) };
        after = Some(*last);
        let now = app.clock.now();
        for day in days {
            if let Err(problem) = app.db.transact(async move |tx| closing::close(tx, day, now).await).await {
                if problem.code() == Code::Busy {
                    return Err(problem);
                }
                tracing::error!(talk_day.id = %day, reason = problem.source_text(), "a talk day was not closed");
            }
        }
    }
}

async fn standing(app: &App, after: Option<TalkRuleId>) -> Result<Vec<talk_rule::Model>, Problem> {
    let mut query = talk_rule::Entity::find().filter(talk_rule::COLUMN.ended_at.is_null());
    if let Some(after) = after {
        query = query.filter(talk_rule::COLUMN.id.gt(after));
    }
    Ok(query.order_by_asc(talk_rule::Column::Id).limit(BATCH).all(app.db.read()).await?)
}

/// Most rules have all their days: a read is enough for them.
async fn one(app: &App, rule: &talk_rule::Model) -> Result<(), Problem> {
    let (id, now, calendar) = (rule.id, app.clock.now(), app.calendar.load_full());
    if !rule_days::is_behind(app.db.read(), rule, &calendar, now).await? {
        return Ok(());
    }
    app.db.transact(async move |tx| rule_days::catch_up(tx, id, &calendar, now).await).await
}

/// Holds that ran out go to the next in line; who still waits when booking closes is told. Running it twice, or on two
/// servers at once, moves nothing twice.
///
/// An entry that cannot be moved is logged and passed over: it must not keep the others from their places.
pub async fn move_waiting_lists(app: &App) -> Result<(), Problem> {
    let mut failed = BTreeSet::new();
    loop {
        let overdue = waits::overdue(app, &failed).await?;
        if overdue.is_empty() {
            return Ok(());
        }
        let now = app.clock.now();
        for wait in overdue {
            let id = wait.id;
            let moved = app.db.transact(async move |tx| waits::expire(tx, &wait, now).await).await;
            if let Err(problem) = moved {
                if problem.code() == Code::Busy {
                    return Err(problem);
                }
                tracing::error!(talk_wait.id = %id, reason = problem.source_text(), "an entry of a waiting list stays");
                failed.insert(id);
            }
        }
    }
}
