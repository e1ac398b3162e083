//! Anything that can be assigned work: a village desk, a township centre, a department.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{DivisionId, UnitId};

/// What kind of unit it is.
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
pub enum UnitKind {
    /// 村便民服务室
    #[sea_orm(string_value = "village_desk")]
    VillageDesk,
    /// 乡镇便民服务中心
    #[sea_orm(string_value = "township_centre")]
    TownshipCentre,
    /// 乡镇纪检监察办公室
    #[sea_orm(string_value = "discipline_desk")]
    DisciplineDesk,
    /// 部门
    #[sea_orm(string_value = "department")]
    Department,
    /// 网格
    #[sea_orm(string_value = "grid")]
    Grid,
    /// 县级
    #[sea_orm(string_value = "county")]
    County,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "unit")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UnitId,
    pub division_id: DivisionId,
    /// The unit above it.
    pub parent_id: Option<UnitId>,
    pub kind: UnitKind,
    pub name: String,
}

impl ActiveModelBehavior for ActiveModel {}
