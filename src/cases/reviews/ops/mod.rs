//! What is done with reviews.

pub(super) mod appeals;
pub(super) mod bundles;
pub(in crate::cases) mod call_backs;
pub(in crate::cases) mod follow_ups;
pub(super) mod give;

use entity::{case, id::UnitId};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait};

use crate::{
    app::App,
    auth::{Duty, Staff, duty::WorkOnCases},
    cases::{near, ops::requests},
    personal::{PersonName, PhoneNumber},
    problem::{Code, Problem},
};

/// Units whose follow-ups, appeals and call-backs somebody works on.
fn units(staff: &Staff<WorkOnCases>) -> Vec<UnitId> {
    const LEADS: &[Duty] = &[Duty::AcceptCases, Duty::AssignCases, Duty::Supervise, Duty::HandleDiscipline];
    staff.postings().filter(|posting| posting.any(LEADS)).map(|posting| posting.unit).collect()
}

/// The unit above the handler's; where there is none, the one itself, and another person of it.
async fn above(db: &impl ConnectionTrait, case: &case::Model) -> Result<UnitId, Problem> {
    Ok(requests::above(db, case).await?.map_or(case.unit_id, |(unit, _)| unit))
}

/// What somebody may know of: not their own work, nor what complains about them or somebody near.
fn of_others(staff: &Staff<WorkOnCases>, worker: impl ColumnTrait, case: impl ColumnTrait) -> Condition {
    Condition::all()
        .add(Condition::any().add(worker.is_null()).add(worker.ne(staff.id())))
        .add(case.not_in_subquery(near::complaints(staff.id())))
}

/// Nobody looks into their own work, nor into that of a case they must keep away from.
///
/// # Errors
/// `conflict_of_interest`.
async fn check_second_person(
    db: &impl ConnectionTrait,
    staff: &Staff<WorkOnCases>,
    case: &case::Model,
    handler: Option<entity::id::StaffId>,
) -> Result<(), Problem> {
    if handler == Some(staff.id()) || near::barred(db, case, staff.id()).await? {
        return Err(Code::ConflictOfInterest.into());
    }
    Ok(())
}

/// Whom to speak to, masked.
pub(super) fn contact(app: &App, case: &case::Model) -> Result<(Option<PersonName>, Option<PhoneNumber>), Problem> {
    Ok((app.field_keys.open_if(case.contact_name.as_ref())?, app.field_keys.open_if(case.contact_phone.as_ref())?))
}
