//! Which cases somebody may know of. Every query on cases begins here.
//!
//! A confidential case exists for the discipline desk of its township and for nobody else; staff a case complains
//! about, and those recorded as near to them ([`near`]), never see it, whatever their duty (信访工作条例 30, 46). A case
//! that took up a private matter of a talk day exists for who has it; while nobody has it, for the hosts of the place.
//! Out of scope reads as 404.

use entity::{
    case::{self, CaseRequest, CaseState},
    division::DivisionLevel,
    id::CaseId,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Select, sea_query::ExprTrait,
};

use super::{
    advance::By,
    co_handlers, guards, near, reviews,
    sla::Reckoning,
    workflow::{self, Action, Party},
};
use crate::{
    auth::{Duty, Posted, Staff, Villager, duty::WorkOnCases},
    db::Tx,
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
        let called_in = case::Column::Id.in_subquery(co_handlers::cases_of(staff.id(), posting.unit));
        any = any.add(Condition::all().add(called_in).add(in_place(posting)).add(open()));
    }
    // While nobody has it, it is for the hosts of the village itself: not for those above.
    if posting.level == DivisionLevel::Village && posting.any(&[Duty::HostTalks]) {
        any = any.add(private().add(case::COLUMN.assignee_id.is_null()));
    }
    if posting.any(&[Duty::HandleDiscipline]) {
        // What a review says of money reaches the desk whatever the case is.
        let followed_up = case::Column::Id.in_subquery(reviews::cases_of(posting.unit));
        any = any.add(Condition::all().add(followed_up).add(case::COLUMN.private.eq(false)).add(open()));
        any = any.add(
            Condition::all()
                .add(in_place(posting))
                .add(case::COLUMN.confidential.eq(true))
                .add(case::Column::Id.not_in_subquery(near::complaints(staff.id())))
                .add(case::Column::Id.not_in_subquery(near::mains_of_complaints(staff.id()))),
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

/// One case of a scope, held until the commit: whoever acts on it meanwhile waits, and finds what was done.
pub async fn one_held(scope: Select<case::Entity>, id: CaseId, tx: &Tx) -> Result<case::Model, Problem> {
    scope.filter(case::COLUMN.id.eq(id)).lock_exclusive().one(tx).await?.ok_or_else(Problem::not_found)
}

/// What is known of somebody beside the row, looked up once for a page of cases.
pub(super) struct Around {
    near: near::People,
    called_in: co_handlers::Called,
}

impl Around {
    /// For these staff and these cases.
    pub(super) async fn look(
        db: &impl ConnectionTrait,
        staff: &Staff<WorkOnCases>,
        cases: &[case::Model],
    ) -> Result<Self, Problem> {
        let near = near::People::near(db, staff.id()).await?;
        Ok(Self { near, called_in: co_handlers::Called::among(db, staff, cases).await? })
    }
}

/// What these staff are to a case that is in their scope.
pub(super) fn parties(staff: &Staff<WorkOnCases>, case: &case::Model, around: &Around) -> By {
    let mut parties = Vec::new();
    let (mut unit, mut names_units) = (None, false);
    for posting in staff.postings().filter(|posting| covers(posting, case)) {
        for party in of_posting_in(staff, posting, case) {
            if !parties.contains(&party) {
                parties.push(party);
            }
        }
        names_units |= posting.level != DivisionLevel::Village && posting.any(&[Duty::AssignCases]);
        names_units |= case.confidential && posting.any(&[Duty::HandleDiscipline]);
        // Somebody with several postings acts for the unit that has the case, if one of them is there.
        if unit.is_none() || posting.unit == case.unit_id {
            unit = Some(posting.unit);
        }
    }
    if let Some(called) = around.called_in.unit(case.id) {
        parties.push(Party::CoHandler);
        unit = unit.filter(|unit| *unit == case.unit_id).or(Some(called));
    }
    let near = around.near.has(case);
    By { parties, near, names_units, ..By::staff(staff.id(), unit) }
}

/// What one posting that covers the case makes of them.
fn of_posting_in(staff: &Staff<WorkOnCases>, posting: &Posted, case: &case::Model) -> Vec<Party> {
    let discipline = case.confidential && posting.any(&[Duty::HandleDiscipline]);
    let open = |duty| !case.confidential && !case.private && posting.any(&[duty]);
    // Of a private matter the hosts decide who gets it, and who got it works on it.
    let here = posting.level == DivisionLevel::Village;
    let hosts = case.private && case.assignee_id.is_none() && here && posting.any(&[Duty::HostTalks]);
    let handles = discipline || (!case.confidential && posting.any(&[Duty::HandleCases]));
    let assigned = match case.assignee_id {
        Some(assignee) => assignee == staff.id(),
        None => case.unit_id == posting.unit,
    };
    let mine = case.assignee_id == Some(staff.id());
    // What went up is not the village's to give any more.
    let reaches = posting.level != DivisionLevel::Village || posting.unit == case.unit_id;
    let above_the_village = posting.level != DivisionLevel::Village;
    let supervises = above_the_village && (open(Duty::Supervise) || (discipline && !mine));
    let parties = [
        (Party::Desk, discipline || hosts || open(Duty::AcceptCases)),
        (Party::Dispatcher, discipline || hosts || (open(Duty::AssignCases) && reaches)),
        (Party::Assignee, handles && assigned && case.former_assignee_id != Some(staff.id())),
        (Party::Supervisor, supervises),
        (Party::Approver, decides(staff, posting, case)),
    ];
    parties.into_iter().filter(|(_, is)| *is).map(|(party, _)| party).collect()
}

/// Whether they decide what was asked for: in the unit that was asked, or over a pause somebody above; never who asked.
fn decides(staff: &Staff<WorkOnCases>, posting: &Posted, case: &case::Model) -> bool {
    const LEADS: &[Duty] = &[Duty::AcceptCases, Duty::AssignCases, Duty::Supervise];
    let Some(asked) = case.pending else { return false };
    if case.pending_by == Some(staff.id()) || case.private {
        return false;
    }
    let here = case.pending_unit_id == Some(posting.unit);
    if case.confidential {
        return here && posting.any(&[Duty::HandleDiscipline]);
    }
    match asked {
        CaseRequest::Pause => {
            let colleague = here && (posting.any(LEADS) || posting.any(&[Duty::HandleCases]));
            colleague || (posting.level != DivisionLevel::Village && posting.any(&[Duty::AssignCases, Duty::Supervise]))
        }
        CaseRequest::Extension | CaseRequest::Supplement | CaseRequest::Objection => here && posting.any(LEADS),
    }
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
pub fn actions(by: &By, case: &case::Model, reckoning: Reckoning<'_>) -> Vec<Action> {
    let open = workflow::STEPS.iter().filter(|step| {
        step.from.contains(&case.state)
            && by.may(step)
            && !by.keeps_out(step)
            && guards::check(step.action, case, reckoning).is_ok()
    });
    open.map(|step| step.action).collect()
}
