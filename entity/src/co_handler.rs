//! Somebody else who was called in (吹哨报到): a unit, or one person of it, to answer by a day.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{CaseId, CoHandlerId, StaffId, UnitId},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "co_handler")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CoHandlerId,
    pub case_id: CaseId,
    pub unit_id: UnitId,
    /// None: whoever handles cases in the unit.
    pub staff_id: Option<StaffId>,
    pub asked_by: StaffId,
    pub asked_at: Instant,
    /// By which day they are to answer.
    pub answer_on: Date,
    /// When they did.
    pub reported_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
