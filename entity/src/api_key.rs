//! A key by which somebody else's program files public matters (Open311). Only its digest is kept.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{ApiKeyId, DivisionId, StaffId},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApiKeyId,
    /// It files here and below.
    pub division_id: DivisionId,
    /// Whose it is, in words.
    pub name: String,
    /// Its first letters, so that one is told from another.
    pub beginning: String,
    #[sea_orm(unique)]
    pub digest: String,
    pub created_by: StaffId,
    pub created_at: Instant,
    pub used_at: Option<Instant>,
    pub revoked_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
