//! Each act of an agent: shown to the principal, never changed.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{AuthorisationId, AuthorisationUseId, BookingId, CaseId},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "authorisation_use")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuthorisationUseId,
    pub authorisation_id: AuthorisationId,
    pub action: String,
    pub case_id: Option<CaseId>,
    pub booking_id: Option<BookingId>,
    pub at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
