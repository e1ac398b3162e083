//! Finding cases: the villager's own, the timeline of one, names that views show. Lists of staff: [`super::staff_lists`].

use std::collections::HashMap;

use entity::{
    case::{self, CaseKind, CaseState},
    case_event,
    id::{CaseId, PersonId, ServiceItemId, StaffId, UnitId},
    person, staff, unit,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};

use crate::{
    app::App,
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
}

pub(super) fn narrow(mut query: Select<case::Entity>, by: &Narrow) -> Select<case::Entity> {
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
