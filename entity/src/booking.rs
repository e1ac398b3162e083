//! A villager's place in a slot.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Instant,
    id::{AuthorisationId, BookingId, PersonId, SlotId, TalkDayId},
};

/// Where a booking stands.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum BookingState {
    #[sea_orm(string_value = "to_confirm")]
    ToConfirm,
    #[sea_orm(string_value = "booked")]
    Booked,
    #[sea_orm(string_value = "checked_in")]
    CheckedIn,
    #[sea_orm(string_value = "called")]
    Called,
    #[sea_orm(string_value = "parked")]
    Parked,
    #[sea_orm(string_value = "concluded")]
    Concluded,
    #[sea_orm(string_value = "missed")]
    Missed,
    #[sea_orm(string_value = "cancelled")]
    Cancelled,
}

/// Whether others may hear of the matter.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum BookingPrivacy {
    #[sea_orm(string_value = "public")]
    Public,
    #[sea_orm(string_value = "private")]
    Private,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "booking")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BookingId,
    pub code: String,
    pub slot_id: SlotId,
    pub talk_day_id: TalkDayId,
    pub person_id: PersonId,
    /// Who took the place for them.
    pub agent_id: Option<PersonId>,
    pub authorisation_id: Option<AuthorisationId>,
    pub state: BookingState,
    /// One live booking a person and day; a cancelled one is not live.
    pub live: bool,
    pub number_in_line: i32,
    pub topic: String,
    pub summary: String,
    pub privacy: BookingPrivacy,
    pub mode: String,
    pub cancel_reason: Option<String>,
    pub version: i32,
    pub created_at: Instant,
    pub client_time: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
