//! What a key filed lately, so that a repeat over a bad line files nothing a second time.

use sea_orm::entity::prelude::*;

use crate::{Instant, id::CaseId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "open311_request")]
pub struct Model {
    /// The key that filed it, and what names the call: its `Idempotency-Key`, or its body and the hour.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub case_id: CaseId,
    /// A keyed hash of the body.
    pub fingerprint: String,
    pub created_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
