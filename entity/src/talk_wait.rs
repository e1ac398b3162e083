//! Somebody, or some people together, who wait for a place in a full slot.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Instant,
    id::{AuthorisationId, PersonId, SlotId, TalkDayId, TalkWaitId},
};

/// Where an entry of a waiting list stands.
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
pub enum WaitState {
    #[sea_orm(string_value = "waiting")]
    Waiting,
    /// A place is held for it until `held_until`.
    #[sea_orm(string_value = "held")]
    Held,
    /// The place was booked.
    #[sea_orm(string_value = "taken")]
    Taken,
    /// The hold ran out.
    #[sea_orm(string_value = "expired")]
    Expired,
    /// The person gave it up.
    #[sea_orm(string_value = "left")]
    Left,
    /// Booking closed, or the day was called off.
    #[sea_orm(string_value = "ended")]
    Ended,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "talk_wait")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TalkWaitId,
    pub slot_id: SlotId,
    pub talk_day_id: TalkDayId,
    /// Drawn under the lock of the slot: the list is served in this order.
    pub turn: i32,
    pub person_id: PersonId,
    pub agent_id: Option<PersonId>,
    pub authorisation_id: Option<AuthorisationId>,
    /// Person ids of all for whom a place is wanted, the one above first; each has a row in `talk_waiter`, too.
    #[sea_orm(column_type = "JsonBinary")]
    pub party: Json,
    /// How many places: one for each of the party.
    pub places: i32,
    pub state: WaitState,
    pub held_at: Option<Instant>,
    pub held_until: Option<Instant>,
    pub created_at: Instant,
    pub ended_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
