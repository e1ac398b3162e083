//! Somebody who works for a village, a township or above.

use sea_orm::entity::prelude::*;

use crate::{Instant, id::StaffId, sealed::Sealed};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "staff")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StaffId,
    #[sea_orm(unique)]
    pub username: String,
    pub password_hash: String,
    pub name: String,
    /// Base32 (RFC 6238); counts once it is confirmed.
    pub totp_secret: Option<Sealed>,
    pub totp_confirmed_at: Option<Instant>,
    /// The last time step whose code was used: a code is good once.
    pub totp_last_step: Option<i64>,
    #[sea_orm(unique)]
    pub wecom_userid: Option<String>,
    /// Made for demonstrations; production refuses to start beside one.
    pub demonstration: bool,
    pub created_at: Instant,
    pub dismissed_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
