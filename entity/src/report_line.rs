//! A line of a monthly list: one case, no person.

use sea_orm::entity::prelude::*;

use crate::id::ReportId;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "report_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub report_id: ReportId,
    /// From 1, in the order of the list.
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i32,
    /// Canonical JSON, byte for byte as it was hashed.
    pub line: String,
}

impl ActiveModelBehavior for ActiveModel {}
