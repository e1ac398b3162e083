//! Who may host a talk day: who has that duty at its place or above. A host reads what is said in private, so that being
//! named by whoever makes the days is not enough. Where staff may act at all: [`divisions::reach`].

use chrono::NaiveDate;
use entity::{Instant, absence, division, id::StaffId, posting, staff};
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, sea_query::ExprTrait};
use serde_json::Value;

use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::Duty,
    db::Tx,
    divisions,
    problem::Problem,
};

/// Whether these people may host here on that day; 422 at the first who may not.
pub(super) async fn check(tx: &Tx, place: &division::Model, hosts: &[StaffId], on: NaiveDate) -> Result<(), Problem> {
    let may = may_host(tx, place, hosts, on).await?;
    match hosts.iter().position(|host| !may.contains(host)) {
        Some(at) => Err(Problem::field(&format!("/hosts/{at}"), "unknown")),
        None => Ok(()),
    }
}

/// Who of these people has the duty to host here, or above, on that day.
pub(super) async fn may_host(
    tx: &Tx,
    place: &division::Model,
    hosts: &[StaffId],
    on: NaiveDate,
) -> Result<Vec<StaffId>, Problem> {
    if hosts.is_empty() {
        return Ok(vec![]);
    }
    let here = divisions::line_up(place);
    let theirs = posting::Entity::belongs_to(staff::Entity).from(posting::Column::StaffId).to(staff::Column::Id);
    let posted: Vec<(StaffId, Value)> = posting::Entity::find()
        .select_only()
        .columns([posting::Column::StaffId, posting::Column::Duties])
        .join(JoinType::InnerJoin, theirs.into())
        .filter(posting::COLUMN.staff_id.is_in(hosts.iter().copied()))
        .filter(posting::COLUMN.division_id.is_in(here.into_iter().flatten()))
        .filter(posting::COLUMN.starts_on.lte(on))
        .filter(posting::COLUMN.ends_on.is_null().or(posting::COLUMN.ends_on.gte(on)))
        .filter(staff::COLUMN.dismissed_at.is_null())
        .into_tuple()
        .all(tx)
        .await?;
    let hosting = |duties: &Value| {
        duties.as_array().is_some_and(|duties| duties.iter().any(|slug| slug == Duty::HostTalks.slug()))
    };
    Ok(posted.into_iter().filter(|(_, duties)| hosting(duties)).map(|(who, _)| who).collect())
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

/// Enters in the audit who the hosts are from now on. Last in its transaction.
pub(super) async fn entered(
    tx: &Tx,
    app: &App,
    by: &Actor,
    entry: Entry,
    hosts: &[StaffId],
    now: Instant,
) -> Result<(), Problem> {
    let named: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    let entry = entry.of_fields(format!("hosts={}", named.join(" ")));
    audit::record(tx, &app.field_keys, by, entry, now).await
}
