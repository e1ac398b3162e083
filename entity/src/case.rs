//! A tracked piece of work. Only `cases::advance` writes it after it was filed.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Instant,
    id::{AuthorisationId, BookingId, CaseId, DivisionId, PersonId, ServiceItemId, StaffId, UnitId},
    sealed::Sealed,
};

/// What kind of case: talk, errand (民事代办) or concern (民情代理).
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
pub enum CaseKind {
    #[sea_orm(string_value = "talk")]
    Talk,
    #[sea_orm(string_value = "proxy")]
    Proxy,
    #[sea_orm(string_value = "voice")]
    Voice,
}

/// States of a case (cases.md).
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
pub enum CaseState {
    #[sea_orm(string_value = "draft")]
    Draft,
    #[sea_orm(string_value = "submitted")]
    Submitted,
    #[sea_orm(string_value = "rejected")]
    Rejected,
    #[sea_orm(string_value = "accepted")]
    Accepted,
    #[sea_orm(string_value = "assigned")]
    Assigned,
    #[sea_orm(string_value = "in_progress")]
    InProgress,
    #[sea_orm(string_value = "answered")]
    Answered,
    #[sea_orm(string_value = "completed")]
    Completed,
    #[sea_orm(string_value = "archived")]
    Archived,
    #[sea_orm(string_value = "withdrawn")]
    Withdrawn,
}

/// What a voice case is about; it sets the promised days.
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
pub enum CaseConcern {
    #[sea_orm(string_value = "question")]
    Question,
    #[sea_orm(string_value = "help")]
    Help,
    #[sea_orm(string_value = "suggestion")]
    Suggestion,
    #[sea_orm(string_value = "complaint")]
    Complaint,
    #[sea_orm(string_value = "report")]
    Report,
}

/// How urgent.
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
pub enum CaseUrgency {
    #[sea_orm(string_value = "normal")]
    Normal,
    #[sea_orm(string_value = "urgent")]
    Urgent,
}

/// How it came in.
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
pub enum CaseChannel {
    #[sea_orm(string_value = "app")]
    App,
    #[sea_orm(string_value = "walk_in")]
    WalkIn,
    #[sea_orm(string_value = "phone")]
    Phone,
    #[sea_orm(string_value = "pasted")]
    Pasted,
    #[sea_orm(string_value = "paper")]
    Paper,
}

/// What the answer says was achieved.
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
pub enum CaseResult {
    #[sea_orm(string_value = "done")]
    Done,
    #[sea_orm(string_value = "partly")]
    Partly,
    #[sea_orm(string_value = "explained")]
    Explained,
    #[sea_orm(string_value = "not_approved")]
    NotApproved,
    #[sea_orm(string_value = "referred")]
    Referred,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "cases")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CaseId,
    #[sea_orm(unique)]
    pub number: String,
    pub kind: CaseKind,
    pub state: CaseState,
    pub version: i32,
    /// First is 1; each reopening begins another. Reviews are one a round.
    pub round: i32,
    pub title: String,
    pub text: String,
    /// JSON: answers to the item's form.
    pub form: Option<Sealed>,
    pub topic: Option<String>,
    pub concern: Option<CaseConcern>,
    pub urgency: CaseUrgency,
    pub channel: CaseChannel,
    pub confidential: bool,
    pub item_id: Option<ServiceItemId>,
    pub promised_days: Option<i32>,
    pub statutory_days: Option<i32>,
    pub village_id: DivisionId,
    pub township_id: DivisionId,
    pub county_id: DivisionId,
    /// The unit that has the work now.
    pub unit_id: UnitId,
    /// The unit that took it in and keeps the duty to answer the villager.
    pub first_unit_id: UnitId,
    pub assignee_id: Option<StaffId>,
    pub person_id: PersonId,
    /// The booking whose matter it took up.
    pub booking_id: Option<BookingId>,
    /// It took up a private matter: only who has it, or who hosts where nobody has it, knows of it.
    pub private: bool,
    /// Who filed it for them.
    pub agent_id: Option<PersonId>,
    pub authorisation_id: Option<AuthorisationId>,
    /// Who filed it when that was not the person: a staff member at the desk.
    pub entered_by: Option<StaffId>,
    pub contact_name: Option<Sealed>,
    pub contact_phone: Option<Sealed>,
    pub accepted_on: Option<Date>,
    pub promised_due_on: Option<Date>,
    pub statutory_due_on: Option<Date>,
    /// A year without a published calendar was counted.
    pub provisional: bool,
    pub calendar_version: String,
    /// When the clock of this state acts by itself.
    pub step_due_at: Option<Instant>,
    /// What lists are ordered by: the promised day, before acceptance the day of the step.
    pub due_on: Date,
    pub returns: i32,
    pub reopens: i32,
    pub result: Option<CaseResult>,
    pub answered_at: Option<Instant>,
    /// `false`: closed by silence. Never counted as content.
    pub confirmed: Option<bool>,
    pub closed_at: Option<Instant>,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub client_time: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
