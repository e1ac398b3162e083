//! A villager's review of one round of a case.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{CaseId, PersonId, ReviewId},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "review")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReviewId,
    pub case_id: CaseId,
    pub round: i32,
    pub person_id: PersonId,
    pub stars: i32,
    #[sea_orm(column_type = "JsonBinary")]
    pub tags: Json,
    pub text: Option<String>,
    pub created_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
