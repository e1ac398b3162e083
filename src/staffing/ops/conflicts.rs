//! Recording who is near to whom. Nobody takes back what keeps themselves away from a case.

use entity::{
    conflict,
    id::{ConflictId, StaffId},
    person, staff,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};

use crate::{
    app::App,
    audit,
    auth::{Duty, Staff, duty::RecordConflicts},
    clock::local_day,
    db::Tx,
    http::{Cursor, PageQuery},
    problem::{Code, OnUnique, Problem},
    staffing::{bodies::RecordConflict, scope},
};

/// Records of an account in scope, in the order they were made, at most a page and one.
pub async fn list(
    app: &App,
    staff: &Staff<RecordConflicts>,
    of: StaffId,
    page: &PageQuery,
) -> Result<Vec<conflict::Model>, Problem> {
    scope::account(app.db.read(), staff, of, local_day(app.clock.now())).await?;
    let mut query = conflict::Entity::find().filter(conflict::COLUMN.staff_id.eq(of));
    if let Some(after) = Cursor::read::<ConflictId>(page.cursor.as_deref())? {
        query = query.filter(conflict::COLUMN.id.gt(after));
    }
    Ok(query.order_by_asc(conflict::Column::Id).limit(page.size() + 1).all(app.db.read()).await?)
}

/// Records a near relation.
///
/// # Errors
/// `already_exists`; 422 where not exactly one of the two is named, or is not known.
pub async fn record(
    tx: &Tx,
    app: &App,
    staff: &Staff<RecordConflicts>,
    of: StaffId,
    body: &RecordConflict,
) -> Result<conflict::Model, Problem> {
    let now = app.clock.now();
    scope::account(tx, staff, of, local_day(now)).await?;
    // Who could be complained about must not choose who reads the complaint; an officer may stand back.
    let about_oneself = of == staff.id() || body.with_staff == Some(staff.id());
    let officer = staff.postings().any(|posting| posting.any(&[Duty::HandleDiscipline]));
    if about_oneself && !officer {
        return Err(Code::ConflictOfInterest.into());
    }
    match (body.with_staff, body.with_person) {
        (Some(_), Some(_)) => return Err(Problem::field("/with_person", "not_allowed_here")),
        (None, None) => return Err(Problem::field("/with_staff", "required")),
        (Some(other), None) => {
            let known = staff::Entity::find_by_id(other).one(tx).await?.filter(|_| other != of);
            known.ok_or_else(|| Problem::field("/with_staff", "unknown"))?;
        }
        (None, Some(other)) => {
            let known = person::Entity::find_by_id(other).one(tx).await?;
            known.ok_or_else(|| Problem::field("/with_person", "unknown"))?;
        }
    }
    let row = conflict::ActiveModel {
        id: Set(ConflictId::fresh()),
        staff_id: Set(of),
        with_staff_id: Set(body.with_staff),
        with_person_id: Set(body.with_person),
        kind: Set(body.kind),
        created_by: Set(staff.id()),
        created_at: Set(now),
    };
    let made = row.insert(tx).await.on_unique(Code::AlreadyExists)?;
    let entry = audit::Entry::done("record_conflict", "staff", of);
    audit::record(tx, &app.field_keys, &audit::Actor::staff(staff), entry, now).await?;
    Ok(made)
}

/// Takes a record back.
///
/// # Errors
/// `conflict_of_interest` where it is about who asks.
pub async fn forget(
    tx: &Tx,
    app: &App,
    staff: &Staff<RecordConflicts>,
    of: StaffId,
    id: ConflictId,
) -> Result<(), Problem> {
    let now = app.clock.now();
    scope::account(tx, staff, of, local_day(now)).await?;
    let row = conflict::Entity::find_by_id(id).filter(conflict::COLUMN.staff_id.eq(of)).one(tx).await?;
    let row = row.ok_or_else(Problem::not_found)?;
    if row.staff_id == staff.id() || row.with_staff_id == Some(staff.id()) {
        return Err(Code::ConflictOfInterest.into());
    }
    conflict::Entity::delete_by_id(id).exec(tx).await?;
    let entry = audit::Entry::done("forget_conflict", "staff", of);
    audit::record(tx, &app.field_keys, &audit::Actor::staff(staff), entry, now).await
}
