//! A matter on the list of the villagers' council (民主议事会).

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{BookingId, CouncilMatterId, DivisionId, StaffId},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "council_matter")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CouncilMatterId,
    pub division_id: DivisionId,
    pub booking_id: BookingId,
    /// What it is about, without names.
    pub title: String,
    pub listed_by: StaffId,
    pub listed_at: Instant,
    pub taken_up_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
