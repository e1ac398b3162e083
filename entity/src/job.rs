//! Outbox and queue in one table: written in the transaction whose consequence it is.

use sea_orm::entity::prelude::*;

use crate::{Instant, id::JobId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "job")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobId,
    pub kind: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub payload: Json,
    /// Two jobs of one key are one job.
    pub key: Option<String>,
    pub run_at: Instant,
    pub attempts: i32,
    pub leased_until: Option<Instant>,
    pub done_at: Option<Instant>,
    /// Given up: stays for a human.
    pub dead_at: Option<Instant>,
    pub last_error: Option<String>,
    pub created_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
