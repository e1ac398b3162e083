//! A published calendar of holidays and make-up working days.

use sea_orm::entity::prelude::*;

use crate::Instant;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "calendar_version")]
pub struct Model {
    /// Digest of its rows: the same rows published twice are one version.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: String,
    pub published_at: Instant,
    pub source: String,
}

impl ActiveModelBehavior for ActiveModel {}
