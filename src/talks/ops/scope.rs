//! Where staff may act: in the subtree of the places they are posted to. Elsewhere reads as 404.

use entity::{
    division,
    id::{DivisionId, StaffId},
    staff,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use crate::{
    auth::{Posted, Staff, duty::Need},
    db::Tx,
    divisions,
    problem::Problem,
};

/// Whether a posting's place is this one or lies above it.
pub(super) fn covers(posted: &Posted, place: &division::Model) -> bool {
    [Some(place.id), place.township_id, place.county_id, place.city_id].contains(&Some(posted.division))
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

/// Whether these people work here; 422 at the first who does not.
pub(super) async fn check_hosts(tx: &Tx, hosts: &[StaffId]) -> Result<(), Problem> {
    if hosts.is_empty() {
        return Ok(());
    }
    let known: Vec<StaffId> = staff::Entity::find()
        .select_only()
        .column(staff::Column::Id)
        .filter(staff::COLUMN.id.is_in(hosts.iter().copied()))
        .filter(staff::COLUMN.dismissed_at.is_null())
        .into_tuple()
        .all(tx)
        .await?;
    match hosts.iter().position(|host| !known.contains(host)) {
        Some(at) => Err(Problem::field(&format!("/hosts/{at}"), "unknown")),
        None => Ok(()),
    }
}
