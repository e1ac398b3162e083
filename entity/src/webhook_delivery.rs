//! An event that is told to a receiver: what became of it. The body is not kept, it is made anew for each attempt.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Instant,
    id::{CaseId, WebhookDeliveryId, WebhookId},
    sealed::Sealed,
};

/// How far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum WebhookDeliveryState {
    /// Not taken yet; another attempt comes.
    #[sea_orm(string_value = "waiting")]
    Waiting,
    /// The receiver took it.
    #[sea_orm(string_value = "delivered")]
    Delivered,
    /// Given up; stays until somebody replays it.
    #[sea_orm(string_value = "dead")]
    Dead,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookDeliveryId,
    pub webhook_id: WebhookId,
    /// The event of a case, or a made-up one of a test. What the receiver knows it by.
    pub event_id: Uuid,
    /// Empty for a test.
    pub case_id: Option<CaseId>,
    /// A code of the list `webhook_events`, or `test`.
    pub kind: String,
    pub state: WebhookDeliveryState,
    /// First is 1; each replay begins another.
    pub round: i32,
    /// Attempts of this round.
    pub attempts: i32,
    pub next_at: Option<Instant>,
    pub tried_at: Option<Instant>,
    pub delivered_at: Option<Instant>,
    /// The HTTP status of the last attempt.
    pub status: Option<i32>,
    /// Why the last attempt failed, in a word.
    pub error: Option<String>,
    /// The beginning of what the receiver answered to the last attempt that failed.
    pub answer: Option<Sealed>,
    pub created_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
