//! Finding cases: the villager's own, the timeline of one, names that views show. Lists of staff: [`super::staff_lists`].

use std::collections::HashMap;

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use entity::{
    case::{self, CaseKind, CaseState},
    case_event,
    id::{CaseId, DivisionId, PersonId, ServiceItemId, StaffId, UnitId},
    person, staff, unit,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select,
    sea_query::{Expr, ExprTrait, Func},
};

use crate::{
    app::App,
    calendar::Period,
    cases::{
        sla::{self, DueLight},
        workflow,
    },
    catalogue::ItemName,
    clock,
    http::{Cursor, PageQuery},
    personal::PersonName,
    problem::Problem,
};

/// What the lists narrow by.
#[derive(Clone, Debug, Default)]
pub struct Narrow {
    /// One state.
    pub state: Option<CaseState>,
    /// One kind.
    pub kind: Option<CaseKind>,
    /// The unit that has it.
    pub unit: Option<UnitId>,
    /// A place and everything below it.
    pub division: Option<DivisionId>,
    /// One topic.
    pub topic: Option<String>,
    /// Filed in these days.
    pub period: Option<Period>,
    /// Its light today, with the days at which lights turn.
    pub light: Option<(DueLight, LightDays)>,
}

/// The days that lights go by.
#[derive(Clone, Copy, Debug)]
pub struct LightDays {
    /// Today.
    pub today: NaiveDate,
    /// The last due day that is yellow of a short limit, and of a longer one.
    pub yellow_until: [NaiveDate; 2],
}

fn lit(light: DueLight, days: LightDays) -> Condition {
    let [short, long] = days.yellow_until;
    let limit = || {
        let usual = i32::try_from(sla::limit_of(None, None)).unwrap_or(i32::MAX);
        Func::coalesce([
            Expr::col((case::Entity, case::Column::PromisedDays)),
            Expr::col((case::Entity, case::Column::StatutoryDays)),
            Expr::val(usual),
        ])
    };
    let near = Condition::any()
        .add(Expr::expr(limit()).lte(sla::SHORT).and(case::COLUMN.due_on.lte(short)))
        .add(Expr::expr(limit()).gt(sla::SHORT).and(case::COLUMN.due_on.lte(long)));
    let running = Condition::all().add(case::COLUMN.state.is_in(workflow::RUNNING.iter().copied()));
    match light {
        DueLight::Red => running.add(case::COLUMN.due_on.lt(days.today)),
        DueLight::Yellow => running.add(case::COLUMN.due_on.gte(days.today)).add(near),
        DueLight::Green => running.add(case::COLUMN.due_on.gte(days.today)).add(near.not()),
    }
}

/// The query, narrowed.
pub fn narrow(mut query: Select<case::Entity>, by: &Narrow) -> Select<case::Entity> {
    if let Some(unit) = by.unit {
        query = query.filter(case::COLUMN.unit_id.eq(unit));
    }
    if let Some(place) = by.division {
        let here = [case::Column::VillageId, case::Column::TownshipId, case::Column::CountyId];
        query = query.filter(here.into_iter().fold(Condition::any(), |any, column| any.add(column.eq(place))));
    }
    if let Some(topic) = &by.topic {
        query = query.filter(case::COLUMN.topic.eq(topic.clone()));
    }
    if let Some(Period { from, to }) = by.period {
        let first = clock::instant(from, NaiveTime::MIN);
        let after = clock::instant(to, NaiveTime::MIN) + TimeDelta::days(1);
        query = query.filter(case::COLUMN.created_at.gte(first)).filter(case::COLUMN.created_at.lt(after));
    }
    if let Some((light, days)) = by.light {
        query = query.filter(lit(light, days));
    }
    if let Some(state) = by.state {
        query = query.filter(case::COLUMN.state.eq(state));
    }
    if let Some(kind) = by.kind {
        query = query.filter(case::COLUMN.kind.eq(kind));
    }
    query
}

/// The cases of a scope, newest first, at most `size + 1`.
pub async fn newest(
    app: &App,
    scope: Select<case::Entity>,
    by: &Narrow,
    page: &PageQuery,
) -> Result<Vec<case::Model>, Problem> {
    let mut query = narrow(scope, by);
    if let Some(before) = Cursor::read::<CaseId>(page.cursor.as_deref())? {
        query = query.filter(case::COLUMN.id.lt(before));
    }
    Ok(query.order_by_desc(case::Column::Id).limit(page.size() + 1).all(app.db.read()).await?)
}

/// The timeline of a case that was found in scope, oldest first.
pub async fn events(db: &DatabaseConnection, case: CaseId) -> Result<Vec<case_event::Model>, Problem> {
    let query = case_event::Entity::find().filter(case_event::COLUMN.case_id.eq(case));
    Ok(query.order_by_asc(case_event::Column::Seq).limit(500).all(db).await?)
}

/// Names that views show: items, staff, units; each looked up once a page.
#[derive(Default)]
pub struct Names {
    /// Of items.
    pub items: HashMap<ServiceItemId, ItemName>,
    /// Staff names.
    pub staff: HashMap<StaffId, String>,
    /// Unit names.
    pub units: HashMap<UnitId, String>,
}

impl Names {
    /// Of the items of these cases.
    pub async fn of_items(
        app: &App,
        db: &impl ConnectionTrait,
        cases: impl IntoIterator<Item = &case::Model>,
    ) -> Result<Self, Problem> {
        let ids = cases.into_iter().filter_map(|case| case.item_id);
        Ok(Self { items: app.item_names.of(db, ids).await?, ..Self::default() })
    }

    /// Adds staff and units by their ids.
    pub async fn and_people(
        mut self,
        db: &DatabaseConnection,
        staff: Vec<StaffId>,
        units: Vec<UnitId>,
    ) -> Result<Self, Problem> {
        if !staff.is_empty() {
            let rows = staff::Entity::find().filter(staff::COLUMN.id.is_in(staff)).all(db).await?;
            self.staff = rows.into_iter().map(|row| (row.id, row.name)).collect();
        }
        if !units.is_empty() {
            let rows = unit::Entity::find().filter(unit::COLUMN.id.is_in(units)).all(db).await?;
            self.units = rows.into_iter().map(|row| (row.id, row.name)).collect();
        }
        Ok(self)
    }
}

/// Names of people, to be shown masked.
pub async fn names_of_people(
    app: &App,
    ids: std::collections::BTreeSet<PersonId>,
) -> Result<HashMap<PersonId, PersonName>, Problem> {
    let mut names = HashMap::new();
    if ids.is_empty() {
        return Ok(names);
    }
    let people = person::Entity::find().filter(person::COLUMN.id.is_in(ids)).all(app.db.read()).await?;
    for row in people {
        if let Some(name) = app.field_keys.open_if(row.name.as_ref())? {
            names.insert(row.id, name);
        }
    }
    Ok(names)
}
