//! A villager's review of one round of a case.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{CaseId, PersonId, ReviewId, StaffId},
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
    /// Who answered that round.
    pub handler_id: Option<StaffId>,
    /// What the villager added later, once.
    pub addition: Option<String>,
    pub added_at: Option<Instant>,
    /// After a bad review was followed up the villager may rate once more; both stay.
    pub second_stars: Option<i32>,
    pub rerated_at: Option<Instant>,
    /// An appeal against it was upheld: it counts no more, and is counted as such.
    pub excluded_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
