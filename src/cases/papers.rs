//! Papers that came with earlier errands and may serve again, if their person agrees (材料复用).
//!
//! What was handed in stands in the events of a case: of desk entry and of the milestone `received_papers`. Nothing of a
//! confidential or a private case is ever named. Next: [`crate::catalogue`] for what an item asks for.

use std::collections::BTreeMap;

use chrono::{Months, NaiveDate};
use entity::{
    case::{self, CaseKind, CaseState},
    case_event,
    id::{CaseId, PersonId},
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};

use super::workflow::Action;
use crate::{
    auth::Villager,
    catalogue::{Material, Requirements},
    clock::local_day,
    db::padded,
    people::{self, Grant, ScopeWord},
    problem::{Code, FieldFault, Problem},
};

/// Cases that are looked through, the newest first.
const MOST_CASES: u64 = 200;
/// Events with papers that are looked through.
const MOST_EVENTS: u64 = 1000;

/// Whose papers, and in which of their cases the caller may look for them.
pub struct PapersOf {
    person: PersonId,
    cases: Condition,
}

/// A paper that the village has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldPaper {
    /// Its code, the same with every item.
    pub code: String,
    /// As it is called now.
    pub name: String,
    /// The case it came with.
    pub case_number: String,
    /// The day it came.
    pub received_on: NaiveDate,
    /// The last day on which it serves; `None`: as long as it lies there.
    pub valid_until: Option<NaiveDate>,
}

impl PapersOf {
    /// One's own.
    #[must_use]
    pub fn own(me: &Villager) -> Self {
        Self { person: me.person(), cases: Condition::all().add(case::COLUMN.person_id.eq(me.person())) }
    }

    /// A principal's, out of the cases that the authorisation opens: what it does not open its agent does not hear of.
    #[must_use]
    pub fn granted(me: &Villager, grant: &Grant) -> Self {
        Self { person: grant.principal, cases: grant.cases(me.person()) }
    }

    /// One's own, or those of somebody for whom one may ask in this item.
    ///
    /// # Errors
    /// `no_authorisation`.
    pub async fn find(
        db: &impl ConnectionTrait,
        me: &Villager,
        for_person: Option<PersonId>,
        (kind, item): (CaseKind, &str),
        today: NaiveDate,
    ) -> Result<Self, Problem> {
        let Some(principal) = for_person.filter(|person| *person != me.person()) else { return Ok(Self::own(me)) };
        let need = ScopeWord::of_case(kind, Some(item));
        let grant = people::authority(db, me, principal, &need, today).await?;
        Ok(Self::granted(me, &grant))
    }

    /// Whose.
    #[must_use]
    pub fn person(&self) -> PersonId {
        self.person
    }

    /// Those of these papers that are held and still serve, of each the one that came last.
    pub async fn held(
        &self,
        db: &impl ConnectionTrait,
        materials: &[Material],
        today: NaiveDate,
    ) -> Result<Vec<HeldPaper>, Problem> {
        let wanted: Vec<&Material> = materials.iter().filter(|material| material.reusable).collect();
        if wanted.is_empty() {
            return Ok(vec![]);
        }
        let cases: Vec<(CaseId, String)> = case::Entity::find()
            .select_only()
            .columns([case::Column::Id, case::Column::Number])
            .filter(self.cases.clone())
            .filter(case::COLUMN.item_id.is_not_null())
            .filter(case::COLUMN.confidential.eq(false))
            .filter(case::COLUMN.private.eq(false))
            .filter(case::COLUMN.state.ne(CaseState::Draft))
            .order_by_desc(case::Column::Id)
            .limit(MOST_CASES)
            .into_tuple()
            .all(db)
            .await?;
        if cases.is_empty() {
            return Ok(vec![]);
        }
        let numbers: BTreeMap<CaseId, String> = cases.into_iter().collect();
        let events = case_event::Entity::find()
            .filter(case_event::COLUMN.case_id.is_in(padded(numbers.keys().copied())))
            .filter(case_event::COLUMN.action.is_in([Action::Submit.slug(), Action::Milestone.slug()]))
            .filter(case_event::COLUMN.evidence.is_not_null())
            .order_by_desc(case_event::Column::At)
            .limit(MOST_EVENTS)
            .all(db)
            .await?;
        let newest = |material: &Material| {
            let event = events.iter().find(|event| brought(event.evidence.as_ref(), &material.code))?;
            let received_on = local_day(event.at);
            let valid_until = match material.valid_months {
                Some(months) => Some(received_on.checked_add_months(Months::new(months.into()))?),
                None => None,
            };
            if valid_until.is_some_and(|last| last < today) {
                return None;
            }
            Some(HeldPaper {
                code: material.code.clone(),
                name: material.name.clone(),
                case_number: numbers.get(&event.case_id)?.clone(),
                received_on,
                valid_until,
            })
        };
        Ok(wanted.into_iter().filter_map(newest).collect())
    }
}

/// Whether an event says that this paper was handed in.
fn brought(evidence: Option<&Value>, code: &str) -> bool {
    let papers = evidence.and_then(|said| said.get("materials")).and_then(Value::as_array);
    papers.is_some_and(|papers| papers.iter().any(|paper| paper.get("code").and_then(Value::as_str) == Some(code)))
}

/// What the event of a filing says of earlier papers that are to serve; nothing where none were named.
///
/// # Errors
/// `consent_required`; 422 at `/reuse/{n}`: `unknown`, `not_allowed_here` for papers that are to be new each time,
/// `not_held`.
pub(super) async fn reused(
    db: &impl ConnectionTrait,
    whose: &PapersOf,
    requirements: Option<&Requirements>,
    codes: &[String],
    today: NaiveDate,
) -> Result<Option<Value>, Problem> {
    if codes.is_empty() {
        return Ok(None);
    }
    let requirements = requirements.ok_or_else(|| Problem::field("/reuse", "not_allowed_here"))?;
    if !people::agreed(db, whose.person, people::REUSE_PAPERS).await? {
        return Err(Problem::new(Code::ConsentRequired).with("purpose", people::REUSE_PAPERS));
    }
    let held = whose.held(db, &requirements.materials, today).await?;
    let (mut faults, mut papers) = (Vec::new(), Vec::new());
    for (nth, code) in codes.iter().enumerate() {
        let at = format!("/reuse/{nth}");
        let found = held.iter().find(|held| held.code == *code);
        match (requirements.material(code), found) {
            (None, _) => faults.push(FieldFault::new(at, "unknown")),
            _ if codes.iter().take(nth).any(|other| other == code) => faults.push(FieldFault::new(at, "duplicate")),
            (Some(material), _) if !material.reusable => faults.push(FieldFault::new(at, "not_allowed_here")),
            (Some(_), None) => faults.push(FieldFault::new(at, "not_held")),
            (Some(_), Some(held)) => papers.push(json!({
                "code": held.code, "name": held.name, "case_number": held.case_number, "received_on": held.received_on,
            })),
        }
    }
    if faults.is_empty() { Ok(Some(json!({"reused": papers}))) } else { Err(Problem::invalid(faults)) }
}

/// What an event says of papers that were handed in.
///
/// # Errors
/// 422 at `/materials/{n}`: `unknown` to the item, `duplicate`.
pub(super) fn received(requirements: Option<&Requirements>, codes: &[String]) -> Result<Vec<Value>, Vec<FieldFault>> {
    let (mut faults, mut papers) = (Vec::new(), Vec::new());
    for (nth, code) in codes.iter().enumerate() {
        let at = format!("/materials/{nth}");
        match requirements.and_then(|requirements| requirements.material(code)) {
            _ if codes.iter().take(nth).any(|other| other == code) => faults.push(FieldFault::new(at, "duplicate")),
            None => faults.push(FieldFault::new(at, "unknown")),
            Some(material) => papers.push(json!({"code": material.code, "name": material.name})),
        }
    }
    if faults.is_empty() { Ok(papers) } else { Err(faults) }
}
