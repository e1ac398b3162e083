//! What WeChat pushed to us, as it came; kept for thirty days.

use sea_orm::entity::prelude::*;

use crate::{Instant, id::WechatPushId, sealed::Sealed};

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum WechatPushState {
    /// A job takes it up.
    #[sea_orm(string_value = "waiting")]
    Waiting,
    /// It had its effect.
    #[sea_orm(string_value = "done")]
    Done,
    /// Nothing here knows what it means, or it names nobody and nothing that is known.
    #[sea_orm(string_value = "not_understood")]
    NotUnderstood,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "wechat_push")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WechatPushId,
    /// A keyed hash of what makes it this push and no other: a repeat of it has the same.
    #[sea_orm(unique)]
    pub key: String,
    /// A keyed hash of the openid: pushes of one user take effect in their order.
    pub sender: String,
    /// The event, or the kind of message.
    pub kind: String,
    /// The message, opened; JSON or XML as it was written.
    pub body: Sealed,
    pub state: WechatPushState,
    pub received_at: Instant,
    pub processed_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
