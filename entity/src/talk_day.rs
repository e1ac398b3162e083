//! One dated sitting of a village, made from a rule or singly.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Instant,
    id::{DivisionId, TalkDayId, TalkRuleId},
};

/// Whether the day stands.
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
pub enum TalkDayState {
    #[sea_orm(string_value = "planned")]
    Planned,
    #[sea_orm(string_value = "cancelled")]
    Cancelled,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "talk_day")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TalkDayId,
    pub division_id: DivisionId,
    pub rule_id: Option<TalkRuleId>,
    pub on_date: Date,
    pub state: TalkDayState,
    pub starts_at: Instant,
    pub ends_at: Instant,
    pub opens_at: Instant,
    pub closes_at: Instant,
    pub place: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub hosts: Json,
    #[sea_orm(column_type = "JsonBinary")]
    pub modes: Json,
    /// Why it does not take place.
    pub cancel_reason: Option<String>,
    pub version: i32,
    pub created_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
