//! A call-back (回访): a second person asks the villager of a closed case that was drawn.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{CallBackId, CaseId, StaffId, UnitId},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "call_back")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CallBackId,
    pub case_id: CaseId,
    pub round: i32,
    /// Who calls: the unit above the handler's.
    pub unit_id: UnitId,
    /// Who may not.
    pub handler_id: Option<StaffId>,
    pub drawn_at: Instant,
    pub due_on: Date,
    pub called_at: Option<Instant>,
    pub called_by: Option<StaffId>,
    /// A code of `call_back_results`.
    pub result: Option<String>,
    pub note: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
