//! Whom of the staff a step of a case concerns: who gets work, who decides, who asked, who watches over it.
//!
//! Never whom it complains about or who is near to them ([`super::near`]); of confidential cases nobody but discipline
//! desks and who has it. Where a unit has nobody, whoever is next above hears of it. Next: [`crate::notices::staff`].

use chrono::NaiveDate;
use entity::{
    Instant,
    case::{self, CaseRequest, CaseState, CaseUrgency},
    id::{DivisionId, StaffId, UnitId},
    notice_delivery::NoticeUrgency,
    unit,
};
use sea_orm::EntityTrait;
use serde_json::json;

use super::{
    advance::{Act, By},
    emergency, sla,
    workflow::Action,
};
use crate::{
    auth::Duty,
    clock::local_day,
    db::Tx,
    notices::staff::{self, StaffTelling},
    problem::Problem,
};

/// Who takes in what comes.
const DESK: &[Duty] = &[Duty::AcceptCases];
/// Who sends work out.
const DISPATCH: &[Duty] = &[Duty::AssignCases];
const LEADS: &[Duty] = &[Duty::AcceptCases, Duty::AssignCases, Duty::Supervise];
const WORKS: &[Duty] = &[Duty::HandleCases, Duty::AssignCases];
const WATCHES: &[Duty] = &[Duty::Supervise];
const DISCIPLINE: &[Duty] = &[Duty::HandleDiscipline];

/// Whom something is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    One(StaffId),
    Unit(UnitId, &'static [Duty]),
    Place(DivisionId, &'static [Duty]),
}

/// One thing to say about a case.
#[derive(Clone, Copy, Debug)]
struct Word {
    whom: Whom,
    /// A kind of [`staff::KINDS`].
    kind: &'static str,
    /// More urgent than its kind.
    urgency: Option<NoticeUrgency>,
    /// The day by which they are to answer.
    answer_on: Option<NaiveDate>,
}

impl Word {
    fn of(whom: Whom, kind: &'static str) -> Self {
        Self { whom, kind, urgency: None, answer_on: None }
    }

    /// For who has the case, else for those who work in its unit.
    fn for_holder(case: &case::Model, kind: &'static str, unit_kind: &'static str) -> Self {
        match case.assignee_id {
            Some(assignee) => Self::of(Whom::One(assignee), kind),
            None => Self::of(Whom::Unit(case.unit_id, WORKS), unit_kind),
        }
    }
}

/// What a step says, and to whom.
fn of_step(case: &case::Model, next: &case::Model, act: &Act) -> Option<Word> {
    let asker = |kind| case.pending_by.map(|asker| Word::of(Whom::One(asker), kind));
    match act.action {
        Action::Assign | Action::Transfer | Action::Escalate if next.state == CaseState::Assigned => {
            Some(Word::for_holder(next, "case_given", "case_to_unit"))
        }
        Action::Return => Some(Word::of(Whom::Unit(next.unit_id, DISPATCH), "case_returned")),
        Action::Reopen | Action::ReopenByOrder if next.state == CaseState::InProgress => {
            Some(Word::for_holder(next, "case_reopened", "case_reopened"))
        }
        Action::Reopen => Some(Word::of(Whom::Unit(next.unit_id, DISPATCH), "case_reopened")),
        Action::Supervise => Some(Word::for_holder(next, "case_supervised", "case_supervised")),
        Action::Supplement => {
            let holder = next.assignee_id.map_or(Whom::Unit(next.unit_id, DESK), Whom::One);
            Some(Word::of(holder, "papers_came"))
        }
        Action::Approve => asker("request_approved"),
        Action::Refuse => asker("request_refused"),
        _ if next.pending.is_some() && case.pending != next.pending => {
            let kind = match next.pending {
                Some(CaseRequest::Objection) => "objection_to_settle",
                _ => "request_to_settle",
            };
            next.pending_unit_id.map(|unit| Word::of(Whom::Unit(unit, LEADS), kind))
        }
        _ => None,
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
    match of_step(case, next, act) {
        Some(word) => say(tx, next, word, by.staff, now).await,
        None => Ok(()),
    }
}

/// Tells staff of a light that turned or a step of supervision by time.
pub(super) async fn alarmed(tx: &Tx, case: &case::Model, alarm: sla::Alarm, now: Instant) -> Result<(), Problem> {
    let word = match alarm {
        sla::Alarm::Yellow => Word::for_holder(case, "case_due_soon", "case_due_soon"),
        sla::Alarm::Overdue => Word::of(Whom::Unit(case.unit_id, LEADS), "case_overdue"),
        sla::Alarm::Township => Word::of(Whom::Place(case.township_id, WATCHES), "case_to_township"),
        sla::Alarm::County => Word::of(Whom::Place(case.county_id, WATCHES), "case_to_county"),
    };
    say(tx, case, word, None, now).await
}

/// Tells who gets work by another way than a step: a stand-in, who is back.
pub(super) async fn given(tx: &Tx, case: &case::Model, by: &By, now: Instant) -> Result<(), Problem> {
    say(tx, case, Word::for_holder(case, "case_given", "case_to_unit"), by.staff, now).await
}

/// Tells the desk of what was filed a moment ago and cannot wait: of what sounds like danger, at night too, and of what
/// is urgent.
pub(super) async fn filed(tx: &Tx, case: &case::Model, now: Instant) -> Result<(), Problem> {
    let danger = !emergency::calls([&case.title, &case.text]).is_empty();
    if !danger && case.urgency != CaseUrgency::Urgent {
        return Ok(());
    }
    let urgency = danger.then_some(NoticeUrgency::Danger);
    let word = Word { urgency, ..Word::of(Whom::Unit(case.unit_id, DESK), "case_urgent") };
    say(tx, case, word, None, now).await
}

/// Tells whoever was called in, and by when they are to answer; except who called.
pub(super) async fn called_in(
    tx: &Tx,
    case: &case::Model,
    (unit, called): (UnitId, Option<StaffId>),
    answer_on: NaiveDate,
    by: StaffId,
    now: Instant,
) -> Result<(), Problem> {
    if case.private {
        return Ok(());
    }
    let word = match called {
        Some(called) => Word::of(Whom::One(called), "called_in"),
        None => Word::of(Whom::Unit(unit, WORKS), "unit_called_in"),
    };
    say(tx, case, Word { answer_on: Some(answer_on), ..word }, Some(by), now).await
}

/// Writes a word to those whom it is for, except `by`.
async fn say(tx: &Tx, case: &case::Model, word: Word, by: Option<StaffId>, now: Instant) -> Result<(), Problem> {
    // A private matter exists for who has it, and for nobody else.
    if case.private && !matches!(word.whom, Whom::One(_)) {
        return Ok(());
    }
    let mut hearers = hearers(tx, case, word.whom, now).await?;
    if hearers.is_empty() {
        tracing::warn!(case.id = %case.id, notice.kind = word.kind, "nobody is there to be told of a case");
    }
    hearers.retain(|id| Some(*id) != by);
    let telling = StaffTelling {
        staff: hearers,
        kind: word.kind,
        case: Some(case.id),
        division: Some(case.village_id),
        confidential: case.confidential || case.private,
        urgency: word.urgency,
        params: json!({"number": case.number, "answer_on": word.answer_on}),
    };
    staff::tell(tx, vec![telling], now).await
}

/// Who may hear of it: where nobody of the unit may, those with the same duties in its place, else in the next above.
async fn hearers(tx: &Tx, case: &case::Model, whom: Whom, now: Instant) -> Result<Vec<StaffId>, Problem> {
    let (today, away_from) = (local_day(now), case.confidential.then_some(case.id));
    let duties = |wanted| if case.confidential { DISCIPLINE } else { wanted };
    let (place, wanted) = match whom {
        Whom::One(one) => return staff::free_of(tx, vec![one], away_from).await,
        Whom::Unit(unit, wanted) => {
            let here = staff::in_unit(tx, unit, duties(wanted), today).await?;
            let here = staff::free_of(tx, here, away_from).await?;
            if !here.is_empty() {
                return Ok(here);
            }
            let unit = unit::Entity::find_by_id(unit).one(tx).await?;
            (unit.map_or(case.village_id, |unit| unit.division_id), wanted)
        }
        Whom::Place(place, wanted) => (place, wanted),
    };
    // Who only works on what they are given knows of nothing else in their place.
    let see_the_place = duties(wanted).iter().copied().filter(|duty| *duty != Duty::HandleCases);
    let see_the_place: Vec<Duty> = see_the_place.collect();
    let line = [case.village_id, case.township_id, case.county_id];
    let from = line.iter().position(|above| *above == place).unwrap_or_default();
    let nearest = staff::nearest(tx, line.into_iter().skip(from), &see_the_place, away_from, today).await?;
    Ok(nearest.map(|(_, staff)| staff).unwrap_or_default())
}
