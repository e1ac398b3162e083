//! Who may host a talk day. Where staff may act at all: [`divisions::reach`].

use chrono::NaiveDate;
use entity::{Instant, absence, division, id::StaffId, posting, staff};
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, sea_query::ExprTrait};

use crate::{clock::local_day, db::Tx, divisions, problem::Problem};

/// Whether these people are posted here or above today; 422 at the first who is not.
pub(super) async fn check(tx: &Tx, place: &division::Model, hosts: &[StaffId], now: Instant) -> Result<(), Problem> {
    let posted = posted(tx, place, hosts, now).await?;
    match hosts.iter().position(|host| !posted.contains(host)) {
        Some(at) => Err(Problem::field(&format!("/hosts/{at}"), "unknown")),
        None => Ok(()),
    }
}

/// Who of these people is posted here or above today.
pub(super) async fn posted(
    tx: &Tx,
    place: &division::Model,
    hosts: &[StaffId],
    now: Instant,
) -> Result<Vec<StaffId>, Problem> {
    if hosts.is_empty() {
        return Ok(vec![]);
    }
    let (today, here) = (local_day(now), divisions::line_up(place));
    let theirs = posting::Entity::belongs_to(staff::Entity).from(posting::Column::StaffId).to(staff::Column::Id);
    let posted = posting::Entity::find()
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
    Ok(posted)
}

/// Whether somebody is away on that day.
pub(super) async fn is_away(tx: &Tx, who: StaffId, on: NaiveDate) -> Result<bool, Problem> {
    let then = absence::Entity::find()
        .filter(absence::COLUMN.staff_id.eq(who))
        .filter(absence::COLUMN.ended_at.is_null())
        .filter(absence::COLUMN.from_on.lte(on))
        .filter(absence::COLUMN.until_on.gte(on));
    Ok(then.one(tx).await?.is_some())
}
