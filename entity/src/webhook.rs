//! A server of others that is told of the cases of a place. Secrets are sealed.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Instant,
    id::{CaseEventId, DivisionId, StaffId, WebhookId},
    sealed::Sealed,
};

/// Whether it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum WebhookState {
    #[sea_orm(string_value = "active")]
    Active,
    #[sea_orm(string_value = "off")]
    Off,
}

/// Why it is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum WebhookOffReason {
    /// Somebody switched it off.
    #[sea_orm(string_value = "by_hand")]
    ByHand,
    /// It answered 410.
    #[sea_orm(string_value = "gone")]
    Gone,
    /// It took nothing for five days.
    #[sea_orm(string_value = "failing")]
    Failing,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookId,
    /// It is told of this place and everything below it.
    pub division_id: DivisionId,
    pub url: String,
    pub state: WebhookState,
    pub off_reason: Option<WebhookOffReason>,
    /// JSON: codes of the list `webhook_events`.
    #[sea_orm(column_type = "JsonBinary")]
    pub kinds: Json,
    pub secret: Sealed,
    /// The secret before; signs too until `former_until`.
    pub former_secret: Option<Sealed>,
    pub former_until: Option<Instant>,
    /// JSON of `webhooks::bodies::Entitled`: which personal data it may have, why, how long.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub entitled: Option<Json>,
    /// Since when it may have what it is entitled to now.
    pub entitled_at: Option<Instant>,
    /// It is told of nothing that happened before.
    pub from_at: Instant,
    /// The newest event when it was looked last; none: from the first event on.
    pub mark: Option<CaseEventId>,
    /// Nothing was taken since.
    pub failing_since: Option<Instant>,
    pub version: i32,
    pub created_by: StaffId,
    pub created_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
