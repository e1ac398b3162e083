//! Whom of the staff a step of a case concerns: who gets work, who decides, who watches over it.
//!
//! Never whom it complains about or who is near to them ([`near`]); of confidential cases nobody but the discipline desk
//! and who has it. Next: [`notices::staff`].

use entity::{
    Instant,
    case::{self, CaseRequest, CaseState},
    id::{DivisionId, StaffId, UnitId},
    notice_delivery::NoticeUrgency,
};
use serde_json::json;

use super::{
    advance::{Act, By},
    near, sla,
    workflow::Action,
};
use crate::{
    auth::Duty,
    clock::local_day,
    db::Tx,
    notices::staff::{self, StaffTelling},
    problem::Problem,
};

/// Who sends work out.
const DISPATCH: &[Duty] = &[Duty::AssignCases];
const LEADS: &[Duty] = &[Duty::AcceptCases, Duty::AssignCases, Duty::Supervise];
const WORKS: &[Duty] = &[Duty::HandleCases, Duty::AssignCases];
const WATCHES: &[Duty] = &[Duty::Supervise];

/// Of whom something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    One(StaffId),
    Unit(UnitId, &'static [Duty]),
    Place(DivisionId, &'static [Duty]),
}

/// What a step tells, and whom.
fn of_step(case: &case::Model, next: &case::Model, act: &Act) -> Vec<(Whom, &'static str)> {
    let holder = |kind: &'static str, unit_kind: &'static str| match next.assignee_id {
        Some(assignee) => (Whom::One(assignee), kind),
        None => (Whom::Unit(next.unit_id, WORKS), unit_kind),
    };
    match act.action {
        Action::Assign | Action::Transfer | Action::Escalate if next.state == CaseState::Assigned => {
            vec![holder("case_given", "case_to_unit")]
        }
        Action::Return => vec![(Whom::Unit(next.unit_id, DISPATCH), "case_returned")],
        Action::Reopen | Action::ReopenByOrder if next.state == CaseState::InProgress => {
            vec![holder("case_reopened", "case_reopened")]
        }
        Action::Reopen => vec![(Whom::Unit(next.unit_id, DISPATCH), "case_reopened")],
        Action::Supervise => vec![holder("case_supervised", "case_supervised")],
        _ if next.pending.is_some() && case.pending != next.pending => {
            let kind = match next.pending {
                Some(CaseRequest::Objection) => "objection_to_settle",
                _ => "request_to_settle",
            };
            next.pending_unit_id.map(|unit| (Whom::Unit(unit, LEADS), kind)).into_iter().collect()
        }
        _ => vec![],
    }
}

/// Tells staff of a step, except who took it.
pub(super) async fn tell(
    tx: &Tx,
    case: &case::Model,
    next: &case::Model,
    act: &Act,
    by: &By,
    now: Instant,
) -> Result<(), Problem> {
    write(tx, next, of_step(case, next, act), by.staff, None, now).await
}

/// Tells staff of a light that turned or a step of supervision by time.
pub(super) async fn alarmed(tx: &Tx, case: &case::Model, alarm: sla::Alarm, now: Instant) -> Result<(), Problem> {
    let told = match (alarm, case.assignee_id) {
        (sla::Alarm::Yellow, Some(assignee)) => vec![(Whom::One(assignee), "case_due_soon")],
        (sla::Alarm::Yellow, None) => vec![(Whom::Unit(case.unit_id, WORKS), "case_due_soon")],
        (sla::Alarm::Overdue, _) => vec![(Whom::Unit(case.unit_id, LEADS), "case_overdue")],
        (sla::Alarm::Township, _) => vec![(Whom::Place(case.township_id, WATCHES), "case_to_township")],
        (sla::Alarm::County, _) => vec![(Whom::Place(case.county_id, WATCHES), "case_to_county")],
    };
    write(tx, case, told, None, None, now).await
}

/// Tells who gets work by another way than a step: a stand-in, who is back.
pub(super) async fn given(tx: &Tx, case: &case::Model, by: &By, now: Instant) -> Result<(), Problem> {
    let told = match case.assignee_id {
        Some(assignee) => vec![(Whom::One(assignee), "case_given")],
        None => vec![(Whom::Unit(case.unit_id, WORKS), "case_to_unit")],
    };
    write(tx, case, told, by.staff, None, now).await
}

/// Tells the desk of something urgent that was filed a moment ago; of danger also at night.
pub(super) async fn urgent(tx: &Tx, case: &case::Model, danger: bool, now: Instant) -> Result<(), Problem> {
    let urgency = danger.then_some(NoticeUrgency::Danger);
    let told = vec![(Whom::Unit(case.unit_id, &[Duty::AcceptCases][..]), "case_urgent")];
    write(tx, case, told, None, urgency, now).await
}

async fn write(
    tx: &Tx,
    case: &case::Model,
    told: Vec<(Whom, &'static str)>,
    by: Option<StaffId>,
    urgency: Option<NoticeUrgency>,
    now: Instant,
) -> Result<(), Problem> {
    // A private matter exists for who has it, and for nobody else.
    let told = told.into_iter().filter(|(whom, _)| !case.private || matches!(whom, Whom::One(_)));
    let mut tellings = Vec::new();
    for (whom, kind) in told {
        let mut staff = found(tx, case, whom, now).await?;
        staff.retain(|id| Some(*id) != by);
        if case.confidential {
            let mut may = Vec::new();
            for id in staff {
                if !near::barred(tx, case, id).await? {
                    may.push(id);
                }
            }
            staff = may;
        }
        tellings.push(StaffTelling {
            staff,
            kind,
            case: Some(case.id),
            division: Some(case.village_id),
            confidential: case.confidential || case.private,
            urgency,
            params: json!({"number": case.number}),
        });
    }
    staff::tell(tx, tellings, now).await
}

async fn found(tx: &Tx, case: &case::Model, whom: Whom, now: Instant) -> Result<Vec<StaffId>, Problem> {
    const DISCIPLINE: &[Duty] = &[Duty::HandleDiscipline];
    let (today, duties) = (local_day(now), |duties| if case.confidential { DISCIPLINE } else { duties });
    match whom {
        Whom::One(staff) => Ok(vec![staff]),
        Whom::Unit(unit, wanted) => staff::in_unit(tx, unit, duties(wanted), today).await,
        Whom::Place(place, wanted) => staff::holding(tx, place, duties(wanted), today).await,
    }
}
