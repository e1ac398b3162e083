//! The duty list (职责清单) of a place: who works on what. An entry that says more of the matter goes before one that says less.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{DivisionId, DutyEntryId, StaffId, UnitId},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "duty_entry")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DutyEntryId,
    pub division_id: DivisionId,
    pub item_code: Option<String>,
    pub topic: Option<String>,
    /// The villagers' group (组): the grid.
    pub group_name: Option<String>,
    pub unit_id: UnitId,
    pub staff_id: Option<StaffId>,
    pub created_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
