//! Conflicts of interest: who is near to whom a case is about (信访工作条例 30).
//!
//! The condition stands here once. [`super::scope`] hides complaints by it, [`super::advance`] refuses steps by it, and
//! whoever gives work to somebody asks it first. The records themselves are kept by [`crate::staffing`].

use std::collections::HashSet;

use entity::{
    case, case_against, conflict,
    id::{CaseId, PersonId, StaffId},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::SelectStatement,
};

use crate::problem::Problem;

/// Entries about somebody or about staff recorded as near to them, whichever of the two the record stands under.
fn about_or_near(staff: StaffId) -> Select<case_against::Entity> {
    let theirs = conflict::Entity::find()
        .select_only()
        .column(conflict::Column::WithStaffId)
        .filter(conflict::COLUMN.staff_id.eq(staff))
        .filter(conflict::COLUMN.with_staff_id.is_not_null());
    let of_others = conflict::Entity::find()
        .select_only()
        .column(conflict::Column::StaffId)
        .filter(conflict::COLUMN.with_staff_id.eq(staff));
    let near = Condition::any()
        .add(case_against::COLUMN.staff_id.eq(staff))
        .add(case_against::Column::StaffId.in_subquery(theirs.into_query()))
        .add(case_against::Column::StaffId.in_subquery(of_others.into_query()));
    case_against::Entity::find().filter(near)
}

/// Ids of the cases that complain about somebody or about staff near to them: for them these cases do not exist.
pub(super) fn complaints(staff: StaffId) -> SelectStatement {
    about_or_near(staff).select_only().column(case_against::Column::CaseId).into_query()
}

/// Ids of the cases into which such complaints were merged.
pub(super) fn mains_of_complaints(staff: StaffId) -> SelectStatement {
    case::Entity::find()
        .select_only()
        .column(case::Column::MergedInto)
        .filter(case::COLUMN.merged_into.is_not_null())
        .filter(case::Column::Id.in_subquery(complaints(staff)))
        .into_query()
}

/// Whether somebody must keep away from a case, or from one that was merged into it: it complains about them or somebody near, or its villager is near to
/// them or they themselves.
pub(super) async fn barred(db: &impl ConnectionTrait, case: &case::Model, staff: StaffId) -> Result<bool, Problem> {
    let mut cases = vec![case.clone()];
    if case.gathered > 0 {
        cases.extend(case::Entity::find().filter(case::COLUMN.merged_into.eq(case.id)).all(db).await?);
    }
    let complains = about_or_near(staff)
        .select_only()
        .column(case_against::Column::CaseId)
        .filter(case_against::COLUMN.case_id.is_in(cases.iter().map(|case| case.id)));
    if complains.into_tuple::<CaseId>().one(db).await?.is_some() {
        return Ok(true);
    }
    let near = People::near(db, staff).await?;
    Ok(cases.iter().any(|case| near.has(case)))
}

/// Whether somebody must keep away from a case, known by its id; from one that is not there, yes.
pub async fn keeps_away(db: &impl ConnectionTrait, case: CaseId, staff: StaffId) -> Result<bool, Problem> {
    match case::Entity::find_by_id(case).one(db).await? {
        Some(case) => barred(db, &case, staff).await,
        None => Ok(true),
    }
}

/// Whether somebody must keep away from what a villager wants: the villager is near to them, or is they themselves.
pub async fn near_to(db: &impl ConnectionTrait, staff: StaffId, person: PersonId) -> Result<bool, Problem> {
    let between = conflict::Entity::find()
        .filter(conflict::COLUMN.staff_id.eq(staff))
        .filter(conflict::COLUMN.with_person_id.eq(person));
    Ok(between.one(db).await?.is_some())
}

/// Villagers recorded as near to one member of staff: looked up once for a page of cases.
pub(super) struct People(HashSet<PersonId>);

impl People {
    /// Those near to `staff`.
    pub(super) async fn near(db: &impl ConnectionTrait, staff: StaffId) -> Result<Self, Problem> {
        let rows = conflict::Entity::find()
            .select_only()
            .column(conflict::Column::WithPersonId)
            .filter(conflict::COLUMN.staff_id.eq(staff))
            .filter(conflict::COLUMN.with_person_id.is_not_null());
        let rows: Vec<Option<PersonId>> = rows.into_tuple().all(db).await?;
        Ok(Self(rows.into_iter().flatten().collect()))
    }

    /// Whether the villager of a case is one of them.
    pub(super) fn has(&self, case: &case::Model) -> bool {
        self.0.contains(&case.person_id)
    }
}
