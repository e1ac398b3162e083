//! A service item as it is published, imported and exported: one shape for all three, after the Sichuan service list.
//!
//! A version of it is a row ([`entity::service_item`]) that never changes. Next: [`super::rules`] for what one must keep.

use std::collections::BTreeMap;

use entity::{Instant, case::CaseKind, id::ServiceItemId, service_item};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{material::Material, questions::Question};
use crate::problem::Problem;

/// What an item becomes when somebody asks for it: 民事代办 or 民情代理.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// 民事代办
    #[serde(alias = "民事代办")]
    Proxy,
    /// 民情代理
    #[serde(alias = "民情代理")]
    Voice,
}

impl ItemKind {
    pub(super) fn of_case(kind: CaseKind) -> Self {
        if kind == CaseKind::Voice { Self::Voice } else { Self::Proxy }
    }

    pub(super) fn as_case(self) -> CaseKind {
        match self {
            Self::Proxy => CaseKind::Proxy,
            Self::Voice => CaseKind::Voice,
        }
    }
}

/// 办件类型.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HandlingType {
    /// 即办件: done while one waits.
    Instant,
    /// 承诺件: done within the promised days.
    Promised,
}

/// 法律依据.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LegalBasis {
    /// Name or number of the document, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    /// Which article, at most 100 characters.
    #[schema(max_length = 100)]
    pub article: Option<String>,
}

/// An item of the catalogue, whole.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogueItem {
    /// Ours: 1 to 32 letters, digits and hyphens.
    #[schema(min_length = 1, max_length = 32, pattern = "^[A-Za-z0-9-]+$", example = "DZ-MZ-01")]
    pub item_code: String,
    /// 事项名称.
    #[schema(min_length = 1, max_length = 80)]
    pub name: String,
    /// `proxy` (民事代办) or `voice` (民情代理).
    pub kind: ItemKind,
    /// 受理层级: where papers are taken, `village`, `township`, `county` ...
    #[schema(min_length = 1, max_length = 40)]
    pub handled_at: String,
    /// 决定层级: where it is decided.
    #[schema(min_length = 1, max_length = 40)]
    pub decided_at: String,
    /// 实施部门.
    #[schema(min_length = 1, max_length = 80)]
    pub department: String,
    /// 申请材料; a bare name stands for a paper with nothing more to say of it.
    #[schema(max_items = 30)]
    pub materials: Vec<Material>,
    /// 法定时限: working days the law allows.
    #[schema(maximum = 1000)]
    pub statutory_days: Option<u16>,
    /// 承诺时限: working days that are promised, no more than the law allows; 0 is at once.
    #[schema(maximum = 1000)]
    pub promised_days: Option<u16>,
    /// 收费: yuan or words; `0` is free.
    #[schema(min_length = 1, max_length = 100)]
    pub fee: String,
    /// 服务对象.
    #[schema(min_length = 1, max_length = 80)]
    pub audience: String,
    /// 基本编码: its number in the Sichuan service list.
    #[schema(max_length = 40)]
    pub sichuan_item_code: Option<String>,
    /// 实施编码: its number where it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub implementation_code: Option<String>,
    /// 办件类型.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handling_type: Option<HandlingType>,
    /// 受理条件: at most 20 sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub conditions: Vec<String>,
    /// 办理流程: at most 20 steps in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub procedure: Vec<String>,
    /// 法律依据: at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub legal_basis: Vec<LegalBasis>,
    /// Titles of the sources.
    #[schema(max_length = 1000)]
    pub source: String,
    /// Field -> source ids of the catalogue file, joined by `+`; `E` is an estimate.
    pub provenance: BTreeMap<String, String>,
    /// Names of fields that are estimates.
    #[schema(max_items = 40)]
    pub estimated: Vec<String>,
    /// What else is to be known.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub note: String,
    /// For reading aloud: sentences of at most 40 characters. Left out: put together from the other fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 600)]
    pub easy_text: Option<String>,
    /// JSON Schema 2020-12 of what is to be filled in; left out: nothing beside the papers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub form: Option<Value>,
    /// Questions that tell whether it is worth coming, the first first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 40)]
    pub pre_check: Vec<Question>,
    /// Passed over: `provenance` says it field by field.
    #[serde(default, skip_serializing)]
    #[schema(write_only)]
    pub source_ids: Vec<String>,
}

/// What the row keeps in one column.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Guide {
    #[serde(skip_serializing_if = "Option::is_none")]
    implementation_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handling_type: Option<HandlingType>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conditions: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    procedure: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    legal_basis: Vec<LegalBasis>,
}

impl Guide {
    fn is_empty(&self) -> bool {
        let lists = self.conditions.is_empty() && self.procedure.is_empty() && self.legal_basis.is_empty();
        lists && self.implementation_code.is_none() && self.handling_type.is_none()
    }
}

impl CatalogueItem {
    /// As it is kept: without what is passed over, and a code that is blank is none.
    #[must_use]
    pub fn tidied(self) -> Self {
        let code = |code: Option<String>| code.filter(|code| !code.trim().is_empty());
        Self {
            sichuan_item_code: code(self.sichuan_item_code),
            implementation_code: code(self.implementation_code),
            source_ids: vec![],
            ..self
        }
    }

    /// The item that a row holds.
    ///
    /// # Errors
    /// A row that nobody could have published.
    pub fn of(row: &service_item::Model) -> Result<Self, Problem> {
        let days = |days: Option<i32>| days.and_then(|days| u16::try_from(days).ok());
        let guide: Guide = row.guide.as_ref().map(read).transpose()?.unwrap_or_default();
        Ok(Self {
            item_code: row.code.clone(),
            name: row.name.clone(),
            kind: ItemKind::of_case(row.kind),
            handled_at: row.handled_at.clone(),
            decided_at: row.decided_at.clone(),
            department: row.department.clone(),
            materials: read(&row.materials)?,
            statutory_days: days(row.statutory_days),
            promised_days: days(row.promised_days),
            fee: row.fee.clone(),
            audience: row.audience.clone(),
            sichuan_item_code: row.sichuan_item_code.clone(),
            implementation_code: guide.implementation_code,
            handling_type: guide.handling_type,
            conditions: guide.conditions,
            procedure: guide.procedure,
            legal_basis: guide.legal_basis,
            source: row.source.clone(),
            provenance: read(&row.provenance)?,
            estimated: read(&row.estimated)?,
            note: row.note.clone(),
            easy_text: row.easy_text.clone(),
            form: row.form.clone(),
            pre_check: row.pre_check.as_ref().map(read).transpose()?.unwrap_or_default(),
            source_ids: vec![],
        }
        .tidied())
    }

    /// The row of a version of it; who published it and why is the caller's to say.
    pub(super) fn row(&self, version: i32, now: Instant) -> service_item::Model {
        let guide = Guide {
            implementation_code: self.implementation_code.clone(),
            handling_type: self.handling_type,
            conditions: self.conditions.clone(),
            procedure: self.procedure.clone(),
            legal_basis: self.legal_basis.clone(),
        };
        service_item::Model {
            id: ServiceItemId::fresh(),
            code: self.item_code.clone(),
            version,
            current: true,
            kind: self.kind.as_case(),
            name: self.name.clone(),
            handled_at: self.handled_at.clone(),
            decided_at: self.decided_at.clone(),
            department: self.department.clone(),
            materials: json!(self.materials),
            statutory_days: self.statutory_days.map(i32::from),
            promised_days: self.promised_days.map(i32::from),
            fee: self.fee.clone(),
            audience: self.audience.clone(),
            sichuan_item_code: self.sichuan_item_code.clone(),
            source: self.source.clone(),
            provenance: json!(self.provenance),
            estimated: json!(self.estimated),
            note: self.note.clone(),
            published_at: now,
            form: self.form.clone(),
            pre_check: (!self.pre_check.is_empty()).then(|| json!(self.pre_check)),
            guide: (!guide.is_empty()).then(|| json!(guide)),
            easy_text: self.easy_text.clone(),
            change_note: None,
            published_by: None,
            retired_at: None,
        }
    }
}

/// A JSON column that only this feature writes.
fn read<T: serde::de::DeserializeOwned>(column: &Value) -> Result<T, Problem> {
    T::deserialize(column).map_err(Problem::unexpected)
}
