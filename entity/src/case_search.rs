//! Cases that can be found by their words, numbered as they were read for it.

use sea_orm::entity::prelude::*;

use crate::id::{CaseEventId, CaseId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "case_search")]
pub struct Model {
    /// What found cases are ordered by; the key of its words.
    #[sea_orm(primary_key)]
    pub seq: i64,
    #[sea_orm(unique)]
    pub case_id: CaseId,
    /// The event whose words were read last.
    pub event_id: CaseEventId,
}

impl ActiveModelBehavior for ActiveModel {}
