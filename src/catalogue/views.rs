//! What an item looks like from outside.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::{id::StaffId, service_item};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    item::{CatalogueItem, HandlingType, ItemKind, LegalBasis},
    material::Material,
    questions::{Outcome, Question, Standing},
    speech,
};
use crate::problem::Problem;

/// An item in a list.
#[derive(Serialize, ToSchema)]
pub struct ItemSummary {
    code: String,
    version: i32,
    kind: ItemKind,
    name: String,
    /// Where papers are taken: `village`, `township`, `county` ...
    handled_at: String,
    department: String,
    /// What to bring, by name.
    materials: Vec<String>,
    /// Working days the law allows.
    #[schema(required)]
    statutory_days: Option<i32>,
    /// Working days that are promised.
    #[schema(required)]
    promised_days: Option<i32>,
    fee: String,
    audience: String,
    /// Names of fields that are estimates.
    estimated: Vec<String>,
}

impl From<service_item::Model> for ItemSummary {
    fn from(row: service_item::Model) -> Self {
        let materials: Vec<Material> = serde_json::from_value(row.materials).unwrap_or_default();
        Self {
            code: row.code,
            version: row.version,
            kind: ItemKind::of_case(row.kind),
            name: row.name,
            handled_at: row.handled_at,
            department: row.department,
            materials: materials.into_iter().map(|material| material.name).collect(),
            statutory_days: row.statutory_days,
            promised_days: row.promised_days,
            fee: row.fee,
            audience: row.audience,
            estimated: serde_json::from_value(row.estimated).unwrap_or_default(),
        }
    }
}

/// A version of a service item, with where each of its values is from.
#[derive(Serialize, ToSchema)]
pub struct ItemView {
    #[serde(flatten)]
    summary: ItemSummary,
    /// Where it is decided.
    decided_at: String,
    /// 基本编码: its number in the Sichuan government service list.
    #[schema(required)]
    sichuan_item_code: Option<String>,
    /// 实施编码: its number where it is done.
    #[schema(required)]
    implementation_code: Option<String>,
    /// 办件类型.
    #[schema(required)]
    handling_type: Option<HandlingType>,
    /// 受理条件.
    conditions: Vec<String>,
    /// 办理流程.
    procedure: Vec<String>,
    /// 法律依据.
    legal_basis: Vec<LegalBasis>,
    /// Titles of the sources.
    source: String,
    /// Field -> source ids of the catalogue file, joined by `+`; `E` is an estimate.
    provenance: BTreeMap<String, String>,
    note: String,
    /// What to bring, with what can be said of each.
    papers: Vec<Material>,
    /// JSON Schema 2020-12 of what is to be filled in; null: nothing beside the papers.
    #[schema(required, value_type = Option<Object>)]
    form: Option<Value>,
    /// Questions that tell whether it is worth coming, the first first; `POST /catalogue/{code}/pre-check` asks them.
    pre_check: Vec<Question>,
    /// For reading aloud: sentences of at most 40 characters.
    easy_text: String,
    published_at: DateTime<Utc>,
    /// Why this version was made.
    #[schema(required)]
    change_note: Option<String>,
    /// Whether it is the newest.
    current: bool,
    /// From then on nobody files under it.
    #[schema(required)]
    retired_at: Option<DateTime<Utc>>,
}

impl ItemView {
    pub(super) fn of(row: service_item::Model) -> Result<Self, Problem> {
        let item = CatalogueItem::of(&row)?;
        Ok(Self {
            easy_text: speech::of_item(&item),
            papers: item.materials.into_iter().map(said).collect(),
            pre_check: item.pre_check.into_iter().map(asked).collect(),
            decided_at: item.decided_at,
            sichuan_item_code: item.sichuan_item_code,
            implementation_code: item.implementation_code,
            handling_type: item.handling_type,
            conditions: item.conditions,
            procedure: item.procedure,
            legal_basis: item.legal_basis,
            source: item.source,
            provenance: item.provenance,
            note: item.note,
            form: item.form,
            published_at: row.published_at,
            change_note: row.change_note.clone(),
            current: row.current,
            retired_at: row.retired_at,
            summary: ItemSummary::from(row),
        })
    }
}

/// With what is said of it, also where nobody wrote it.
pub(super) fn said(material: Material) -> Material {
    Material { easy_text: Some(speech::of_material(&material)), ..material }
}

fn asked(question: Question) -> Question {
    Question { easy_text: Some(speech::of_question(&question)), ..question }
}

/// A version in the list of them.
#[derive(Serialize, ToSchema)]
pub struct ItemVersion {
    version: i32,
    current: bool,
    published_at: DateTime<Utc>,
    /// Null: it came from a file of the operator.
    published_by: Option<StaffId>,
    /// The name of who published it.
    published_by_name: Option<String>,
    /// Why.
    change_note: Option<String>,
    /// From then on nobody files under it.
    retired_at: Option<DateTime<Utc>>,
}

impl ItemVersion {
    pub(super) fn of(row: &service_item::Model, names: &BTreeMap<StaffId, String>) -> Self {
        Self {
            version: row.version,
            current: row.current,
            published_at: row.published_at,
            published_by: row.published_by,
            published_by_name: row.published_by.and_then(|id| names.get(&id).cloned()),
            change_note: row.change_note.clone(),
            retired_at: row.retired_at,
        }
    }
}

/// The next question, or where it ends; one of the two.
#[derive(Serialize, ToSchema)]
pub struct PreCheckView {
    code: String,
    version: i32,
    question: Option<AskedQuestion>,
    outcome: Option<Outcome>,
    /// What is to be read aloud: sentences of at most 40 characters.
    spoken: String,
}

/// A question that is asked now.
#[derive(Serialize, ToSchema)]
pub struct AskedQuestion {
    id: String,
    text: String,
    answers: Vec<AskedAnswer>,
}

/// An answer to choose.
#[derive(Serialize, ToSchema)]
pub struct AskedAnswer {
    label: String,
    /// What is sent.
    value: String,
}

impl PreCheckView {
    /// `other` is the name of the item that is meant instead.
    pub(super) fn of(row: &service_item::Model, standing: Standing<'_>, other: Option<&str>) -> Self {
        let (question, outcome, spoken) = match standing {
            Standing::Asked(question) => {
                let answer = |answer: &super::questions::PossibleAnswer| AskedAnswer {
                    label: answer.label.clone(),
                    value: answer.value.clone(),
                };
                let asked = AskedQuestion {
                    id: question.id.clone(),
                    text: question.text.clone(),
                    answers: question.answers.iter().map(answer).collect(),
                };
                (Some(asked), None, speech::of_question(question))
            }
            Standing::Ended(outcome) => {
                let spoken = speech::of_outcome(&outcome, other);
                (None, Some(outcome), spoken)
            }
        };
        Self { code: row.code.clone(), version: row.version, question, outcome, spoken }
    }
}
