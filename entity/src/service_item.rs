//! A version of an entry of the catalogue. Running cases keep the version they were filed under.

use sea_orm::entity::prelude::*;

use crate::{Instant, id::ServiceItemId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "service_item")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ServiceItemId,
    pub code: String,
    pub version: i32,
    pub current: bool,
    pub kind: super::case::CaseKind,
    pub name: String,
    pub handled_at: String,
    pub decided_at: String,
    pub department: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub materials: Json,
    pub statutory_days: Option<i32>,
    pub promised_days: Option<i32>,
    pub fee: String,
    pub audience: String,
    pub sichuan_item_code: Option<String>,
    pub source: String,
    /// Field name -> source id of the catalogue file; `E` is an estimate.
    #[sea_orm(column_type = "JsonBinary")]
    pub provenance: Json,
    /// Names of the fields that are estimates.
    #[sea_orm(column_type = "JsonBinary")]
    pub estimated: Json,
    pub note: String,
    pub published_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
