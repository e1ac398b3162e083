//! Whose people staff may know of: those of the villages in the subtree of their postings. Elsewhere reads as 404.

use entity::{
    division::{self, DivisionLevel},
    id::{DivisionId, PersonId},
    person,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select, sea_query::Expr,
};

use crate::{
    auth::{Duty, Staff, duty::Need},
    divisions,
    problem::Problem,
};

/// A village in reach; 404 elsewhere, 422 when it is no village.
pub(super) async fn village<N: Need>(
    db: &impl ConnectionTrait,
    staff: &Staff<N>,
    id: DivisionId,
) -> Result<division::Model, Problem> {
    let place = divisions::reach(db, staff, id).await?;
    if place.level == DivisionLevel::Village { Ok(place) } else { Err(Problem::field("path", "not_a_village")) }
}

/// Whether staff have a duty at a place.
pub(super) fn has_duty<N: Need>(staff: &Staff<N>, place: &division::Model, duty: Duty) -> bool {
    staff.postings().any(|posted| posted.any(&[duty]) && divisions::covers(posted, place))
}

/// Somebody who belongs to a village in scope; else 404.
pub async fn person<N: Need>(
    db: &impl ConnectionTrait,
    staff: &Staff<N>,
    id: PersonId,
) -> Result<person::Model, Problem> {
    let found = open().filter(person::COLUMN.id.eq(id)).one(db).await?.ok_or_else(Problem::not_found)?;
    divisions::reach(db, staff, found.village_id.ok_or_else(Problem::not_found)?).await?;
    Ok(found)
}

/// People who did not ask to be forgotten.
pub(super) fn open() -> Select<person::Entity> {
    person::Entity::find().filter(person::COLUMN.closed_at.is_null())
}

/// That `village` is this place or lies below it.
pub(super) fn within(village: impl ColumnTrait, place: &division::Model) -> Expr {
    let above = match place.level {
        DivisionLevel::Village => return village.eq(place.id),
        DivisionLevel::Township => division::Column::TownshipId,
        DivisionLevel::County => division::Column::CountyId,
        DivisionLevel::City => division::Column::CityId,
    };
    let villages = division::Entity::find().select_only().column(division::Column::Id);
    village.in_subquery(villages.filter(above.eq(place.id)).into_query())
}
