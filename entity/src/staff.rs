//! Somebody who works for a village, a township or above.

use sea_orm::entity::prelude::*;

use crate::{Instant, id::StaffId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "staff")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StaffId,
    #[sea_orm(unique)]
    pub username: String,
    pub password_hash: String,
    pub name: String,
    /// Made for demonstrations; production refuses to start beside one.
    pub demonstration: bool,
    pub created_at: Instant,
    pub dismissed_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
