//! A rule that makes talk days.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Instant,
    id::{DivisionId, TalkRuleId},
    talk_day::{TalkFormat, TalkPurpose},
};

/// What becomes of a day of a rule that is a public holiday.
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
pub enum HolidayPolicy {
    /// It takes place.
    #[sea_orm(string_value = "keep")]
    Keep,
    /// It does not take place.
    #[sea_orm(string_value = "skip")]
    Skip,
    /// The next working day takes its place.
    #[sea_orm(string_value = "next_working_day")]
    NextWorkingDay,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "talk_rule")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TalkRuleId,
    pub division_id: DivisionId,
    #[sea_orm(column_type = "JsonBinary")]
    pub recurrence: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub exceptions: Json,
    pub starts: Time,
    pub ends: Time,
    pub slot_minutes: i32,
    pub capacity: i32,
    pub walk_in_share: f64,
    #[sea_orm(column_type = "JsonBinary")]
    pub hosts: Json,
    pub place: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub modes: Json,
    pub opens_days_before: i32,
    pub closes_hours_before: i32,
    pub purpose: TalkPurpose,
    pub format: TalkFormat,
    pub holiday_policy: HolidayPolicy,
    pub video_url: Option<String>,
    pub version: i32,
    pub created_at: Instant,
    pub ended_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
