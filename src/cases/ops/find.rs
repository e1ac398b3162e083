//! Finding cases: the villager's own, the lists of staff, the timeline of one.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::{
    case::{self, CaseKind, CaseState},
    case_event,
    id::{CaseId, ServiceItemId, StaffId, UnitId},
    staff, unit,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Select, sea_query::ExprTrait,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{Duty, Staff, Villager, duty::WorkOnCases},
    cases::{number::CaseNumber, scope},
    clock::local_day,
    http::{Cursor, PageQuery},
    problem::Problem,
};

/// What the lists narrow by.
#[derive(Clone, Debug, Default)]
pub struct Narrow {
    /// One state.
    pub state: Option<CaseState>,
    /// One kind.
    pub kind: Option<CaseKind>,
}

fn narrow(mut query: Select<case::Entity>, by: &Narrow) -> Select<case::Entity> {
    if let Some(state) = by.state {
        query = query.filter(case::COLUMN.state.eq(state));
    }
    if let Some(kind) = by.kind {
        query = query.filter(case::COLUMN.kind.eq(kind));
    }
    query
}

/// The villager's cases, newest first, at most `size + 1`.
pub async fn of_villager(app: &App, me: &Villager, by: &Narrow, page: &PageQuery) -> Result<Vec<case::Model>, Problem> {
    let mut query = narrow(scope::of_villager(me), by);
    if let Some(before) = Cursor::read::<CaseId>(page.cursor.as_deref())? {
        query = query.filter(case::COLUMN.id.lt(before));
    }
    Ok(query.order_by_desc(case::Column::Id).limit(page.size() + 1).all(app.db.read()).await?)
}

/// A staff list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StaffView {
    /// What waits for me or my desk.
    #[default]
    Inbox,
    /// Assigned to me.
    Mine,
    /// In my units.
    Unit,
    /// Taken in by my units, now elsewhere.
    Sent,
    /// Past the promised day, in my places.
    Overdue,
}

/// Open cases of a list, the first due first, at most `size + 1`.
pub async fn of_staff(
    app: &App,
    staff: &Staff<WorkOnCases>,
    view: StaffView,
    by: &Narrow,
    number: Option<&str>,
    page: &PageQuery,
) -> Result<Vec<case::Model>, Problem> {
    let mut query = narrow(scope::of_staff(staff), by);
    query = match number {
        // A number is looked up wherever it is in scope, open or closed.
        Some(text) => match CaseNumber::parse(text) {
            Ok(number) => query.filter(case::COLUMN.number.eq(number.to_string())),
            Err(_) => return Ok(vec![]),
        },
        None => query.filter(case::COLUMN.closed_at.is_null()).filter(of_view(app, staff, view)),
    };
    if let Some((due_on, id)) = Cursor::read::<(NaiveDate, CaseId)>(page.cursor.as_deref())? {
        let later = case::COLUMN.due_on.gt(due_on);
        query = query.filter(later.or(case::COLUMN.due_on.eq(due_on).and(case::COLUMN.id.gt(id))));
    }
    query = query.order_by_asc(case::Column::DueOn).order_by_asc(case::Column::Id);
    Ok(query.limit(page.size() + 1).all(app.db.read()).await?)
}

fn of_view(app: &App, staff: &Staff<WorkOnCases>, view: StaffView) -> Condition {
    let units: Vec<UnitId> = staff.postings().map(|posting| posting.unit).collect();
    let mine = || case::COLUMN.assignee_id.eq(staff.id());
    match view {
        StaffView::Inbox => {
            let desk = [Duty::AcceptCases, Duty::AssignCases, Duty::HandleDiscipline];
            let desks: Vec<UnitId> = staff.postings().filter(|at| at.any(&desk)).map(|at| at.unit).collect();
            let work = [CaseState::Assigned, CaseState::InProgress];
            Condition::any()
                .add(
                    Condition::all()
                        .add(case::COLUMN.unit_id.is_in(desks))
                        .add(case::COLUMN.state.is_in([CaseState::Submitted, CaseState::Accepted])),
                )
                .add(Condition::all().add(mine()).add(case::COLUMN.state.is_in(work)))
                .add(
                    Condition::all()
                        .add(case::COLUMN.unit_id.is_in(units))
                        .add(case::COLUMN.assignee_id.is_null())
                        .add(case::COLUMN.state.is_in(work)),
                )
        }
        StaffView::Mine => Condition::all().add(mine()),
        StaffView::Unit => Condition::all().add(case::COLUMN.unit_id.is_in(units)),
        StaffView::Sent => Condition::all()
            .add(case::COLUMN.first_unit_id.is_in(units.clone()))
            .add(case::COLUMN.unit_id.is_not_in(units)),
        StaffView::Overdue => Condition::all().add(case::COLUMN.due_on.lt(local_day(app.clock.now()))),
    }
}

/// The timeline of a case that was found in scope, oldest first.
pub async fn events(db: &DatabaseConnection, case: CaseId) -> Result<Vec<case_event::Model>, Problem> {
    let query = case_event::Entity::find().filter(case_event::COLUMN.case_id.eq(case));
    Ok(query.order_by_asc(case_event::Column::Seq).limit(500).all(db).await?)
}

/// Names that views show: items, staff, units; each looked up once a page.
#[derive(Default)]
pub struct Names {
    /// Code and name.
    pub items: HashMap<ServiceItemId, (String, String)>,
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
