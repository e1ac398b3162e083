//! The first answer to a call that may be repeated over a bad line.

use sea_orm::entity::prelude::*;

use crate::Instant;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotent_answer")]
pub struct Model {
    /// Person or staff id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub caller: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// SHA-256 of method, path and body.
    pub fingerprint: String,
    pub status: i32,
    pub body: String,
    pub created_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
