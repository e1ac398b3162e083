//! What is sent and shown of reports.

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    id::{DivisionId, ReportId, StaffId},
    report::{self, ReportKind, ReportState},
};
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::{canonical::Difference, check::Check, content::ReportContent};
use crate::problem::Problem;

/// What is to be drawn.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DrawReport {
    pub(super) kind: ReportKind,
    /// A period that is over: of a list `2026-11`, of a review two months from an odd one on, `2026-11..2026-12`, of the
    /// others `2026-Q4` and `2026`.
    #[validate(length(min = 4, max = 20))]
    #[schema(min_length = 4, max_length = 20, example = "2026-10")]
    pub(super) period: String,
    /// The signed report that this one corrects; both stay.
    pub(super) replaces: Option<ReportId>,
    /// Why it is corrected.
    #[validate(length(min = 1, max = 400))]
    #[schema(min_length = 1, max_length = 400)]
    pub(super) reason: Option<String>,
}

/// What is to be signed or discarded.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleReport {
    /// The version that was looked at.
    pub(super) version: i32,
}

/// `?kind=&period=&state=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListReports {
    #[param(inline)]
    pub(super) kind: Option<ReportKind>,
    /// `2026-11`, `2026-11..2026-12`, `2026-Q4`, `2026`.
    #[validate(length(max = 20))]
    #[param(max_length = 20, example = "2026-10")]
    pub(super) period: Option<String>,
    #[param(inline)]
    pub(super) state: Option<ReportState>,
}

/// A report, without what it says.
#[derive(Clone, Debug, Serialize, FromQueryResult, ToSchema)]
pub struct ReportSummary {
    pub(super) id: ReportId,
    #[sea_orm(from_alias = "division_id")]
    pub(super) division: DivisionId,
    pub(super) kind: ReportKind,
    pub(super) period: String,
    /// The first day of the period.
    #[sea_orm(from_alias = "period_from")]
    pub(super) from: NaiveDate,
    /// The last day.
    #[sea_orm(from_alias = "period_to")]
    pub(super) to: NaiveDate,
    pub(super) state: ReportState,
    /// To be sent with signing and discarding.
    pub(super) version: i32,
    /// SHA-256 over the canonical content and lines, as the export `jsonl` gives them; in hex.
    #[sea_orm(from_alias = "digest")]
    pub(super) sha256: String,
    /// Lines of a monthly list.
    pub(super) lines: i32,
    pub(super) drawn_by: StaffId,
    pub(super) drawn_at: DateTime<Utc>,
    /// Who signed or discarded it.
    pub(super) settled_by: Option<StaffId>,
    pub(super) settled_at: Option<DateTime<Utc>>,
    /// The signed report that this one corrects.
    pub(super) replaces: Option<ReportId>,
    /// Why it was corrected.
    pub(super) reason: Option<String>,
    /// The signed report that corrected this one.
    pub(super) replaced_by: Option<ReportId>,
}

impl From<&report::Model> for ReportSummary {
    fn from(row: &report::Model) -> Self {
        Self {
            id: row.id,
            division: row.division_id,
            kind: row.kind,
            period: row.period.clone(),
            from: row.period_from,
            to: row.period_to,
            state: row.state,
            version: row.version,
            sha256: row.digest.clone(),
            lines: row.lines,
            drawn_by: row.drawn_by,
            drawn_at: row.drawn_at,
            settled_by: row.settled_by,
            settled_at: row.settled_at,
            replaces: row.replaces,
            reason: row.reason.clone(),
            replaced_by: row.replaced_by,
        }
    }
}

/// A report; the lines of a monthly list are a list of their own.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReportView {
    #[serde(flatten)]
    summary: ReportSummary,
    content: ReportContent,
}

impl ReportView {
    pub(super) fn of(row: &report::Model) -> Result<Self, Problem> {
        let content = serde_json::from_str(&row.content).map_err(Problem::unexpected)?;
        Ok(Self { summary: row.into(), content })
    }
}

/// Something that is reckoned otherwise now.
#[derive(Serialize, ToSchema)]
pub struct ReportDifference {
    /// JSON pointer into the content; of a line `/lines/{case number}/...`.
    pointer: String,
    /// As it was frozen.
    #[schema(value_type = Option<Object>)]
    frozen: Value,
    /// As it is reckoned now.
    #[schema(value_type = Option<Object>)]
    now: Value,
}

impl From<Difference> for ReportDifference {
    fn from(difference: Difference) -> Self {
        Self { pointer: difference.pointer, frozen: difference.frozen, now: difference.now }
    }
}

/// What reckoning a report again comes to.
#[derive(Serialize, ToSchema)]
pub struct ReportCheck {
    /// The events still say, byte for byte, what the report says, and it says what it said.
    same: bool,
    /// As it was drawn.
    sha256: String,
    /// Of what is stored now: another one means that the report itself was touched.
    stored_sha256: String,
    /// Of what the events of its cases say now.
    recomputed_sha256: String,
    /// Cases that would be counted today and are not in it: a village was merged into the place, or a case was let out of
    /// confidence. They change nothing of the above.
    cases_not_in_it: i64,
    /// What differs; at most 100.
    differences: Vec<ReportDifference>,
}

impl From<Check> for ReportCheck {
    fn from(check: Check) -> Self {
        Self {
            same: check.recomputed == check.digest && check.stored == check.digest,
            sha256: check.digest,
            stored_sha256: check.stored,
            recomputed_sha256: check.recomputed,
            cases_not_in_it: check.not_in_it,
            differences: check.differences.into_iter().map(ReportDifference::from).collect(),
        }
    }
}
