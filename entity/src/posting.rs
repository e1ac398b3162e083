//! A posting: one person in one unit with some duties for some time.

use sea_orm::entity::prelude::*;

use crate::id::{DivisionId, PostingId, StaffId, UnitId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "posting")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PostingId,
    pub staff_id: StaffId,
    pub unit_id: UnitId,
    pub division_id: DivisionId,
    pub level: super::division::DivisionLevel,
    /// Slugs of `auth::duty`.
    #[sea_orm(column_type = "JsonBinary")]
    pub duties: Json,
    pub starts_on: Date,
    pub ends_on: Option<Date>,
}

impl ActiveModelBehavior for ActiveModel {}
