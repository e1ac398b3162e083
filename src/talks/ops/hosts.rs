//! Who may host a talk day. Where staff may act at all: [`divisions::reach`].

use entity::{Instant, division, id::StaffId, posting, staff};
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, sea_query::ExprTrait};

use crate::{clock::local_day, db::Tx, divisions, problem::Problem};

/// Whether these people are posted here or above today; 422 at the first who is not.
pub(super) async fn check(tx: &Tx, place: &division::Model, hosts: &[StaffId], now: Instant) -> Result<(), Problem> {
    if hosts.is_empty() {
        return Ok(());
    }
    let (today, here) = (local_day(now), divisions::line_up(place));
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
