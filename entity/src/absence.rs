//! Somebody is away and somebody stands in: open work moves over and its clocks run on.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{AbsenceId, StaffId},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "absence")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AbsenceId,
    pub staff_id: StaffId,
    pub stand_in_id: StaffId,
    pub from_on: Date,
    pub until_on: Date,
    pub created_by: StaffId,
    pub created_at: Instant,
    /// When open work was moved.
    pub begun_at: Option<Instant>,
    /// When it ended, by the calendar or early.
    pub ended_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
