//! Who was called in beside the assignee (吹哨报到): a unit or one person of it, to answer by a day.

use std::collections::HashMap;

use chrono::NaiveDate;
use entity::{
    Instant, case, co_handler,
    id::{CaseId, CoHandlerId, StaffId, UnitId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Set,
    sea_query::SelectStatement,
};

use super::staff_tellings;
use crate::{
    auth::{Duty, Staff, duty::WorkOnCases},
    db::{Tx, padded},
    problem::{Code, Problem},
};

fn of(staff: StaffId, unit: UnitId) -> Condition {
    let whole = Condition::all().add(co_handler::COLUMN.staff_id.is_null()).add(co_handler::COLUMN.unit_id.eq(unit));
    Condition::any().add(co_handler::COLUMN.staff_id.eq(staff)).add(whole)
}

/// Ids of the cases into which somebody was called, by name or by their unit.
pub(super) fn cases_of(staff: StaffId, unit: UnitId) -> SelectStatement {
    co_handler::Entity::find().select_only().column(co_handler::Column::CaseId).filter(of(staff, unit)).into_query()
}

/// Into which of some cases somebody was called, and for which unit.
pub(super) struct Called(HashMap<CaseId, UnitId>);

impl Called {
    /// Among these cases.
    pub(super) async fn among(
        db: &impl ConnectionTrait,
        staff: &Staff<WorkOnCases>,
        cases: &[case::Model],
    ) -> Result<Self, Problem> {
        let handling = staff.postings().filter(|posting| posting.any(&[Duty::HandleCases, Duty::HandleDiscipline]));
        let mine = handling.fold(Condition::any().add(co_handler::COLUMN.staff_id.eq(staff.id())), |any, posting| {
            any.add(of(staff.id(), posting.unit))
        });
        let rows: Vec<(CaseId, UnitId)> = co_handler::Entity::find()
            .select_only()
            .column(co_handler::Column::CaseId)
            .column(co_handler::Column::UnitId)
            .filter(co_handler::COLUMN.case_id.is_in(padded(cases.iter().map(|case| case.id))))
            .filter(mine)
            .into_tuple()
            .all(db)
            .await?;
        Ok(Self(rows.into_iter().collect()))
    }

    /// The unit for which they were called into a case.
    pub(super) fn unit(&self, case: CaseId) -> Option<UnitId> {
        self.0.get(&case).copied()
    }
}

/// Calls somebody in, and tells them.
///
/// # Errors
/// `already_exists` where they were called in before.
pub(super) async fn call_in(
    tx: &Tx,
    case: &case::Model,
    (unit, staff): (UnitId, Option<StaffId>),
    answer_on: NaiveDate,
    asked_by: StaffId,
    now: Instant,
) -> Result<(), Problem> {
    // The case is held: nobody else calls in meanwhile.
    let same = match staff {
        Some(staff) => co_handler::COLUMN.staff_id.eq(staff),
        None => co_handler::COLUMN.staff_id.is_null(),
    };
    let before = co_handler::Entity::find()
        .filter(co_handler::COLUMN.case_id.eq(case.id))
        .filter(co_handler::COLUMN.unit_id.eq(unit))
        .filter(same);
    if before.one(tx).await?.is_some() {
        return Err(Code::AlreadyExists.into());
    }
    let row = co_handler::ActiveModel {
        id: Set(CoHandlerId::fresh()),
        case_id: Set(case.id),
        unit_id: Set(unit),
        staff_id: Set(staff),
        asked_by: Set(asked_by),
        asked_at: Set(now),
        answer_on: Set(answer_on),
        reported_at: Set(None),
    };
    row.insert(tx).await?;
    staff_tellings::called_in(tx, case, (unit, staff), answer_on, asked_by, now).await
}

/// Notes that somebody who was called in has answered.
pub(super) async fn reported(
    tx: &Tx,
    case: &case::Model,
    staff: StaffId,
    unit: UnitId,
    now: Instant,
) -> Result<(), Problem> {
    co_handler::Entity::update_many()
        .col_expr(co_handler::Column::ReportedAt, now.into())
        .filter(co_handler::COLUMN.case_id.eq(case.id))
        .filter(co_handler::COLUMN.reported_at.is_null())
        .filter(of(staff, unit))
        .exec(tx)
        .await?;
    Ok(())
}

/// Everybody who was called into a case, the first first.
pub(super) async fn all(db: &impl ConnectionTrait, case: CaseId) -> Result<Vec<co_handler::Model>, Problem> {
    use sea_orm::QueryOrder;
    let rows = co_handler::Entity::find().filter(co_handler::COLUMN.case_id.eq(case));
    Ok(rows.order_by_asc(co_handler::Column::Id).all(db).await?)
}
