//! What follows a bad review: the villager is spoken to, what is wrong is put right, both within working days.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{CaseId, FollowUpId, ReviewId, StaffId, UnitId},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "follow_up")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FollowUpId,
    #[sea_orm(unique)]
    pub review_id: ReviewId,
    pub case_id: CaseId,
    /// Who follows it up: the unit above the handler's; where money was asked, the discipline desk.
    pub unit_id: UnitId,
    /// Who may not.
    pub handler_id: Option<StaffId>,
    pub opened_at: Instant,
    pub contact_due_at: Instant,
    pub contacted_at: Option<Instant>,
    pub contacted_by: Option<StaffId>,
    pub contact_note: Option<String>,
    /// By when it is to be put right; known once the villager was spoken to.
    pub fix_due_on: Option<Date>,
    pub settled_at: Option<Instant>,
    pub settled_by: Option<StaffId>,
    /// A code of `follow_up_outcomes`.
    pub outcome: Option<String>,
    /// What the villager reads of it.
    pub outcome_note: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
