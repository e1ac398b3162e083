//! What somebody agreed to or took back, with the version of the text that was shown; the last one counts.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{ConsentId, PersonId, StaffId},
    sealed::Sealed,
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "consent")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ConsentId,
    pub person_id: PersonId,
    pub purpose: String,
    pub granted: bool,
    pub text_version: String,
    /// Who agreed for a child under 14 (个人信息保护法 31).
    pub guardian_name: Option<Sealed>,
    pub guardian_phone: Option<Sealed>,
    pub recorded_by: Option<StaffId>,
    pub at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
