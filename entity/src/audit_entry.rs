//! Who did or read what. Each row carries the hash of all before it: a cut or changed row is found.

use sea_orm::entity::prelude::*;

use crate::{Instant, id::UnitId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entry")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    pub at: Instant,
    pub actor_kind: String,
    pub actor_id: Option<Uuid>,
    pub unit_id: Option<UnitId>,
    pub action: String,
    pub object_kind: String,
    pub object_id: Option<String>,
    pub fields: Option<String>,
    pub reason: Option<String>,
    pub request_id: Option<String>,
    pub result: String,
    pub hash: String,
}

impl ActiveModelBehavior for ActiveModel {}
