//! Staff a case complains about. They never see it, whatever their duty.

use sea_orm::entity::prelude::*;

use crate::id::{CaseId, StaffId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "case_against")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub case_id: CaseId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub staff_id: StaffId,
}

impl ActiveModelBehavior for ActiveModel {}
