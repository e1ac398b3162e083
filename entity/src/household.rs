//! A household (户) of a village.

use sea_orm::entity::prelude::*;

use crate::id::{DivisionId, HouseholdId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "household")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: HouseholdId,
    pub village_id: DivisionId,
    pub number: String,
}

impl ActiveModelBehavior for ActiveModel {}
