//! The administrative tree: city, county, township, village; other nodes hang under it later.
//!
//! `code` is the statistical code (国家统计局), `mca_code` the civil-affairs code (民政部). The two systems reuse each
//! other's numbers for other places, so neither is the key.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::DivisionId;

/// Where a division stands in the tree.
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
pub enum DivisionLevel {
    #[sea_orm(string_value = "city")]
    City,
    #[sea_orm(string_value = "county")]
    County,
    #[sea_orm(string_value = "township")]
    Township,
    #[sea_orm(string_value = "village")]
    Village,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "division")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: DivisionId,
    pub parent_id: Option<DivisionId>,
    pub level: DivisionLevel,
    /// 地级市, 县, 镇, 居委会 ... as the source says.
    pub kind: String,
    pub code: String,
    pub mca_code: Option<String>,
    pub name: String,
    pub display_name: String,
    pub city_id: Option<DivisionId>,
    pub county_id: Option<DivisionId>,
    pub township_id: Option<DivisionId>,
    /// The place that took this one in; people are theirs now.
    pub merged_into: Option<DivisionId>,
    pub ended_on: Option<Date>,
}

impl ActiveModelBehavior for ActiveModel {}
