//! What happened in a place and a period, from rows and events.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use entity::{
    call_back,
    case::{self, CaseResult, CaseState},
    case_event,
    division::{self, DivisionLevel},
    id::CaseId,
    review,
};
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, QueryTrait,
    Select,
    sea_query::{ExprTrait, SelectStatement},
};

use super::rates::{Answered, Closed, Happened};
use crate::{
    calendar::Period,
    cases::workflow::{self, Action},
    clock::{self, local_day},
    problem::Problem,
};

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

/// What happened in the period, until now.
pub(super) async fn happened(
    db: &DatabaseConnection,
    place: &division::Model,
    period: Period,
    now: DateTime<Utc>,
) -> Result<Happened, Problem> {
    let span = Span::of(period);
    let answers = events(db, place, span, &[Action::Answer]).await?;
    let noticed = events(db, place, span, &[Action::RequestSupplement, Action::Approve]).await?;
    Ok(Happened {
        contacts: contacts(db, place, span, now).await?,
        answered: answers.iter().map(answered).collect(),
        closed: closed(db, place, span).await?,
        objected: many(db, place, span, Action::Reopen).await?,
        called_back: called_back(db, place, span).await?,
        assigned: many(db, place, span, Action::Assign).await?
            + many(db, place, span, Action::Transfer).await?
            + many(db, place, span, Action::Escalate).await?,
        returned: many(db, place, span, Action::Return).await?,
        noticed: once_each(&noticed),
        stars: stars(db, place, span).await?,
        excluded: excluded(db, place, span).await?,
    })
}

/// The events of some actions in the period.
async fn events(
    db: &DatabaseConnection,
    place: &division::Model,
    span: Span,
    actions: &[Action],
) -> Result<Vec<case_event::Model>, Problem> {
    Ok(case_event::Entity::find()
        .filter(span.holds(case_event::Column::At))
        .filter(case_event::COLUMN.action.is_in(actions.iter().map(|action| action.slug())))
        .filter(case_event::Column::CaseId.in_subquery(ids(place)))
        .all(db)
        .await?)
}

async fn many(db: &DatabaseConnection, place: &division::Model, span: Span, action: Action) -> Result<i64, Problem> {
    let query = case_event::Entity::find()
        .filter(span.holds(case_event::Column::At))
        .filter(case_event::COLUMN.action.eq(action.slug()))
        .filter(case_event::Column::CaseId.in_subquery(ids(place)));
    Ok(i64::try_from(query.count(db).await?).unwrap_or(i64::MAX))
}

/// An answer, by the due day as it stood when it was given.
fn answered(event: &case_event::Model) -> Answered {
    Answered { on: local_day(event.at), due_on: event.promised_due_on.or(event.statutory_due_on) }
}

/// Of each case whose papers were asked for, whether that was once.
fn once_each(events: &[case_event::Model]) -> Vec<bool> {
    let mut times: HashMap<CaseId, u32> = HashMap::new();
    for event in events.iter().filter(|event| event.to_state == CaseState::Supplement) {
        *times.entry(event.case_id).or_default() += 1;
    }
    times.into_values().map(|times| times == 1).collect()
}

async fn contacts(
    db: &DatabaseConnection,
    place: &division::Model,
    span: Span,
    now: DateTime<Utc>,
) -> Result<Vec<bool>, Problem> {
    type DueAndMade = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);
    let rows: Vec<DueAndMade> = case::Entity::find()
        .select_only()
        .column(case::Column::ContactDueAt)
        .column(case::Column::ContactedAt)
        .filter(counted(place))
        .filter(span.holds(case::Column::ContactDueAt))
        .filter(case::COLUMN.contact_due_at.lte(now).or(case::COLUMN.contacted_at.is_not_null()))
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|(due, made)| made.zip(due).is_some_and(|(made, due)| made <= due)).collect())
}

async fn closed(db: &DatabaseConnection, place: &division::Model, span: Span) -> Result<Vec<Closed>, Problem> {
    let rows: Vec<(Option<bool>, Option<CaseResult>)> = case::Entity::find()
        .select_only()
        .column(case::Column::Confirmed)
        .column(case::Column::Result)
        .filter(counted(place))
        .filter(span.holds(case::Column::ClosedAt))
        .filter(case::COLUMN.confirmed.is_not_null())
        .into_tuple()
        .all(db)
        .await?;
    let closed = |(confirmed, result): (Option<bool>, Option<CaseResult>)| Closed {
        confirmed: confirmed == Some(true),
        achieved: matches!(result, Some(CaseResult::Done | CaseResult::Partly)),
    };
    Ok(rows.into_iter().map(closed).collect())
}

/// Of closings that nobody confirmed: who confirmed has said it already.
async fn called_back(db: &DatabaseConnection, place: &division::Model, span: Span) -> Result<Vec<bool>, Problem> {
    let silent = case::Entity::find()
        .select_only()
        .column(case::Column::Id)
        .filter(counted(place))
        .filter(case::COLUMN.confirmed.eq(false))
        .into_query();
    let results: Vec<Option<String>> = call_back::Entity::find()
        .select_only()
        .column(call_back::Column::Result)
        .filter(span.holds(call_back::Column::CalledAt))
        .filter(call_back::Column::CaseId.in_subquery(silent))
        .into_tuple()
        .all(db)
        .await?;
    let said = results.into_iter().flatten().filter(|result| result != "unreachable");
    Ok(said.map(|result| result == "solved" || result == "partly").collect())
}

async fn stars(db: &DatabaseConnection, place: &division::Model, span: Span) -> Result<Vec<i32>, Problem> {
    Ok(reviews(place, span)
        .select_only()
        .column(review::Column::Stars)
        .filter(review::COLUMN.excluded_at.is_null())
        .into_tuple()
        .all(db)
        .await?)
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
