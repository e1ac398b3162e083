//! A number or a list that a place sets for itself and everything below it.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{DivisionId, StaffId},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "division_setting")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub division_id: DivisionId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub value: Json,
    pub changed_at: Instant,
    pub changed_by: StaffId,
}

impl ActiveModelBehavior for ActiveModel {}
