//! A villager. Name and phone are sealed; `phone_hash` finds a phone without opening it.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{DivisionId, PersonId},
    sealed::Sealed,
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "person")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PersonId,
    pub name: Option<Sealed>,
    pub phone: Option<Sealed>,
    pub phone_hash: Option<String>,
    pub village_id: Option<DivisionId>,
    pub verified: bool,
    #[sea_orm(column_type = "JsonBinary")]
    pub preferences: Json,
    pub created_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
