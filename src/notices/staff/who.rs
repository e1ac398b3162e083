//! Whom of the staff something is for: by duty in a unit or a place, or in the nearest place where somebody is.
//!
//! Of what is confidential never whom it complains about, nor who is near to them. Next: [`super::tell`].

use chrono::NaiveDate;
use entity::{
    id::{CaseId, DivisionId, StaffId, UnitId},
    posting, staff,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, Select};

use crate::{auth::Duty, cases, problem::Problem};

/// Who holds one of these duties in a place itself today.
pub async fn holding(
    db: &impl ConnectionTrait,
    place: DivisionId,
    duties: &[Duty],
    today: NaiveDate,
) -> Result<Vec<StaffId>, Problem> {
    with_duty(db, posted().filter(posting::COLUMN.division_id.eq(place)), duties, today).await
}

/// Who holds one of these duties in a unit today.
pub async fn in_unit(
    db: &impl ConnectionTrait,
    unit: UnitId,
    duties: &[Duty],
    today: NaiveDate,
) -> Result<Vec<StaffId>, Problem> {
    with_duty(db, posted().filter(posting::COLUMN.unit_id.eq(unit)), duties, today).await
}

/// The first of these places where somebody holds one of these duties today and need not keep away from this case, and
/// who they are.
pub async fn nearest(
    db: &impl ConnectionTrait,
    places: impl IntoIterator<Item = DivisionId>,
    duties: &[Duty],
    case: Option<CaseId>,
    today: NaiveDate,
) -> Result<Option<(DivisionId, Vec<StaffId>)>, Problem> {
    for place in places {
        let staff = free_of(db, holding(db, place, duties, today).await?, case).await?;
        if !staff.is_empty() {
            return Ok(Some((place, staff)));
        }
    }
    Ok(None)
}

/// Those of them who need not keep away from this case; all of them where there is none.
pub async fn free_of(
    db: &impl ConnectionTrait,
    staff: Vec<StaffId>,
    case: Option<CaseId>,
) -> Result<Vec<StaffId>, Problem> {
    let Some(case) = case else { return Ok(staff) };
    let mut free = Vec::with_capacity(staff.len());
    for one in staff {
        if !cases::keeps_away(db, case, one).await? {
            free.push(one);
        }
    }
    Ok(free)
}

fn posted() -> Select<posting::Entity> {
    let of_staff = posting::Entity::belongs_to(staff::Entity).from(posting::Column::StaffId).to(staff::Column::Id);
    posting::Entity::find().join(JoinType::InnerJoin, of_staff.into()).filter(staff::COLUMN.dismissed_at.is_null())
}

async fn with_duty(
    db: &impl ConnectionTrait,
    postings: Select<posting::Entity>,
    duties: &[Duty],
    today: NaiveDate,
) -> Result<Vec<StaffId>, Problem> {
    let rows = postings.filter(posting::COLUMN.starts_on.lte(today)).order_by_asc(posting::Column::StaffId);
    let mut found = Vec::new();
    for row in rows.all(db).await? {
        let held: Vec<Duty> = serde_json::from_value(row.duties).map_err(Problem::unexpected)?;
        let stands = row.ends_on.is_none_or(|end| today <= end);
        if stands && held.iter().any(|duty| duties.contains(duty)) && !found.contains(&row.staff_id) {
            found.push(row.staff_id);
        }
    }
    Ok(found)
}
