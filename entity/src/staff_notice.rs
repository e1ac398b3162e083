//! One thing one member of staff is told.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Instant,
    id::{CaseId, DivisionId, StaffId, StaffNoticeId},
    notice_delivery::NoticeUrgency,
};

/// How far it came beside the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum StaffNoticeState {
    /// For its time.
    #[sea_orm(string_value = "waiting")]
    Waiting,
    /// A message is being made of it.
    #[sea_orm(string_value = "sending")]
    Sending,
    /// WeCom took it, for the member or for the group.
    #[sea_orm(string_value = "sent")]
    Sent,
    /// Only the inbox: they have no WeCom and their place no robot.
    #[sea_orm(string_value = "inbox")]
    Inbox,
    /// WeCom refused it for good.
    #[sea_orm(string_value = "failed")]
    Failed,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "staff_notice")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StaffNoticeId,
    pub staff_id: StaffId,
    pub kind: String,
    pub urgency: NoticeUrgency,
    pub case_id: Option<CaseId>,
    /// The place it is about, whose robot may say it.
    pub division_id: Option<DivisionId>,
    pub confidential: bool,
    #[sea_orm(column_type = "JsonBinary")]
    pub params: Json,
    pub state: StaffNoticeState,
    /// The code of the place whose robot says it.
    pub robot: Option<String>,
    /// The message to a member that was made of it and of those that bear the same; it is never made another way.
    pub message_id: Option<Uuid>,
    /// What that message says.
    pub message_text: Option<String>,
    /// When it was made.
    pub message_at: Option<Instant>,
    pub due_at: Instant,
    pub sent_at: Option<Instant>,
    pub error: Option<String>,
    pub created_at: Instant,
    pub read_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
