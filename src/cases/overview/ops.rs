//! What happened in a place and a period, from rows and events.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use entity::{
    call_back,
    case::{self, CaseResult, CaseState},
    case_event,
    division::{self, DivisionLevel},
    id::CaseEventId,
    review,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select,
    sea_query::{Expr, ExprTrait, Func, Query, SelectStatement},
};

use super::rates::{Happened, Share, achieved, content, said_solved};
use crate::{
    calendar::{Calendar, Period},
    cases::workflow::{self, Action},
    clock::{self, local_day},
    problem::Problem,
};

/// Answers that are read at once.
const PAGE: u64 = 2000;

/// Open cases of a place.
#[derive(Clone, Debug, Default)]
pub(super) struct Open {
    pub(super) by_state: Vec<(CaseState, i64)>,
    pub(super) red: i64,
    pub(super) unassigned: i64,
    pub(super) pending: i64,
    pub(super) on_the_county_list: i64,
}

/// The cases that count: of the place and below it, neither drafts nor confidential nor private.
fn counted(place: &division::Model) -> Condition {
    let column = match place.level {
        DivisionLevel::Village => case::Column::VillageId,
        DivisionLevel::Township => case::Column::TownshipId,
        DivisionLevel::County | DivisionLevel::City => case::Column::CountyId,
    };
    let here = match place.level {
        DivisionLevel::City => {
            let counties = division::Entity::find().select_only().column(division::Column::Id);
            let counties = counties.filter(division::COLUMN.city_id.eq(place.id)).into_query();
            Condition::all().add(column.in_subquery(counties))
        }
        _ => Condition::all().add(column.eq(place.id)),
    };
    here.add(case::COLUMN.state.ne(CaseState::Draft))
        .add(case::COLUMN.confidential.eq(false))
        .add(case::COLUMN.private.eq(false))
}

fn ids(place: &division::Model) -> SelectStatement {
    case::Entity::find().select_only().column(case::Column::Id).filter(counted(place)).into_query()
}

/// From the first moment of a period to the first after it.
#[derive(Clone, Copy)]
struct Span(DateTime<Utc>, DateTime<Utc>);

impl Span {
    fn of(period: Period) -> Self {
        let begins = |day| clock::instant(day, NaiveTime::MIN);
        Self(begins(period.from), begins(period.to) + TimeDelta::days(1))
    }

    fn holds(self, column: impl ColumnTrait) -> Condition {
        Condition::all().add(column.gte(self.0)).add(column.lt(self.1))
    }
}

/// Open work as it is now.
pub(super) async fn open(db: &DatabaseConnection, place: &division::Model, today: NaiveDate) -> Result<Open, Problem> {
    let open = || case::Entity::find().filter(counted(place)).filter(case::COLUMN.closed_at.is_null());
    let by_state: Vec<(CaseState, i64)> = open()
        .select_only()
        .column(case::Column::State)
        .column_as(case::Column::Id.count(), "many")
        .group_by(case::Column::State)
        .into_tuple()
        .all(db)
        .await?;
    let running = || open().filter(case::COLUMN.state.is_in(workflow::RUNNING));
    Ok(Open {
        by_state,
        red: count(db, running().filter(case::COLUMN.due_on.lt(today))).await?,
        unassigned: count(db, open().filter(case::COLUMN.state.eq(CaseState::Accepted))).await?,
        pending: count(db, open().filter(case::COLUMN.pending.is_not_null())).await?,
        on_the_county_list: count(db, running().filter(case::COLUMN.alarm_step.gte(4))).await?,
    })
}

async fn count(db: &DatabaseConnection, query: Select<case::Entity>) -> Result<i64, Problem> {
    Ok(i64::try_from(query.count(db).await?).unwrap_or(i64::MAX))
}

/// Cases filed in the period.
pub(super) async fn filed(db: &DatabaseConnection, place: &division::Model, period: Period) -> Result<i64, Problem> {
    let in_time = Span::of(period).holds(case::Column::CreatedAt);
    count(db, case::Entity::find().filter(counted(place)).filter(in_time)).await
}

/// What happened in the period, until now. Counted by the database; answers are walked in narrow pages.
pub(super) async fn happened(
    db: &DatabaseConnection,
    place: &division::Model,
    period: Period,
    calendar: &Calendar,
    now: DateTime<Utc>,
) -> Result<Happened, Problem> {
    let span = Span::of(period);
    let steps = steps(db, place, span).await?;
    let many = |actions: &[Action]| actions.iter().filter_map(|action| steps.get(action.slug())).sum();
    let mut happened = Happened {
        contacts: contacts(db, place, span, now).await?,
        objected: many(&[Action::Reopen]),
        called_back: called_back(db, place, span).await?,
        assigned: many(&[Action::Assign, Action::Transfer, Action::Escalate]),
        returned: many(&[Action::Return]),
        noticed: noticed(db, place, span).await?,
        stars: stars(db, place, span).await?,
        excluded: excluded(db, place, span).await?,
        ..Happened::default()
    };
    closed(db, place, span, &mut happened).await?;
    answers(db, place, span, calendar, &mut happened).await?;
    Ok(happened)
}

/// The events of some actions in the period.
fn events(place: &division::Model, span: Span, actions: &[Action]) -> Select<case_event::Entity> {
    case_event::Entity::find()
        .filter(span.holds(case_event::Column::At))
        .filter(case_event::COLUMN.action.is_in(actions.iter().map(|action| action.slug())))
        .filter(case_event::Column::CaseId.in_subquery(ids(place)))
}

/// How often work was given, sent back and objected to.
async fn steps(db: &DatabaseConnection, place: &division::Model, span: Span) -> Result<HashMap<String, i64>, Problem> {
    let counted = [Action::Reopen, Action::Assign, Action::Transfer, Action::Escalate, Action::Return];
    let rows: Vec<(String, i64)> = events(place, span, &counted)
        .select_only()
        .column(case_event::Column::Action)
        .column_as(case_event::Column::Id.count(), "many")
        .group_by(case_event::Column::Action)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Answers, by the due day as it stood when each was given.
async fn answers(
    db: &DatabaseConnection,
    place: &division::Model,
    span: Span,
    calendar: &Calendar,
    happened: &mut Happened,
) -> Result<(), Problem> {
    type Row = (DateTime<Utc>, CaseEventId, Option<NaiveDate>, Option<NaiveDate>);
    let mut after: Option<(DateTime<Utc>, CaseEventId)> = None;
    loop {
        let mut query = events(place, span, &[Action::Answer]);
        if let Some((at, id)) = after {
            let later = case_event::COLUMN.at.gt(at);
            query = query.filter(later.or(case_event::COLUMN.at.eq(at).and(case_event::COLUMN.id.gt(id))));
        }
        let rows: Vec<Row> = query
            .select_only()
            .column(case_event::Column::At)
            .column(case_event::Column::Id)
            .column(case_event::Column::PromisedDueOn)
            .column(case_event::Column::StatutoryDueOn)
            .order_by_asc(case_event::Column::At)
            .order_by_asc(case_event::Column::Id)
            .limit(PAGE)
            .into_tuple()
            .all(db)
            .await?;
        after = rows.last().map(|(at, id, ..)| (*at, *id));
        for (at, _, promised, statutory) in &rows {
            happened.answer(local_day(*at), promised.or(*statutory), calendar);
        }
        if u64::try_from(rows.len()).unwrap_or(u64::MAX) < PAGE {
            return Ok(());
        }
    }
}

/// Cases whose papers were asked for in the period, and how many of them once.
async fn noticed(db: &DatabaseConnection, place: &division::Model, span: Span) -> Result<Share, Problem> {
    let times = events(place, span, &[Action::RequestSupplement, Action::Approve])
        .select_only()
        .column_as(case_event::Column::Id.count(), "times")
        .filter(case_event::COLUMN.to_state.eq(CaseState::Supplement))
        .group_by(case_event::Column::CaseId)
        .into_query();
    let once = Expr::case(Expr::col("times").eq(1), 1).finally(0);
    let query = Query::select()
        .expr_as(Func::coalesce([Func::sum(once).into(), Expr::val(0)]).cast_as("BIGINT"), "once")
        .expr_as(Expr::val(1).count(), "n")
        .from_subquery(times, "asked")
        .to_owned();
    let row = db.query_one(&query).await?.ok_or_else(|| Problem::unexpected("a count has no answer"))?;
    Ok(Share { part: row.try_get("", "once")?, n: row.try_get("", "n")? })
}

async fn contacts(
    db: &DatabaseConnection,
    place: &division::Model,
    span: Span,
    now: DateTime<Utc>,
) -> Result<Share, Problem> {
    let due = || {
        case::Entity::find()
            .filter(counted(place))
            .filter(span.holds(case::Column::ContactDueAt))
            .filter(case::COLUMN.contact_due_at.lte(now).or(case::COLUMN.contacted_at.is_not_null()))
    };
    let column = |column| Expr::col((case::Entity, column));
    let in_time = column(case::Column::ContactedAt).lte(column(case::Column::ContactDueAt));
    Ok(Share { part: count(db, due().filter(in_time)).await?, n: count(db, due()).await? })
}

async fn closed(
    db: &DatabaseConnection,
    place: &division::Model,
    span: Span,
    happened: &mut Happened,
) -> Result<(), Problem> {
    let rows: Vec<(Option<bool>, Option<CaseResult>, i64)> = case::Entity::find()
        .select_only()
        .column(case::Column::Confirmed)
        .column(case::Column::Result)
        .column_as(case::Column::Id.count(), "many")
        .filter(counted(place))
        .filter(span.holds(case::Column::ClosedAt))
        .filter(case::COLUMN.confirmed.is_not_null())
        .group_by(case::Column::Confirmed)
        .group_by(case::Column::Result)
        .into_tuple()
        .all(db)
        .await?;
    for (confirmed, result, many) in rows {
        if confirmed == Some(true) {
            happened.confirmed.n += many;
            happened.confirmed.part += if result.is_some_and(achieved) { many } else { 0 };
        } else {
            happened.silent += many;
        }
    }
    Ok(())
}

/// Of closings that nobody confirmed: who confirmed has said it already.
async fn called_back(db: &DatabaseConnection, place: &division::Model, span: Span) -> Result<Share, Problem> {
    let silent = case::Entity::find()
        .select_only()
        .column(case::Column::Id)
        .filter(counted(place))
        .filter(case::COLUMN.confirmed.eq(false))
        .into_query();
    let results: Vec<(Option<String>, i64)> = call_back::Entity::find()
        .select_only()
        .column(call_back::Column::Result)
        .column_as(call_back::Column::Id.count(), "many")
        .filter(span.holds(call_back::Column::CalledAt))
        .filter(call_back::Column::CaseId.in_subquery(silent))
        .group_by(call_back::Column::Result)
        .into_tuple()
        .all(db)
        .await?;
    let mut share = Share::default();
    for (result, many) in results {
        if let Some(solved) = result.as_deref().and_then(said_solved) {
            share.n += many;
            share.part += if solved { many } else { 0 };
        }
    }
    Ok(share)
}

async fn stars(db: &DatabaseConnection, place: &division::Model, span: Span) -> Result<Share, Problem> {
    let rows: Vec<(i32, i64)> = reviews(place, span)
        .select_only()
        .column(review::Column::Stars)
        .column_as(review::Column::Id.count(), "many")
        .filter(review::COLUMN.excluded_at.is_null())
        .group_by(review::Column::Stars)
        .into_tuple()
        .all(db)
        .await?;
    let mut share = Share::default();
    for (stars, many) in rows {
        share.n += many;
        share.part += if content(stars) { many } else { 0 };
    }
    Ok(share)
}

async fn excluded(db: &DatabaseConnection, place: &division::Model, span: Span) -> Result<i64, Problem> {
    let query = reviews(place, span).filter(review::COLUMN.excluded_at.is_not_null());
    Ok(i64::try_from(query.count(db).await?).unwrap_or(i64::MAX))
}

fn reviews(place: &division::Model, span: Span) -> Select<review::Entity> {
    review::Entity::find()
        .filter(span.holds(review::Column::CreatedAt))
        .filter(review::Column::CaseId.in_subquery(ids(place)))
}
