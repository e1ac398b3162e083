//! Sessions of callers, read for all who wait at once: every signed-in call asks for one.
//!
//! One statement brings the session, the staff behind it and their postings, so that logout and dismissal bite at the
//! next call, whichever server it reaches.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::{
    Instant,
    division::DivisionLevel,
    id::{DivisionId, PersonId, SessionId, StaffId, UnitId},
    posting, session, staff,
};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, FromQueryResult, JoinType, QueryFilter, QuerySelect};
use serde_json::Value;

use super::actor::Posted;
use crate::{
    app::App,
    clock,
    db::{Answers, Db, Lane, Wishes, padded},
    problem::Problem,
};

/// The way to sessions; the rows of one that does not exist are none.
pub type Sessions = Lane<SessionId, Vec<Standing>>;

/// What a session says: one row, or one for each posting of the staff behind it.
#[derive(Clone, FromQueryResult)]
pub struct Standing {
    id: SessionId,
    pub(super) person_id: Option<PersonId>,
    pub(super) staff_id: Option<StaffId>,
    pub(super) second_factor: bool,
    pub(super) ended_at: Option<Instant>,
    pub(super) name: Option<String>,
    pub(super) dismissed_at: Option<Instant>,
    pub(super) demonstration: Option<bool>,
    unit_id: Option<UnitId>,
    division_id: Option<DivisionId>,
    level: Option<DivisionLevel>,
    duties: Option<Value>,
    starts_on: Option<NaiveDate>,
    ends_on: Option<NaiveDate>,
}

/// The postings of these rows that stand today.
pub(super) fn postings(app: &App, rows: Vec<Standing>) -> Result<Vec<Posted>, Problem> {
    let today = clock::local_day(app.clock.now());
    rows.into_iter().filter_map(|row| posted(row, today)).collect()
}

fn posted(row: Standing, today: NaiveDate) -> Option<Result<Posted, Problem>> {
    let stands = row.starts_on? <= today && row.ends_on.is_none_or(|end| today <= end);
    let (unit, division, level) = (row.unit_id?, row.division_id?, row.level?);
    let duties = serde_json::from_value(row.duties?).map_err(Problem::unexpected);
    stands.then(|| Ok(Posted { unit, division, level, duties: duties? }))
}

/// Opens the way.
#[must_use]
pub fn sessions(db: &Db) -> Sessions {
    Lane::reading(db, |db, ids| Box::pin(load(db, ids)))
}

async fn load(db: DatabaseConnection, ids: Wishes<SessionId>) -> Answers<Vec<Standing>> {
    let staff = session::Entity::belongs_to(staff::Entity).from(session::Column::StaffId).to(staff::Column::Id);
    let posts = session::Entity::belongs_to(posting::Entity).from(session::Column::StaffId);
    let rows: Vec<Standing> = session::Entity::find()
        .select_only()
        .columns([session::Column::Id, session::Column::PersonId, session::Column::StaffId, session::Column::EndedAt])
        .columns([session::Column::SecondFactor])
        .columns([staff::Column::Name, staff::Column::DismissedAt, staff::Column::Demonstration])
        .columns([posting::Column::UnitId, posting::Column::DivisionId, posting::Column::Level])
        .columns([posting::Column::Duties, posting::Column::StartsOn, posting::Column::EndsOn])
        .join(JoinType::LeftJoin, staff.into())
        .join(JoinType::LeftJoin, posts.to(posting::Column::StaffId).into())
        .filter(session::COLUMN.id.is_in(padded(ids.iter().map(|id| **id))))
        .into_model()
        .all(&db)
        .await?;
    let mut found: HashMap<SessionId, Vec<Standing>> = HashMap::new();
    for row in rows {
        found.entry(row.id).or_default().push(row);
    }
    Ok(ids.iter().map(|id| Ok(found.get(id).cloned().unwrap_or_default())).collect())
}
