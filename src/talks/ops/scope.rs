//! Where staff may act: in the subtree of the places they are posted to. Elsewhere reads as 404.

use entity::{
    Instant, division,
    id::{DivisionId, StaffId},
    posting, staff,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, sea_query::ExprTrait};

use crate::{
    auth::{Posted, Staff, duty::Need},
    clock::local_day,
    db::Tx,
    divisions,
    problem::Problem,
};

/// A place and those above it.
fn lineage(place: &division::Model) -> [Option<DivisionId>; 4] {
    [Some(place.id), place.township_id, place.county_id, place.city_id]
}

/// Whether a posting's place is this one or lies above it.
pub(super) fn covers(posted: &Posted, place: &division::Model) -> bool {
    lineage(place).contains(&Some(posted.division))
}

/// The place, when one of the postings that satisfy the need covers it.
pub async fn place<N: Need>(
    db: &impl ConnectionTrait,
    staff: &Staff<N>,
    id: DivisionId,
) -> Result<division::Model, Problem> {
    let place = divisions::find(db, id).await?;
    if staff.postings().any(|posted| covers(posted, &place)) { Ok(place) } else { Err(Problem::not_found()) }
}

/// Whether these people are posted here or above today; 422 at the first who is not.
pub(super) async fn check_hosts(
    tx: &Tx,
    place: &division::Model,
    hosts: &[StaffId],
    now: Instant,
) -> Result<(), Problem> {
    if hosts.is_empty() {
        return Ok(());
    }
    let (today, here) = (local_day(now), lineage(place));
    let theirs = posting::Entity::belongs_to(staff::Entity).from(posting::Column::StaffId).to(staff::Column::Id);
    let posted: Vec<StaffId> = posting::Entity::find()
        .select_only()
        .column(posting::Column::StaffId)
        .join(JoinType::InnerJoin, theirs.into())
        .filter(posting::COLUMN.staff_id.is_in(hosts.iter().copied()))
        .filter(posting::COLUMN.division_id.is_in(here.into_iter().flatten()))
        .filter(posting::COLUMN.starts_on.lte(today))
        .filter(posting::COLUMN.ends_on.is_null().or(posting::COLUMN.ends_on.gte(today)))
        .filter(staff::COLUMN.dismissed_at.is_null())
        .into_tuple()
        .all(tx)
        .await?;
    match hosts.iter().position(|host| !posted.contains(host)) {
        Some(at) => Err(Problem::field(&format!("/hosts/{at}"), "unknown")),
        None => Ok(()),
    }
}
