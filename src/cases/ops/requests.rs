//! What is asked of somebody else: which unit decides, and what exactly was asked for.

use entity::{
    case::{self, CaseRequest},
    case_event,
    division::DivisionLevel,
    id::{DivisionId, UnitId},
    unit::{self, UnitKind},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{
    cases::{effects::Detail, workflow::Action},
    db::Tx,
    problem::{Code, Problem},
};

/// The unit above the one that has the case, and its level; none above the county.
///
/// What is confidential climbs from discipline desk to discipline desk.
pub(in crate::cases) async fn above(
    db: &impl ConnectionTrait,
    case: &case::Model,
) -> Result<Option<(UnitId, DivisionLevel)>, Problem> {
    let now = unit::Entity::find_by_id(case.unit_id).one(db).await?;
    let place = now.map_or(case.village_id, |unit| unit.division_id);
    let steps = [
        (case.township_id, UnitKind::TownshipCentre, DivisionLevel::Township),
        (case.county_id, UnitKind::County, DivisionLevel::County),
    ];
    let from = usize::from(place != case.village_id);
    if place == case.county_id {
        return Ok(None);
    }
    for (division, kind, level) in steps.into_iter().skip(from) {
        let kind = if case.confidential { UnitKind::DisciplineDesk } else { kind };
        if let Some(unit) = unit_of(db, division, kind).await? {
            return Ok(Some((unit, level)));
        }
    }
    Ok(None)
}

async fn unit_of(db: &impl ConnectionTrait, division: DivisionId, kind: UnitKind) -> Result<Option<UnitId>, Problem> {
    let found = unit::Entity::find()
        .filter(unit::COLUMN.division_id.eq(division))
        .filter(unit::COLUMN.kind.eq(kind))
        .order_by_asc(unit::Column::Id)
        .one(db)
        .await?;
    Ok(found.map(|unit| unit.id))
}

/// The township's unit for a case: its centre, its discipline desk for what is confidential; else who has it.
pub(in crate::cases) async fn township_of(db: &impl ConnectionTrait, case: &case::Model) -> Result<UnitId, Problem> {
    let kind = if case.confidential { UnitKind::DisciplineDesk } else { UnitKind::TownshipCentre };
    Ok(unit_of(db, case.township_id, kind).await?.unwrap_or(case.unit_id))
}

/// A request, addressed to who decides it: a pause to the unit itself, everything else one level up.
pub(in crate::cases) async fn asked(tx: &Tx, case: &case::Model, request: CaseRequest) -> Result<Detail, Problem> {
    let unit = match request {
        CaseRequest::Pause => case.unit_id,
        CaseRequest::Objection => township_of(tx, case).await?,
        CaseRequest::Extension | CaseRequest::Supplement => {
            above(tx, case).await?.map_or(case.unit_id, |(unit, _)| unit)
        }
    };
    Ok(Detail::Asked { request, unit, until: None, working_days: None })
}

/// What waits to be decided, as it was asked for, decided so.
///
/// # Errors
/// `transition_not_allowed` where nothing of this kind waits.
pub(in crate::cases) async fn decided(tx: &Tx, case: &case::Model, granted: bool) -> Result<Detail, Problem> {
    let nothing = || Problem::new(Code::TransitionNotAllowed).with("state", case.state);
    let request = case.pending.ok_or_else(nothing)?;
    let action = match request {
        CaseRequest::Pause => Action::Pause,
        CaseRequest::Extension => Action::Extend,
        CaseRequest::Supplement => Action::RequestSupplement,
        CaseRequest::Objection => Action::Object,
    };
    let event = case_event::Entity::find()
        .filter(case_event::COLUMN.case_id.eq(case.id))
        .filter(case_event::COLUMN.action.eq(action.slug()))
        .order_by_desc(case_event::Column::Seq)
        .one(tx)
        .await?;
    let detail = event.and_then(|event| event.detail).and_then(|detail| serde_json::from_value(detail).ok());
    let (until, working_days) = match detail {
        Some(Detail::Asked { until, working_days, .. }) => (until, working_days),
        _ => (None, None),
    };
    Ok(Detail::Decided { request, granted, until, working_days })
}
