//! A recorded near relation of staff to other staff or to a villager (信访工作条例 30).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Instant,
    id::{ConflictId, PersonId, StaffId},
};

/// How near.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ConflictKind {
    /// The villager is this very person.
    #[sea_orm(string_value = "same_person")]
    SamePerson,
    /// Husband or wife, parent, child, brother or sister, or as near.
    #[sea_orm(string_value = "relative")]
    Relative,
    /// Another interest that was declared.
    #[sea_orm(string_value = "other")]
    Other,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "conflict")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ConflictId,
    pub staff_id: StaffId,
    pub with_staff_id: Option<StaffId>,
    pub with_person_id: Option<PersonId>,
    pub kind: ConflictKind,
    pub created_by: StaffId,
    pub created_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
