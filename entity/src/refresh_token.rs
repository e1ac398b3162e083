//! Refresh tokens, hashed. A used one that comes back ends its session.

use sea_orm::entity::prelude::*;

use crate::{Instant, id::SessionId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_token")]
pub struct Model {
    /// SHA-256 of the token, hexadecimal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: String,
    pub session_id: SessionId,
    pub issued_at: Instant,
    pub expires_at: Instant,
    pub used_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
