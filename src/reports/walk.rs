//! Reading the events of a place and a period, a few hundred cases at a time: memory does not grow with the place.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    call_back,
    case::{self, CaseKind, CaseResult, CaseState, CaseUrgency},
    case_event::{self, EventBy},
    division::{self, DivisionLevel},
    id::{CaseId, DivisionId, UnitId},
    review,
};
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, ExprTrait, SelectStatement},
};

use super::{
    lives::{self, Called, Event, Filed, Life, Rating},
    measure::Rulers,
    periods::Span,
    tally::{Population, Sums},
};
use crate::{cases::sla, db::padded, problem::Problem};

/// Cases that are played at once.
const BATCH: usize = 256;
/// The most lines of a monthly list.
pub(super) const MOST_LINES: usize = 20_000;
/// The most cases of any report.
const MOST_CASES: usize = 200_000;

/// What is reckoned.
pub(super) struct Walk<'a> {
    pub(super) db: &'a DatabaseConnection,
    pub(super) span: Span,
    /// The period before, where it is compared.
    pub(super) before: Option<Span>,
    pub(super) rulers: Rulers,
    /// Whether every case gets a line.
    pub(super) lists: bool,
}

/// A case as the table has it, and when the row was made.
type Row = (Filed, DateTime<Utc>);

impl Walk<'_> {
    /// Over the cases of a place that may be counted now.
    ///
    /// # Errors
    /// 422 at `/kind`: `too_many` cases; a smaller place has to draw it.
    pub(super) async fn of_place(&self, place: &division::Model) -> Result<Sums, Problem> {
        let (mut sums, mut after) = (Sums::default(), None);
        let mut met = 0;
        loop {
            let rows = self.page(place, after).await?;
            after = rows.last().map(|(filed, made)| (*made, filed.id));
            let many = rows.len();
            met += many;
            self.play(rows.into_iter().map(|(filed, _)| filed).collect(), &mut sums).await?;
            if sums.listed.len() > MOST_LINES || met > MOST_CASES {
                return Err(Problem::field("/kind", "too_many"));
            }
            if many < BATCH {
                return Ok(sums);
            }
        }
    }

    /// Over the cases a report reckoned with, each in the village where it lay then.
    pub(super) async fn of_population(&self, population: &Population) -> Result<Sums, Problem> {
        let mut sums = Sums::default();
        for (village, ids) in population {
            for ids in ids.chunks(BATCH) {
                let these = case::Entity::find().filter(case::COLUMN.id.is_in(padded(ids.iter().copied())));
                let rows = filed(these).into_tuple().all(self.db).await?;
                let here = |row| Filed { village: *village, ..read(row).0 };
                self.play(rows.into_iter().map(here).collect(), &mut sums).await?;
            }
        }
        Ok(sums)
    }

    /// The next cases of a place that may have had a part in the period, in the order in which they came.
    async fn page(&self, place: &division::Model, after: Option<(DateTime<Utc>, CaseId)>) -> Result<Vec<Row>, Problem> {
        let mut query = case::Entity::find().filter(self.candidates(place));
        if let Some((made, id)) = after {
            let later = case::COLUMN.created_at.gt(made);
            query = query.filter(later.or(case::COLUMN.created_at.eq(made).and(case::COLUMN.id.gt(id))));
        }
        let query = query.order_by_asc(case::Column::CreatedAt).order_by_asc(case::Column::Id);
        let rows = filed(query).limit(u64::try_from(BATCH).unwrap_or(u64::MAX)).into_tuple().all(self.db).await?;
        Ok(rows.into_iter().map(read).collect())
    }

    /// Of the place and below it, neither drafts nor confidential nor private; filed by the end of the period, and open,
    /// closed, reviewed or called back in it.
    fn candidates(&self, place: &division::Model) -> Condition {
        let from = self.before.map_or(self.span.from, |before| before.from);
        let of_this = |of: Expr| of.equals((case::Entity, case::Column::Id));
        let reviewed = review::Entity::find()
            .select_only()
            .column(review::Column::Id)
            .filter(of_this(Expr::col((review::Entity, review::Column::CaseId))))
            .filter(review::COLUMN.created_at.gte(from))
            .filter(review::COLUMN.created_at.lt(self.span.until))
            .into_query();
        let called = call_back::Entity::find()
            .select_only()
            .column(call_back::Column::Id)
            .filter(of_this(Expr::col((call_back::Entity, call_back::Column::CaseId))))
            .filter(call_back::COLUMN.called_at.gte(from))
            .filter(call_back::COLUMN.called_at.lt(self.span.until))
            .into_query();
        let of_the_period = Condition::any()
            .add(case::COLUMN.closed_at.is_null())
            .add(case::COLUMN.closed_at.gte(from))
            .add(Expr::exists(reviewed))
            .add(Expr::exists(called));
        Condition::all()
            .add(within(place))
            .add(case::COLUMN.state.ne(CaseState::Draft))
            .add(case::COLUMN.confidential.eq(false))
            .add(case::COLUMN.private.eq(false))
            .add(case::COLUMN.created_at.lt(self.span.until))
            .add(of_the_period)
    }

    /// Plays these cases and adds what came of them.
    async fn play(&self, filed: Vec<Filed>, sums: &mut Sums) -> Result<(), Problem> {
        for life in self.lives(filed).await? {
            let ruler = self.rulers.of_village(life.filed.village);
            let now = lives::read(&life, self.span, &ruler);
            let before = self.before.and_then(|span| lives::read(&life, span, &ruler));
            sums.add(life.filed, now, before, self.lists);
        }
        Ok(())
    }

    /// These cases with all that is known of them up to the end of the period.
    async fn lives(&self, filed: Vec<Filed>) -> Result<Vec<Life>, Problem> {
        let ids = padded(filed.iter().map(|filed| filed.id));
        if ids.is_empty() {
            return Ok(vec![]);
        }
        let mut events = self.events(&ids).await?;
        let mut ratings = self.ratings(&ids).await?;
        let mut calls = self.calls(&ids).await?;
        let life = |filed: Filed| Life {
            events: events.remove(&filed.id).unwrap_or_default(),
            ratings: ratings.remove(&filed.id).unwrap_or_default(),
            calls: calls.remove(&filed.id).unwrap_or_default(),
            filed,
        };
        Ok(filed.into_iter().map(life).collect())
    }

    async fn events(&self, ids: &[CaseId]) -> Result<HashMap<CaseId, Vec<Event>>, Problem> {
        type Row = (
            CaseId,
            DateTime<Utc>,
            String,
            CaseState,
            EventBy,
            UnitId,
            Option<CaseResult>,
            Option<NaiveDate>,
            Option<NaiveDate>,
        );
        let rows: Vec<Row> = case_event::Entity::find()
            .select_only()
            .column(case_event::Column::CaseId)
            .column(case_event::Column::At)
            .column(case_event::Column::Action)
            .column(case_event::Column::ToState)
            .column(case_event::Column::ByKind)
            .column(case_event::Column::UnitId)
            .column(case_event::Column::Result)
            .column(case_event::Column::PromisedDueOn)
            .column(case_event::Column::StatutoryDueOn)
            .filter(case_event::COLUMN.case_id.is_in(ids.iter().copied()))
            .filter(case_event::COLUMN.at.lt(self.span.until))
            .order_by_asc(case_event::Column::CaseId)
            .order_by_asc(case_event::Column::Seq)
            .into_tuple()
            .all(self.db)
            .await?;
        let mut events: HashMap<CaseId, Vec<Event>> = HashMap::new();
        for (case, at, action, to, by, unit, result, promised_due_on, statutory_due_on) in rows {
            let event = Event { at, action, to, by, unit, result, promised_due_on, statutory_due_on };
            events.entry(case).or_default().push(event);
        }
        Ok(events)
    }

    async fn ratings(&self, ids: &[CaseId]) -> Result<HashMap<CaseId, Vec<Rating>>, Problem> {
        type Row = (CaseId, DateTime<Utc>, i32, Option<DateTime<Utc>>);
        let rows: Vec<Row> = review::Entity::find()
            .select_only()
            .column(review::Column::CaseId)
            .column(review::Column::CreatedAt)
            .column(review::Column::Stars)
            .column(review::Column::ExcludedAt)
            .filter(review::COLUMN.case_id.is_in(ids.iter().copied()))
            .filter(review::COLUMN.created_at.lt(self.span.until))
            .into_tuple()
            .all(self.db)
            .await?;
        let mut ratings: HashMap<CaseId, Vec<Rating>> = HashMap::new();
        for (case, at, stars, excluded_at) in rows {
            ratings.entry(case).or_default().push(Rating { at, stars, excluded_at });
        }
        Ok(ratings)
    }

    async fn calls(&self, ids: &[CaseId]) -> Result<HashMap<CaseId, Vec<Called>>, Problem> {
        let rows: Vec<(CaseId, Option<DateTime<Utc>>, Option<String>)> = call_back::Entity::find()
            .select_only()
            .column(call_back::Column::CaseId)
            .column(call_back::Column::CalledAt)
            .column(call_back::Column::Result)
            .filter(call_back::COLUMN.case_id.is_in(ids.iter().copied()))
            .filter(call_back::COLUMN.called_at.lt(self.span.until))
            .into_tuple()
            .all(self.db)
            .await?;
        let mut calls: HashMap<CaseId, Vec<Called>> = HashMap::new();
        for (case, at, result) in rows {
            if let Some((at, result)) = at.zip(result) {
                calls.entry(case).or_default().push(Called { at, result });
            }
        }
        Ok(calls)
    }

    /// Cases that may be counted now, had a part in the period, and are in no report of it: ids only.
    pub(super) async fn missing(
        &self,
        place: &division::Model,
        population: &Population,
    ) -> Result<Vec<CaseId>, Problem> {
        let known: BTreeSet<CaseId> = population.values().flatten().copied().collect();
        let rest = self.of_place(place).await?.population;
        Ok(rest.into_values().flatten().filter(|id| !known.contains(id)).collect())
    }
}

/// Cases of a place and of all below it.
fn within(place: &division::Model) -> Condition {
    let column = match place.level {
        DivisionLevel::Village => case::Column::VillageId,
        DivisionLevel::Township => case::Column::TownshipId,
        DivisionLevel::County => case::Column::CountyId,
        DivisionLevel::City => return Condition::all().add(case::Column::CountyId.in_subquery(counties(place.id))),
    };
    Condition::all().add(column.eq(place.id))
}

fn counties(city: DivisionId) -> SelectStatement {
    let counties = division::Entity::find().select_only().column(division::Column::Id);
    counties.filter(division::COLUMN.city_id.eq(city)).into_query()
}

type FiledTuple =
    (CaseId, String, CaseKind, Option<String>, CaseUrgency, DivisionId, Option<i32>, Option<i32>, DateTime<Utc>);

fn filed(query: Select<case::Entity>) -> Select<case::Entity> {
    query
        .select_only()
        .column(case::Column::Id)
        .column(case::Column::Number)
        .column(case::Column::Kind)
        .column(case::Column::Topic)
        .column(case::Column::Urgency)
        .column(case::Column::VillageId)
        .column(case::Column::PromisedDays)
        .column(case::Column::StatutoryDays)
        .column(case::Column::CreatedAt)
}

fn read((id, number, kind, topic, urgency, village, promised, statutory, made): FiledTuple) -> Row {
    let limit = sla::limit_of(promised, statutory);
    (Filed { id, number, kind, topic, urgency, village, limit }, made)
}

/// Villages of a place that stand, and those of these ids: code, name and class by id.
pub(super) async fn places(
    db: &DatabaseConnection,
    place: &division::Model,
    met: impl IntoIterator<Item = DivisionId>,
) -> Result<BTreeMap<DivisionId, division::Model>, Problem> {
    let here = crate::divisions::subtree(place.id);
    let mut found: BTreeMap<DivisionId, division::Model> = division::Entity::find()
        .filter(here)
        .filter(division::COLUMN.level.eq(DivisionLevel::Village))
        .filter(division::COLUMN.merged_into.is_null())
        .all(db)
        .await?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let others: Vec<DivisionId> = met.into_iter().filter(|id| !found.contains_key(id)).collect();
    for ids in others.chunks(BATCH) {
        let rows = division::Entity::find().filter(division::COLUMN.id.is_in(padded(ids.iter().copied())));
        found.extend(rows.all(db).await?.into_iter().map(|row| (row.id, row)));
    }
    Ok(found)
}
