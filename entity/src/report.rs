//! A periodic list or report: drawn from the events of a period that is over, frozen when another person signs it.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Instant,
    id::{DivisionId, ReportId, StaffId},
};

/// What kind of report.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ReportKind {
    /// 月清单: every case that was open in a month.
    #[sea_orm(string_value = "monthly_list")]
    MonthlyList,
    /// 双月点评: rates and what stands out, village by village.
    #[sea_orm(string_value = "bimonthly_review")]
    BimonthlyReview,
    /// 季报.
    #[sea_orm(string_value = "quarterly_report")]
    QuarterlyReport,
    /// 年报.
    #[sea_orm(string_value = "yearly_report")]
    YearlyReport,
}

/// How far it is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ReportState {
    /// Drawn, to be looked at.
    #[sea_orm(string_value = "drawn")]
    Drawn,
    /// Signed by another person: it never changes again.
    #[sea_orm(string_value = "signed")]
    Signed,
    /// Thrown away before anybody signed it.
    #[sea_orm(string_value = "discarded")]
    Discarded,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "report")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReportId,
    pub division_id: DivisionId,
    pub kind: ReportKind,
    /// `2026-11`, `2026-11..2026-12`, `2026-Q4`, `2026`.
    pub period: String,
    pub period_from: Date,
    pub period_to: Date,
    pub state: ReportState,
    pub version: i32,
    /// Canonical JSON, byte for byte as it was hashed.
    pub content: String,
    /// SHA-256 of content and lines, in hex.
    pub digest: String,
    pub lines: i32,
    /// JSON: village id -> the ids of its cases that the report reckons with, base64.
    pub population: String,
    pub drawn_by: StaffId,
    pub drawn_at: Instant,
    pub settled_by: Option<StaffId>,
    /// When it was signed or discarded.
    pub settled_at: Option<Instant>,
    /// The signed report that this one corrects.
    pub replaces: Option<ReportId>,
    /// Why.
    pub reason: Option<String>,
    /// The signed report that corrected this one.
    pub replaced_by: Option<ReportId>,
}

impl ActiveModelBehavior for ActiveModel {}
