//! A version of an entry of the catalogue. Running cases keep the version they were filed under.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{ServiceItemId, StaffId},
};

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
    /// List of papers; in rows older than their details, of names.
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
    /// JSON Schema of what is to be filled in.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub form: Option<Json>,
    /// List of questions that tell whether it is worth coming.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub pre_check: Option<Json>,
    /// What the Sichuan service list says beside the columns: conditions, procedure, legal basis ...
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub guide: Option<Json>,
    /// Said aloud, in short sentences.
    pub easy_text: Option<String>,
    /// Why this version was made.
    pub change_note: Option<String>,
    /// None: it came from a file of the operator.
    pub published_by: Option<StaffId>,
    /// From then on nobody files under it.
    pub retired_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
