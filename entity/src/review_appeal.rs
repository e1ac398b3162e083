//! An appeal of the handler against a review that they hold to be malicious.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{ReviewAppealId, ReviewId, StaffId, UnitId},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "review_appeal")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReviewAppealId,
    #[sea_orm(unique)]
    pub review_id: ReviewId,
    /// Who decides: the unit above the handler's.
    pub unit_id: UnitId,
    pub by_staff: StaffId,
    pub text: String,
    pub made_at: Instant,
    pub due_on: Date,
    pub decided_at: Option<Instant>,
    pub decided_by: Option<StaffId>,
    pub upheld: Option<bool>,
    pub decision: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
