//! Which cases somebody may know of. Every query on cases begins here.
//!
//! A confidential case exists for the discipline desk of its township and for nobody else; staff a case complains
//! about, and those recorded as near to them ([`near`]), never see it, whatever their duty (信访工作条例 30, 46). A case
//! that took up a private matter of a talk day exists for who has it; while nobody has it, for the hosts of the place.
//! Out of scope reads as 404.

use entity::{
    case::{self, CaseState},
    division::DivisionLevel,
    id::CaseId,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, Select, sea_query::ExprTrait};

use super::{
    advance::By,
    near,
    workflow::{self, Action, Party},
};
use crate::{
    auth::{Duty, Posted, Staff, Villager, duty::WorkOnCases},
    problem::Problem,
};

const SEES_THE_PLACE: &[Duty] = &[Duty::AcceptCases, Duty::AssignCases, Duty::Supervise];

/// Whether a posting brings what lies in its place, not only what is given to it.
pub(super) fn sees_the_place(posting: &Posted) -> bool {
    posting.any(SEES_THE_PLACE) || posting.any(&[Duty::HandleDiscipline])
}

/// The villager's own.
#[must_use]
pub fn of_villager(me: &Villager) -> Select<case::Entity> {
    case::Entity::find().filter(case::COLUMN.person_id.eq(me.person()))
}

/// What staff may know of.
#[must_use]
pub fn of_staff(staff: &Staff<WorkOnCases>) -> Select<case::Entity> {
    let any = staff.postings().fold(Condition::any(), |any, posting| any.add(of_posting(staff, posting)));
    case::Entity::find().filter(case::COLUMN.state.ne(CaseState::Draft)).filter(any)
}

fn of_posting(staff: &Staff<WorkOnCases>, posting: &Posted) -> Condition {
    let open = || case::COLUMN.confidential.eq(false).and(case::COLUMN.private.eq(false));
    let mut any = Condition::any();
    if posting.any(SEES_THE_PLACE) {
        any = any.add(Condition::all().add(in_place(posting)).add(open()));
    } else if posting.any(&[Duty::HandleCases]) {
        let mine = Condition::any().add(case::COLUMN.assignee_id.eq(staff.id())).add(
            case::COLUMN
                .unit_id
                .eq(posting.unit)
                .and(case::COLUMN.assignee_id.is_null())
                .and(case::COLUMN.state.is_in([CaseState::Assigned, CaseState::InProgress])),
        );
        any = any.add(Condition::all().add(mine).add(open()));
    }
    let private = || {
        let here = Condition::all().add(in_place(posting)).add(case::COLUMN.private.eq(true));
        here.add(case::COLUMN.confidential.eq(false))
    };
    if posting.any(&[Duty::HandleCases]) {
        any = any.add(private().add(case::COLUMN.assignee_id.eq(staff.id())));
    }
    if posting.any(&[Duty::HostTalks]) {
        any = any.add(private().add(case::COLUMN.assignee_id.is_null()));
    }
    if posting.any(&[Duty::HandleDiscipline]) {
        any = any.add(
            Condition::all()
                .add(in_place(posting))
                .add(case::COLUMN.confidential.eq(true))
                .add(case::Column::Id.not_in_subquery(near::complaints(staff.id()))),
        );
    }
    any
}

/// In the place of a posting or below it.
pub(super) fn in_place(posting: &Posted) -> sea_orm::sea_query::Expr {
    let column = match posting.level {
        DivisionLevel::Village => case::Column::VillageId,
        DivisionLevel::Township => case::Column::TownshipId,
        // A city's deployment holds one city: its level sees all counties through their own postings.
        DivisionLevel::County | DivisionLevel::City => case::Column::CountyId,
    };
    column.eq(posting.division)
}

/// One case of a scope, or 404.
pub async fn one(scope: Select<case::Entity>, id: CaseId, db: &impl ConnectionTrait) -> Result<case::Model, Problem> {
    scope.filter(case::COLUMN.id.eq(id)).one(db).await?.ok_or_else(Problem::not_found)
}

/// What these staff are to a case that is in their scope; `near` are the villagers near to them.
pub(super) fn parties(staff: &Staff<WorkOnCases>, case: &case::Model, near: &near::People) -> By {
    let mut parties = Vec::new();
    let mut unit = None;
    for posting in staff.postings().filter(|posting| covers(posting, case)) {
        let discipline = case.confidential && posting.any(&[Duty::HandleDiscipline]);
        let open = |duty| !case.confidential && !case.private && posting.any(&[duty]);
        // Of a private matter the hosts decide who gets it, and who got it works on it.
        let hosts = case.private && case.assignee_id.is_none() && posting.any(&[Duty::HostTalks]);
        let handles = discipline || (!case.confidential && posting.any(&[Duty::HandleCases]));
        let assigned = match case.assignee_id {
            Some(assignee) => assignee == staff.id(),
            None => case.unit_id == posting.unit,
        };
        for (party, is) in [
            (Party::Desk, discipline || hosts || open(Duty::AcceptCases)),
            (Party::Dispatcher, discipline || hosts || open(Duty::AssignCases)),
            (Party::Assignee, handles && assigned),
        ] {
            if is && !parties.contains(&party) {
                parties.push(party);
            }
        }
        // Somebody with several postings acts for the unit that has the case, if one of them is there.
        if unit.is_none() || posting.unit == case.unit_id {
            unit = Some(posting.unit);
        }
    }
    By { parties, person: None, staff: Some(staff.id()), unit, agent: false, near: near.has(case) }
}

fn covers(posting: &Posted, case: &case::Model) -> bool {
    match posting.level {
        DivisionLevel::Village => posting.division == case.village_id,
        DivisionLevel::Township => posting.division == case.township_id,
        DivisionLevel::County | DivisionLevel::City => posting.division == case.county_id,
    }
}

/// What may be done now.
#[must_use]
pub fn actions(by: &By, state: CaseState) -> Vec<Action> {
    let open = workflow::STEPS.iter().filter(|step| step.from.contains(&state) && by.may(step) && !by.keeps_out(step));
    open.map(|step| step.action).collect()
}
