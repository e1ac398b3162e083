//! Work that changes hands beside the workflow: somebody goes away, comes back, or works here no more.
//!
//! State, due dates and step clocks stay as they are and the villager is told nothing: only who works on it is another.
//! Every change is a versioned update and an event like any other. Next: [`super::receiver`] for who gets it.

use entity::{
    Instant, absence,
    case::{self, CaseState},
    case_event,
    id::{AbsenceId, StaffId},
};
use rust_i18n::t;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use serde_json::{Value, json};

use super::receiver::{self, Receiver};
use crate::{
    cases::{
        advance::{self, Act, By},
        near, staff_tellings,
        workflow::{Action, Aside},
    },
    clock::local_day,
    db::Tx,
    problem::Problem,
};

/// The most cases that one call moves; who has more has the rest moved by the next sweep.
const MOST: u64 = 500;

/// What somebody has in hand.
const AT_WORK: &[CaseState] = &[CaseState::Assigned, CaseState::InProgress, CaseState::Paused];

/// Moves what is with somebody who is away to their stand-in. What the stand-in may not have goes to its unit, to nobody.
pub async fn cover(tx: &Tx, absent: StaffId, by: &By, now: Instant) -> Result<(), Problem> {
    let today = local_day(now);
    let away = receiver::away(tx, absent, today).await?;
    if away.is_empty() {
        return Ok(());
    }
    for case in locked(tx, with(absent, AT_WORK)).await? {
        let receiver = receiver::in_place_of(tx, &case, case.unit_id, &away, today).await?;
        hand_over(tx, &case, by, Aside::Cover, receiver, now).await?;
    }
    Ok(())
}

/// Gives back what an absence moved and what is still with the stand-in, or with who stands in for them.
pub async fn give_back(tx: &Tx, absence: &absence::Model, by: &By, now: Instant) -> Result<(), Problem> {
    let today = local_day(now);
    let back = receiver::standing(tx, absence.staff_id, today).await?;
    let mut holders = vec![absence.stand_in_id];
    holders.extend(receiver::away(tx, absence.stand_in_id, today).await?.iter().map(|away| away.stand_in_id));
    for holder in holders {
        for case in all_locked(tx, holder).await? {
            let seat = receiver::seat(&back, &case);
            let Some(unit) = seat.filter(|_| holder != absence.staff_id) else { continue };
            if !covered_by(&moves(tx, &case).await?).contains(&absence.id)
                || near::barred(tx, &case, absence.staff_id).await?
            {
                continue;
            }
            let receiver = Receiver {
                to: (unit, Some(absence.staff_id)),
                note: None,
                evidence: Some(json!({"absence": absence.id})),
            };
            hand_over(tx, &case, by, Aside::GiveBack, receiver, now).await?;
        }
    }
    Ok(())
}

/// Takes from somebody what they may no longer work on, having been dismissed or posted elsewhere: it goes to its unit.
pub async fn release(tx: &Tx, staff: StaffId, by: &By, now: Instant) -> Result<(), Problem> {
    let postings = receiver::standing(tx, staff, local_day(now)).await?;
    // An answer may be objected to: then somebody must be there to go on.
    let open = [CaseState::Assigned, CaseState::InProgress, CaseState::Paused, CaseState::Answered];
    for case in locked(tx, with(staff, &open)).await? {
        if receiver::seat(&postings, &case).is_none() {
            hand_over(tx, &case, by, Aside::Release, gone(staff, &case), now).await?;
        }
    }
    Ok(())
}

/// After a case went back to whom it was with: who works here no more has it no more, who is away has a stand-in.
pub async fn back_in_hand(tx: &Tx, case: case::Model, by: &By, now: Instant) -> Result<case::Model, Problem> {
    let Some(staff) = case.assignee_id.filter(|_| AT_WORK.contains(&case.state)) else { return Ok(case) };
    let today = local_day(now);
    if receiver::seat(&receiver::standing(tx, staff, today).await?, &case).is_none() {
        return hand_over(tx, &case, by, Aside::Release, gone(staff, &case), now).await;
    }
    let away = receiver::away(tx, staff, today).await?;
    if away.is_empty() {
        return Ok(case);
    }
    let receiver = receiver::in_place_of(tx, &case, case.unit_id, &away, today).await?;
    hand_over(tx, &case, by, Aside::Cover, receiver, now).await
}

/// Nobody of the unit, in place of somebody who left.
fn gone(staff: StaffId, case: &case::Model) -> Receiver {
    let note = Some(t!("case.released", locale = "zh-CN").into_owned());
    Receiver { to: (case.unit_id, None), note, evidence: Some(json!({"released": staff})) }
}

/// Staff with open work at hand among these, each once.
pub async fn busy(
    db: &impl ConnectionTrait,
    staff: impl IntoIterator<Item = StaffId>,
) -> Result<Vec<StaffId>, Problem> {
    Ok(case::Entity::find()
        .select_only()
        .column(case::Column::AssigneeId)
        .filter(case::COLUMN.assignee_id.is_in(staff))
        .filter(case::COLUMN.closed_at.is_null())
        .distinct()
        .into_tuple()
        .all(db)
        .await?)
}

/// The one way in which work changes hands outside the table of steps.
async fn hand_over(
    tx: &Tx,
    case: &case::Model,
    by: &By,
    aside: Aside,
    Receiver { to: (unit, assignee), note, evidence }: Receiver,
    now: Instant,
) -> Result<case::Model, Problem> {
    let next = case::Model {
        unit_id: unit,
        assignee_id: assignee,
        version: case.version + 1,
        updated_at: now,
        ..case.clone()
    };
    let act = Act { note, evidence, ..Act::plain(Action::Assign) };
    advance::write_aside(tx, case, &next, by, aside, act).await?;
    staff_tellings::given(tx, &next, by, now).await?;
    Ok(next)
}

fn with(staff: StaffId, states: &[CaseState]) -> Select<case::Entity> {
    case::Entity::find()
        .filter(case::COLUMN.assignee_id.eq(staff))
        .filter(case::COLUMN.closed_at.is_null())
        .filter(case::COLUMN.state.is_in(states.iter().copied()))
}

/// Held until the commit, in one order: whoever takes a step meanwhile waits, and finds the new version.
async fn locked(tx: &Tx, query: Select<case::Entity>) -> Result<Vec<case::Model>, Problem> {
    Ok(query.order_by_asc(case::Column::Id).limit(MOST).lock_exclusive().all(tx).await?)
}

/// All that somebody has at work: of a stand-in most may be their own, and the rest is not to be missed behind it.
async fn all_locked(tx: &Tx, staff: StaffId) -> Result<Vec<case::Model>, Problem> {
    let mut all: Vec<case::Model> = Vec::new();
    loop {
        let mut next = with(staff, AT_WORK);
        if let Some(last) = all.last() {
            next = next.filter(case::COLUMN.id.gt(last.id));
        }
        let some = locked(tx, next).await?;
        if some.is_empty() {
            return Ok(all);
        }
        all.extend(some);
    }
}

/// What moved a case from hand to hand, oldest first: action and evidence.
async fn moves(tx: &Tx, case: &case::Model) -> Result<Vec<(String, Option<Value>)>, Problem> {
    let steps = [Action::Assign, Action::Transfer, Action::Escalate, Action::Return].map(Action::slug);
    let moving = steps.into_iter().chain([Aside::Cover, Aside::GiveBack, Aside::Release].map(Aside::slug));
    Ok(case_event::Entity::find()
        .select_only()
        .column(case_event::Column::Action)
        .column(case_event::Column::Evidence)
        .filter(case_event::COLUMN.case_id.eq(case.id))
        .filter(case_event::COLUMN.action.is_in(moving))
        .order_by_asc(case_event::Column::Seq)
        .into_tuple()
        .all(tx)
        .await?)
}

/// The absences by which a case is where it is, the oldest first.
fn covered_by(moves: &[(String, Option<Value>)]) -> Vec<AbsenceId> {
    let mut stack: Vec<AbsenceId> = Vec::new();
    for (action, evidence) in moves {
        let said = |member: &str| evidence.as_ref().and_then(|evidence| evidence.get(member)).cloned();
        let covers = said("covers").and_then(|ids| serde_json::from_value::<Vec<AbsenceId>>(ids).ok());
        match Aside::of(action) {
            Some(Aside::Cover) => match covers {
                Some(covers) => stack.extend(covers),
                None => stack.clear(),
            },
            Some(Aside::GiveBack) => {
                let ended = said("absence").and_then(|id| serde_json::from_value::<AbsenceId>(id).ok());
                let at = stack.iter().position(|id| Some(*id) == ended);
                stack.truncate(at.unwrap_or_default());
            }
            _ => stack = covers.unwrap_or_default(),
        }
    }
    stack
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(action: &str, evidence: Value) -> (String, Option<Value>) {
        (action.to_owned(), Some(evidence))
    }

    #[test]
    fn a_case_is_covered_by_what_moved_it_since_it_was_last_given_to_somebody() {
        let [one, two] = [AbsenceId::fresh(), AbsenceId::fresh()];
        let mut moves = vec![said("assign", json!(null)), said("cover", json!({"covers": [one]}))];
        assert_eq!(covered_by(&moves), [one]);
        moves.push(said("cover", json!({"covers": [two]})));
        assert_eq!(covered_by(&moves), [one, two]);
        moves.push(said("give_back", json!({"absence": two})));
        assert_eq!(covered_by(&moves), [one]);
        moves.push(said("give_back", json!({"absence": one})));
        assert!(covered_by(&moves).is_empty());
        moves.push(said("assign", json!({"covers": [one, two]})));
        assert_eq!(covered_by(&moves), [one, two]);
        moves.push(said("return", json!({})));
        assert!(covered_by(&moves).is_empty());
        moves.extend([said("cover", json!({"covers": [one]})), said("release", json!({}))]);
        assert!(covered_by(&moves).is_empty());
    }
}
