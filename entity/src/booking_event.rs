//! A step of a booking on its day: what the line is replayed, undone and timed by.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    booking::BookingState,
    id::{BookingEventId, BookingId, PersonId, StaffId, TalkDayId},
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "booking_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BookingEventId,
    pub booking_id: BookingId,
    pub talk_day_id: TalkDayId,
    pub action: String,
    pub from_state: BookingState,
    pub to_state: BookingState,
    /// `villager`, `agent`, `staff`, `clock`.
    pub by_kind: String,
    pub staff_id: Option<StaffId>,
    /// The villager or agent who acted.
    pub person_id: Option<PersonId>,
    /// When it reached us.
    pub at: Instant,
    /// When it was done: by the desk's clock where the line was down and that is plausible, else as `at`.
    pub acted_at: Instant,
    /// Version of the booking with it: steps of one booking are in this order.
    pub booking_version: i32,
    /// Version of the line of the day with it: steps of one day are in this order, whatever the clocks of servers say.
    pub line_version: i32,
    /// Names the step once for a day and who took it, so that a queue sent twice acts once.
    pub key: Option<String>,
    /// Of what was sent under the key: another step under the same key is not the same step.
    pub fingerprint: Option<String>,
    /// The columns as they were, for undoing it.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub before: Option<Json>,
    pub undone_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
