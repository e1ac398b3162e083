//! From what staff send to what is to be done: what each step looks up and refuses before the table is asked.

use chrono::{NaiveDate, TimeDelta};
use entity::{
    case::{self, CaseRequest, CaseState},
    case_event,
    division::DivisionLevel,
    id::{CaseId, StaffId, UnitId},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use super::{
    receiver::{self, Receiver},
    requests,
};
use crate::{
    app::App,
    cases::{
        advance::{Act, By, Reckoning},
        commands::{self, Evidence, StaffAction},
        effects::Detail,
        guards, papers, sla,
        workflow::Action,
    },
    clock::local_day,
    db::Tx,
    problem::{Code, Problem},
    settings::Term,
};

/// How far ahead the end of a pause, or the day of an answer, may lie.
const FARTHEST: TimeDelta = TimeDelta::days(183);

/// The act that an action of staff asks for.
///
/// # Errors
/// `conflict_of_interest`, `return_used_up`, `unit_locked`, `another_handler_needed`, `no_level_above`, `not_your_duty`;
/// 422 with a pointer.
#[allow(clippy::too_many_lines, reason = "one arm an action: to be read beside the table")]
pub(super) async fn of_staff(
    tx: &Tx,
    app: &App,
    case: &case::Model,
    by: &By,
    action: StaffAction,
    main: Option<&case::Model>,
    reckoning: Reckoning<'_>,
) -> Result<Act, Problem> {
    let today = local_day(app.clock.now());
    Ok(match action {
        StaffAction::Accept { .. } => Act::plain(Action::Accept),
        StaffAction::Sign { .. } => Act::plain(Action::Sign),
        StaffAction::Resume { .. } => Act::plain(Action::Resume),
        StaffAction::RequestSupplement { materials, text, .. } => {
            // 一次告知: the first list is the whole list; another needs somebody else's word.
            let again = case.supplements > 0;
            let detail = if again { Some(requests::asked(tx, case, CaseRequest::Supplement).await?) } else { None };
            let evidence = Some(json!({"materials": materials}));
            Act { text: Some(text), evidence, detail, ..Act::plain(Action::RequestSupplement) }
        }
        StaffAction::Reject { reason, channel, text, .. } => {
            let evidence = Some(json!({"channel": channel}));
            Act { reason: Some(reason), text: Some(text), evidence, ..Act::plain(Action::Reject) }
        }
        StaffAction::SettleObjection { upheld, text, .. } => {
            if rejected_by(tx, case.id).await? == by.staff {
                return Err(Code::ConflictOfInterest.into());
            }
            let detail = Some(requests::decided(tx, case, upheld).await?);
            Act { text: Some(text), detail, ..Act::plain(Action::SettleObjection) }
        }
        StaffAction::Merge { text, .. } => {
            let detail = main.map(|main| Detail::Main { case: main.id });
            Act { note: text, detail, ..Act::plain(Action::Merge) }
        }
        StaffAction::Unmerge { text, .. } => {
            let detail = case.merged_into.map(|main| Detail::Main { case: main });
            Act { note: Some(text), detail, ..Act::plain(Action::Unmerge) }
        }
        StaffAction::Assign { assignee, unit, text, .. } => {
            let act = Act { text, ..Act::plain(Action::Assign) };
            given(tx, case, by, act, (assignee, unit), today).await?
        }
        StaffAction::Transfer { assignee, unit, reason, text, .. } => {
            let act = Act { reason: Some(reason), note: Some(text), ..Act::plain(Action::Transfer) };
            given(tx, case, by, act, (assignee, unit), today).await?
        }
        StaffAction::Return { reason, suggested_unit, text, .. } => {
            if case.state == CaseState::Assigned && has_returned(tx, case.id, by.unit).await? {
                return Err(Code::ReturnUsedUp.into());
            }
            let evidence = suggested_unit.map(|unit| json!({"suggested_unit": unit}));
            Act { reason: Some(reason), note: Some(text), evidence, ..Act::plain(Action::Return) }
        }
        StaffAction::Escalate { reason, text, .. } => {
            let act = Act { reason: Some(reason), note: Some(text), ..Act::plain(Action::Escalate) };
            escalated(tx, case, act, reckoning).await?
        }
        StaffAction::Pause { reason, until, text, .. } => {
            check_day("/until", until, today.succ_opt().unwrap_or(today), today)?;
            let detail = Some(with(requests::asked(tx, case, CaseRequest::Pause).await?, Some(until), None));
            let evidence = Some(json!({"until": until}));
            Act { reason: Some(reason), text: Some(text), evidence, detail, ..Act::plain(Action::Pause) }
        }
        StaffAction::Extend { working_days, reason, text, .. } => {
            let most = guards::longest_extension(case, sla::limit(case), reckoning);
            if case.state == CaseState::InProgress && u32::try_from(working_days).is_ok_and(|days| days > most) {
                return Err(Problem::field("/working_days", "range").with("most", most));
            }
            let asked = requests::asked(tx, case, CaseRequest::Extension).await?;
            let detail = Some(with(asked, None, Some(working_days)));
            let evidence = Some(json!({"working_days": working_days}));
            Act { reason: Some(reason), text: Some(text), evidence, detail, ..Act::plain(Action::Extend) }
        }
        StaffAction::Approve { text, .. } => {
            let detail = Some(requests::decided(tx, case, true).await?);
            Act { text, detail, ..Act::plain(Action::Approve) }
        }
        StaffAction::Refuse { text, .. } => {
            let detail = Some(requests::decided(tx, case, false).await?);
            Act { note: Some(text), detail, ..Act::plain(Action::Refuse) }
        }
        StaffAction::CallIn { assignee, unit, answer_on, text, .. } => {
            check_day("/answer_on", answer_on, today, today)?;
            let Receiver { to, note, .. } = receiver::find(tx, case, assignee, unit, today).await?;
            let note = Some(note.map_or(text.clone(), |note| format!("{text}\n{note}")));
            let evidence = Some(json!({"unit": to.0, "assignee": to.1, "answer_on": answer_on}));
            Act { note, to: Some(to), evidence, ..Act::plain(Action::CallIn) }
        }
        StaffAction::Report { text, .. } => Act { note: Some(text), ..Act::plain(Action::Report) },
        StaffAction::Milestone { milestone, materials, evidence, .. } => {
            let evidence = evidence.unwrap_or_default();
            let files = commands::files_of(&evidence);
            let mut said = json!({"milestone": milestone, "evidence": evidence});
            if let (Some(codes), Value::Object(members)) = (materials, &mut said) {
                members.insert("materials".to_owned(), received(tx, app, case, &codes).await?);
            }
            let detail = Some(Detail::Milestone { milestone });
            Act { evidence: Some(said), detail, files, ..Act::plain(Action::Milestone) }
        }
        StaffAction::Note { text, visible, .. } => {
            let (text, note) = if visible == Some(true) { (Some(text), None) } else { (None, Some(text)) };
            Act { text, note, ..Act::plain(Action::Note) }
        }
        StaffAction::Summarise { text, .. } => Act { text: Some(text), ..Act::plain(Action::Summarise) },
        StaffAction::Contact { how, text, .. } => {
            let detail = Some(Detail::Contact { how });
            Act { note: Some(text), detail, ..Act::plain(Action::Contact) }
        }
        StaffAction::Answer { result, text, evidence, .. } => {
            let files = commands::files_of(evidence.as_deref().unwrap_or_default());
            let evidence = evidence.map(evidence_json).transpose()?;
            Act { result: Some(result), text: Some(text), evidence, files, ..Act::plain(Action::Answer) }
        }
        StaffAction::Supervise { text, .. } => Act { note: Some(text), ..Act::plain(Action::Supervise) },
        StaffAction::ReopenByOrder { reason, text, .. } => {
            Act { reason: Some(reason), text: Some(text), ..Act::plain(Action::ReopenByOrder) }
        }
    })
}

/// Papers that were handed in, as the event says it.
async fn received(tx: &Tx, app: &App, case: &case::Model, codes: &[String]) -> Result<Value, Problem> {
    let requirements = match case.item_id {
        Some(item) => Some(app.requirements.one(tx, item).await?),
        None => None,
    };
    papers::received(requirements.as_deref(), codes).map(Value::from).map_err(Problem::invalid)
}

/// The day by which whoever is called in is to answer.
pub(super) fn answer_on(act: &Act) -> Option<NaiveDate> {
    let said = act.evidence.as_ref()?.get("answer_on")?;
    serde_json::from_value(said.clone()).ok()
}

/// Work that goes to a person or a unit, with what the township's word binds.
async fn given(
    tx: &Tx,
    case: &case::Model,
    by: &By,
    act: Act,
    (assignee, unit): (Option<StaffId>, Option<UnitId>),
    today: NaiveDate,
) -> Result<Act, Problem> {
    let names_it = case.returns >= guards::RETURNS && case.locked_unit_id.is_none();
    // Twice sent back: the township says whose it is (指定承办单位).
    if names_it && !by.names_units {
        return Err(Code::NotYourDuty.into());
    }
    let Receiver { to, note, evidence } = receiver::find(tx, case, assignee, unit, today).await?;
    if case.locked_unit_id.is_some_and(|locked| locked != to.0) {
        return Err(Code::UnitLocked.into());
    }
    if case.former_assignee_id.is_some() && to.1 == case.former_assignee_id {
        return Err(Code::AnotherHandlerNeeded.into());
    }
    let note = match (act.note.clone(), note) {
        (Some(said), Some(note)) => Some(format!("{said}\n{note}")),
        (said, note) => said.or(note),
    };
    let detail = Some(Detail::To { lock: names_it, sign_by: None });
    Ok(Act { to: Some(to), note, evidence, detail, ..act })
}

async fn escalated(tx: &Tx, case: &case::Model, act: Act, reckoning: Reckoning<'_>) -> Result<Act, Problem> {
    let Some((unit, level)) = requests::above(tx, case).await? else { return Err(Code::NoLevelAbove.into()) };
    let term = if level == DivisionLevel::Township { Term::TownshipSignDays } else { Term::CountySignDays };
    let sign_by = reckoning.working_day(reckoning.today(), reckoning.clocks.terms.get(term));
    let detail = Some(Detail::To { lock: false, sign_by: Some(sign_by) });
    Ok(Act { to: Some((unit, None)), detail, ..act })
}

fn check_day(pointer: &str, day: NaiveDate, first: NaiveDate, today: NaiveDate) -> Result<(), Problem> {
    if (first..=today + FARTHEST).contains(&day) { Ok(()) } else { Err(Problem::field(pointer, "range")) }
}

fn with(detail: Detail, until: Option<NaiveDate>, working_days: Option<i32>) -> Detail {
    match detail {
        Detail::Asked { request, unit, .. } => Detail::Asked { request, unit, until, working_days },
        other => other,
    }
}

fn evidence_json(evidence: Vec<Evidence>) -> Result<Value, Problem> {
    Ok(json!({"evidence": serde_json::to_value(evidence).map_err(Problem::unexpected)?}))
}

/// Who rejected a case last.
async fn rejected_by(tx: &Tx, case: CaseId) -> Result<Option<StaffId>, Problem> {
    let event = case_event::Entity::find()
        .filter(case_event::COLUMN.case_id.eq(case))
        .filter(case_event::COLUMN.action.eq(Action::Reject.slug()))
        .order_by_desc(case_event::Column::Seq)
        .one(tx)
        .await?;
    Ok(event.and_then(|event| event.by_staff))
}

/// Whether this unit has sent the case back before (one return per unit and case).
async fn has_returned(tx: &Tx, case: CaseId, unit: Option<UnitId>) -> Result<bool, Problem> {
    let Some(unit) = unit else { return Ok(false) };
    let returns = case_event::Entity::find()
        .filter(case_event::COLUMN.case_id.eq(case))
        .filter(case_event::COLUMN.action.eq(Action::Return.slug()))
        .filter(case_event::COLUMN.by_unit.eq(unit))
        .count(tx)
        .await?;
    Ok(returns > 0)
}
