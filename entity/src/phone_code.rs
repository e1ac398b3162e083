//! The code that was sent to a phone, hashed; one a person.

use sea_orm::entity::prelude::*;

use crate::{Instant, id::PersonId, sealed::Sealed};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "phone_code")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub person_id: PersonId,
    pub phone: Sealed,
    pub code_hash: String,
    pub tries: i32,
    pub expires_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
