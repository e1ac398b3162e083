//! A rule that makes talk days.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{DivisionId, TalkRuleId},
};

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
    pub version: i32,
    pub created_at: Instant,
    pub ended_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
