//! A villager's place in a slot.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Instant,
    id::{AuthorisationId, BookingId, CaseId, PartyId, PersonId, SlotId, StaffId, TalkDayId},
    sealed::Sealed,
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

/// Which place of the slot a booking counts in.
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
pub enum BookingPlace {
    /// One that everybody may book.
    #[sea_orm(string_value = "public")]
    Public,
    /// One that is kept for walk-ins and the phone.
    #[sea_orm(string_value = "reserve")]
    Reserve,
    /// None: somebody who walked in and waits until there is time.
    #[sea_orm(string_value = "line")]
    Line,
}

/// How the booking came in.
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
pub enum BookingChannel {
    #[sea_orm(string_value = "app")]
    App,
    #[sea_orm(string_value = "phone")]
    Phone,
    #[sea_orm(string_value = "walk_in")]
    WalkIn,
}

/// What became of the matter on the day.
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
pub enum BookingOutcome {
    /// Answered on the spot.
    #[sea_orm(string_value = "answered")]
    Answered,
    /// A case was opened.
    #[sea_orm(string_value = "case")]
    Case,
    /// Put on the council's agenda.
    #[sea_orm(string_value = "council")]
    Council,
}

/// An objection to being counted as missed.
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
pub enum MissedObjection {
    #[sea_orm(string_value = "open")]
    Open,
    /// It does not count.
    #[sea_orm(string_value = "upheld")]
    Upheld,
    #[sea_orm(string_value = "refused")]
    Refused,
}

/// What screening said of a matter before the day.
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
pub enum Screening {
    /// On the agenda.
    #[sea_orm(string_value = "public")]
    Public,
    /// For the host alone.
    #[sea_orm(string_value = "private")]
    Private,
    /// Better taken elsewhere; the person was told where.
    #[sea_orm(string_value = "other_channel")]
    OtherChannel,
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
    pub place: BookingPlace,
    pub channel: BookingChannel,
    /// Staff who entered it for the person.
    pub entered_by: Option<StaffId>,
    /// Bookings of one household that were taken together.
    pub party_id: Option<PartyId>,
    /// Where the host is to come, for a home visit.
    pub address: Option<Sealed>,
    /// Its turn on the way of the day's home visits, from 1.
    pub route_order: Option<i32>,
    pub arrived_at: Option<Instant>,
    pub called_at: Option<Instant>,
    /// Concluded or missed.
    pub ended_at: Option<Instant>,
    pub objection: Option<MissedObjection>,
    pub objection_text: Option<Sealed>,
    pub screened: Option<Screening>,
    /// What the public agenda says of it; written by staff who screened it.
    pub agenda_title: Option<String>,
    pub outcome: Option<BookingOutcome>,
    pub case_id: Option<CaseId>,
    /// When the row was last changed; `None` until then.
    pub changed_at: Option<Instant>,
    pub version: i32,
    pub created_at: Instant,
    pub client_time: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
