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

/// What people come for; the mechanism is the same.
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
pub enum TalkPurpose {
    /// 村民说事日
    #[sea_orm(string_value = "talk")]
    Talk,
    /// 民情沟通日
    #[sea_orm(string_value = "liaison")]
    Liaison,
    /// 法律顾问
    #[sea_orm(string_value = "legal_advice")]
    LegalAdvice,
    /// 专家下乡
    #[sea_orm(string_value = "expert_visit")]
    ExpertVisit,
    /// 窗口时段
    #[sea_orm(string_value = "counter")]
    Counter,
}

/// How one is heard.
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
pub enum TalkFormat {
    /// Many people, public matters, an agenda.
    #[sea_orm(string_value = "open_meeting")]
    OpenMeeting,
    /// One to one.
    #[sea_orm(string_value = "private_slots")]
    PrivateSlots,
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
    pub purpose: TalkPurpose,
    pub format: TalkFormat,
    /// Where those who are heard by video meet.
    pub video_url: Option<String>,
    /// The day it was first set for, when it was shifted.
    pub shifted_from: Option<Date>,
    /// When it was last shifted: who was booked before may leave until it starts.
    pub shifted_at: Option<Instant>,
    /// When its date, state or hosts were last changed.
    pub changed_at: Option<Instant>,
    /// Moves with every step of the line, so that whoever watches knows to look again.
    pub line_version: i32,
    /// How many walked in.
    pub walk_ins: i32,
    pub version: i32,
    pub created_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
