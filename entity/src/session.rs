//! A signed-in device of a villager or of staff. Ending it ends every token made from it.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{PersonId, SessionId, StaffId},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    pub person_id: Option<PersonId>,
    pub staff_id: Option<StaffId>,
    /// Signed in with more than a password.
    pub second_factor: bool,
    pub created_at: Instant,
    pub ended_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
