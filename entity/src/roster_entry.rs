//! A line of a village's register of residents (花名册), as its desk imported it; found by the hash of the citizen number.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{DivisionId, RosterEntryId},
    sealed::Sealed,
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "roster_entry")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RosterEntryId,
    pub village_id: DivisionId,
    pub name: Sealed,
    pub name_hash: String,
    pub citizen_no: Sealed,
    pub citizen_no_hash: String,
    pub phone: Option<Sealed>,
    pub phone_hash: Option<String>,
    pub household_no: Option<String>,
    pub group_name: Option<String>,
    pub note: Option<Sealed>,
    pub created_at: Instant,
    pub updated_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
