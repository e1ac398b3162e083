//! Who gets work: somebody who handles cases for the place, or a unit of it; never who is complained about or is near.
//!
//! Who is away has a stand-in, who gets it instead; where that one may not have it, their unit does. Next:
//! [`super::hand_over`], which moves what was given before somebody went away.

use std::collections::HashSet;

use chrono::NaiveDate;
use entity::{
    absence, case,
    id::{AbsenceId, StaffId, UnitId},
    posting, staff,
    unit::{self, UnitKind},
};
use rust_i18n::t;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, sea_query::ExprTrait};
use serde_json::{Value, json};

use crate::{
    auth::Duty,
    cases::near,
    db::Tx,
    problem::{Code, Problem},
};

/// The most stand-ins who are away themselves.
const MOST_STAND_INS: usize = 8;

/// Where work goes, and what the event says of it.
pub(in crate::cases) struct Receiver {
    pub(in crate::cases) to: (UnitId, Option<StaffId>),
    pub(in crate::cases) note: Option<String>,
    pub(in crate::cases) evidence: Option<Value>,
}

impl Receiver {
    fn straight(unit: UnitId, assignee: Option<StaffId>) -> Self {
        Self { to: (unit, assignee), note: None, evidence: None }
    }
}

/// Who gets a case that is given to somebody or to a unit.
///
/// # Errors
/// `conflict_of_interest`; 422 where nobody, or no unit, of that id may have it.
pub(in crate::cases) async fn find(
    tx: &Tx,
    case: &case::Model,
    assignee: Option<StaffId>,
    unit: Option<UnitId>,
    today: NaiveDate,
) -> Result<Receiver, Problem> {
    let Some(assignee) = assignee else {
        let unit = unit_for(tx, case, unit).await?.ok_or_else(|| Problem::field("/unit", "unknown"))?;
        return Ok(Receiver::straight(unit, None));
    };
    if near::barred(tx, case, assignee).await? {
        return Err(Code::ConflictOfInterest.into());
    }
    let seat = seat(&standing(tx, assignee, today).await?, case);
    let seat = seat.ok_or_else(|| Problem::field("/assignee", "unknown"))?;
    let away = away(tx, assignee, today).await?;
    if away.is_empty() {
        return Ok(Receiver::straight(seat, Some(assignee)));
    }
    in_place_of(tx, case, seat, &away, today).await
}

/// Who gets a case in place of somebody who is away: their stand-in, or the unit `otherwise`.
pub(in crate::cases) async fn in_place_of(
    tx: &Tx,
    case: &case::Model,
    otherwise: UnitId,
    away: &[absence::Model],
    today: NaiveDate,
) -> Result<Receiver, Problem> {
    let (Some(first), Some(last)) = (away.first(), away.last()) else {
        return Ok(Receiver::straight(otherwise, None));
    };
    let stand_in = last.stand_in_id;
    let here = away.iter().all(|absence| absence.staff_id != stand_in);
    let mut seat_of_stand_in = None;
    if here && !near::barred(tx, case, stand_in).await? {
        seat_of_stand_in = seat(&standing(tx, stand_in, today).await?, case);
    }
    let absent = staff::Entity::find_by_id(first.staff_id).one(tx).await?;
    let name = absent.map(|absent| absent.name).unwrap_or_default();
    let note = Some(t!("case.covered", locale = "zh-CN", name = name).into_owned());
    let Some(unit) = seat_of_stand_in else {
        let evidence = Some(json!({"instead_of": first.staff_id}));
        return Ok(Receiver { to: (otherwise, None), note, evidence });
    };
    let covers: Vec<AbsenceId> = away.iter().map(|absence| absence.id).collect();
    let evidence = Some(json!({"instead_of": first.staff_id, "covers": covers}));
    Ok(Receiver { to: (unit, Some(stand_in)), note, evidence })
}

/// The absence of somebody today, then that of their stand-in, and so on; empty when they are there.
pub(in crate::cases) async fn away(tx: &Tx, staff: StaffId, today: NaiveDate) -> Result<Vec<absence::Model>, Problem> {
    let (mut chain, mut seen, mut who) = (Vec::new(), HashSet::new(), staff);
    while chain.len() < MOST_STAND_INS && seen.insert(who) {
        let absence = absence::Entity::find()
            .filter(absence::COLUMN.staff_id.eq(who))
            .filter(absence::COLUMN.ended_at.is_null())
            .filter(absence::COLUMN.from_on.lte(today))
            .filter(absence::COLUMN.until_on.gte(today))
            .one(tx)
            .await?;
        let Some(absence) = absence else { break };
        who = absence.stand_in_id;
        chain.push(absence);
    }
    Ok(chain)
}

async fn unit_for(tx: &Tx, case: &case::Model, unit: Option<UnitId>) -> Result<Option<UnitId>, Problem> {
    let Some(id) = unit else { return Ok(None) };
    let places = [case.village_id, case.township_id, case.county_id];
    let found = unit::Entity::find_by_id(id).filter(unit::COLUMN.division_id.is_in(places)).one(tx).await?;
    let fits = found.filter(|unit| !case.confidential || unit.kind == UnitKind::DisciplineDesk);
    Ok(fits.map(|unit| unit.id))
}

/// Postings of somebody that stand today; none of somebody dismissed.
pub(in crate::cases) async fn standing(
    db: &impl ConnectionTrait,
    who: StaffId,
    today: NaiveDate,
) -> Result<Vec<posting::Model>, Problem> {
    let serves = staff::Entity::find_by_id(who).filter(staff::COLUMN.dismissed_at.is_null()).one(db).await?;
    if serves.is_none() {
        return Ok(vec![]);
    }
    Ok(posting::Entity::find()
        .filter(posting::COLUMN.staff_id.eq(who))
        .filter(posting::COLUMN.starts_on.lte(today))
        .filter(posting::COLUMN.ends_on.is_null().or(posting::COLUMN.ends_on.gte(today)))
        .order_by_asc(posting::Column::Id)
        .all(db)
        .await?)
}

/// The unit in which one of these postings lets somebody work on a case; the one that has it where there are several.
pub(in crate::cases) fn seat(postings: &[posting::Model], case: &case::Model) -> Option<UnitId> {
    let places = [case.village_id, case.township_id, case.county_id];
    let duty = if case.confidential { Duty::HandleDiscipline } else { Duty::HandleCases };
    let fits = |row: &&posting::Model| {
        let has_duty = row.duties.as_array().is_some_and(|duties| duties.iter().any(|slug| slug == duty.slug()));
        has_duty && places.contains(&row.division_id)
    };
    let mut fitting = postings.iter().filter(fits).map(|row| row.unit_id);
    let first = fitting.clone().next();
    fitting.find(|unit| *unit == case.unit_id).or(first)
}
