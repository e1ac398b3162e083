//! One thing one person is told.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{BookingId, CaseId, NoticeId, PersonId},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "notice")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NoticeId,
    pub person_id: PersonId,
    pub kind: String,
    pub case_id: Option<CaseId>,
    pub booking_id: Option<BookingId>,
    #[sea_orm(column_type = "JsonBinary")]
    pub params: Json,
    pub created_at: Instant,
    pub delivered_at: Option<Instant>,
    pub read_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
