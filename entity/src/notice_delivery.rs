//! How a notice reaches its person beside the inbox: one row a notice, one way at a time.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Instant,
    id::{CaseId, DivisionId, NoticeDeliveryId, NoticeId, PersonId, StaffId},
    sealed::Sealed,
};

/// How much a notice matters.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum NoticeUrgency {
    /// The inbox will do.
    #[sea_orm(string_value = "quiet")]
    Quiet,
    /// People are to hear of it.
    #[sea_orm(string_value = "normal")]
    Normal,
    /// It does not keep: a text message where WeChat does not take it.
    #[sea_orm(string_value = "urgent")]
    Urgent,
    /// Danger: the night does not hold it up.
    #[sea_orm(string_value = "danger")]
    Danger,
}

/// The way a notice goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum NoticeChannel {
    /// A subscribe message.
    #[sea_orm(string_value = "wechat")]
    Wechat,
    /// A text message.
    #[sea_orm(string_value = "sms")]
    Sms,
    /// Somebody calls or comes.
    #[sea_orm(string_value = "desk")]
    Desk,
    /// The app alone, which they use.
    #[sea_orm(string_value = "inbox")]
    Inbox,
}

/// How far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum NoticeDeliveryState {
    /// For its time, or for its turn.
    #[sea_orm(string_value = "waiting")]
    Waiting,
    /// An attempt is being made, or its maker died.
    #[sea_orm(string_value = "sending")]
    Sending,
    /// No answer came: it may have gone or not.
    #[sea_orm(string_value = "unknown")]
    Unknown,
    /// The channel took it.
    #[sea_orm(string_value = "sent")]
    Sent,
    /// Somebody at the desk has to tell them.
    #[sea_orm(string_value = "to_call")]
    ToCall,
    /// Somebody did.
    #[sea_orm(string_value = "called")]
    Called,
    /// They read it in the app before.
    #[sea_orm(string_value = "read")]
    Read,
    /// Told together with others.
    #[sea_orm(string_value = "merged")]
    Merged,
    /// The inbox will do after all.
    #[sea_orm(string_value = "inbox")]
    Inbox,
    /// Nobody could reach them.
    #[sea_orm(string_value = "failed")]
    Failed,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "notice_delivery")]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NoticeDeliveryId,
    #[sea_orm(unique)]
    pub notice_id: NoticeId,
    pub person_id: PersonId,
    pub kind: String,
    pub urgency: NoticeUrgency,
    pub case_id: Option<CaseId>,
    /// Whose desk calls when nothing else is left.
    pub village_id: Option<DivisionId>,
    pub township_id: Option<DivisionId>,
    /// For the discipline desk of the township and nobody else.
    pub confidential: bool,
    /// What leaves the house does not say what it is about.
    pub discreet: bool,
    pub channel: NoticeChannel,
    pub state: NoticeDeliveryState,
    pub due_at: Instant,
    /// The night or a flood held it up: it goes together with what waits beside it.
    pub put_off: bool,
    /// Attempts by this channel.
    pub tries: i32,
    pub tried_at: Option<Instant>,
    /// The openid, while a subscribe message is on its way.
    #[sea_orm(unique)]
    pub in_flight: Option<String>,
    /// The openid of the last subscribe message, by which a late report finds it.
    pub openid: Option<String>,
    pub template_id: Option<String>,
    pub msgid: Option<String>,
    /// Why the last attempt failed, in a word.
    pub error: Option<String>,
    /// The one that tells this one too.
    pub merged_into: Option<NoticeDeliveryId>,
    pub told_at: Option<Instant>,
    pub done_by: Option<StaffId>,
    /// `phone`, `visit`, `paper`; of what failed there, `failed`.
    pub done_how: Option<String>,
    pub done_text: Option<Sealed>,
    pub created_at: Instant,
}

impl Model {
    /// The place whose desk calls when nothing else is left: of what is confidential the township, for its discipline desk.
    #[must_use]
    pub fn desk(&self) -> Option<DivisionId> {
        if self.confidential { self.township_id } else { self.village_id }
    }
}

impl ActiveModelBehavior for ActiveModel {}
