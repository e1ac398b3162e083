//! What was said and answered in a matter; a correction is a row of its own, the last one holds.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{BookingId, StaffId, TalkDayId, TalkRecordId},
    sealed::Sealed,
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "talk_record")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TalkRecordId,
    pub booking_id: BookingId,
    pub talk_day_id: TalkDayId,
    /// From 1.
    pub revision: i32,
    pub text: Sealed,
    /// What may be published of it, in the host's words.
    pub public_text: Option<Sealed>,
    /// Of a correction: why.
    pub reason: Option<Sealed>,
    pub staff_id: StaffId,
    pub at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
