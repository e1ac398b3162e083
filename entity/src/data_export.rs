//! A copy of one's own data (个人信息保护法 45), sealed, kept for some days.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{DataExportId, PersonId},
    sealed::Sealed,
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "data_export")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DataExportId,
    pub person_id: PersonId,
    /// JSON; empty while it is being put together.
    pub content: Option<Sealed>,
    pub created_at: Instant,
    pub ready_at: Option<Instant>,
    pub expires_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
