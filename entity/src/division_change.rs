//! What became of a place: merged into another, or given another code.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{DivisionChangeId, DivisionId},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "division_change")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DivisionChangeId,
    /// The place that is there now.
    pub division_id: DivisionId,
    /// `merged` or `renumbered`.
    pub kind: String,
    pub old_code: String,
    pub new_code: String,
    pub at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
