//! The timeline: one immutable row a transition. Replaying them yields the case.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Instant,
    id::{CaseEventId, CaseId, PersonId, StaffId, UnitId},
};

/// Who did it.
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
pub enum EventBy {
    #[sea_orm(string_value = "villager")]
    Villager,
    #[sea_orm(string_value = "agent")]
    Agent,
    #[sea_orm(string_value = "staff")]
    Staff,
    #[sea_orm(string_value = "clock")]
    Clock,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "case_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CaseEventId,
    pub case_id: CaseId,
    /// The version of the case this event made.
    pub seq: i32,
    pub at: Instant,
    pub action: String,
    pub from_state: Option<super::case::CaseState>,
    pub to_state: super::case::CaseState,
    pub by_kind: EventBy,
    pub by_person: Option<PersonId>,
    pub by_staff: Option<StaffId>,
    pub by_unit: Option<UnitId>,
    /// Done by the clock because somebody stayed silent.
    pub auto: bool,
    pub reason: Option<String>,
    /// Text the villager may read.
    pub text: Option<String>,
    /// Text only staff may read.
    pub note: Option<String>,
    pub unit_id: UnitId,
    pub assignee_id: Option<StaffId>,
    pub result: Option<super::case::CaseResult>,
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub evidence: Option<Json>,
    /// JSON of `cases::advance::Detail`: what replaying needs beside the other columns.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub detail: Option<Json>,
    pub promised_due_on: Option<Date>,
    pub statutory_due_on: Option<Date>,
    pub calendar_version: String,
}

impl ActiveModelBehavior for ActiveModel {}
