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
    #[sea_orm(string_value = "supplement")]
    Supplement,
    #[sea_orm(string_value = "rejected")]
    Rejected,
    #[sea_orm(string_value = "accepted")]
    Accepted,
    #[sea_orm(string_value = "assigned")]
    Assigned,
    #[sea_orm(string_value = "in_progress")]
    InProgress,
    #[sea_orm(string_value = "paused")]
    Paused,
    #[sea_orm(string_value = "answered")]
    Answered,
    #[sea_orm(string_value = "completed")]
    Completed,
    #[sea_orm(string_value = "archived")]
    Archived,
    #[sea_orm(string_value = "withdrawn")]
    Withdrawn,
    #[sea_orm(string_value = "lapsed")]
    Lapsed,
    #[sea_orm(string_value = "merged")]
    Merged,
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
    /// Through somebody else's program.
    #[sea_orm(string_value = "open311")]
    Open311,
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

/// What was asked of somebody else and waits to be decided.
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
pub enum CaseRequest {
    /// 挂起: the clock stops when another person agrees.
    #[sea_orm(string_value = "pause")]
    Pause,
    /// 延期: decided one level up.
    #[sea_orm(string_value = "extension")]
    Extension,
    /// A second 补正: decided one level up.
    #[sea_orm(string_value = "supplement")]
    Supplement,
    /// 对不予受理的异议: decided one level up.
    #[sea_orm(string_value = "objection")]
    Objection,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "cases")]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
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
    /// Of what was said on a talk day, the next one of the place: it is answered by then at the latest.
    pub next_talk_on: Option<Date>,
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
    /// When it came into its state.
    pub since_at: Instant,
    /// The day on which this state ends by itself: of a pause, of the time for a supplement.
    pub until_on: Option<Date>,
    /// The day a pause began.
    pub paused_on: Option<Date>,
    /// Working days by which pauses moved both due dates.
    pub paused_days: i32,
    /// Working days by which an extension moved the promised day.
    pub extended_days: i32,
    /// The day it was reopened last; it has some working days from there at least.
    pub reopened_on: Option<Date>,
    /// What was asked for and is not decided.
    pub pending: Option<CaseRequest>,
    /// The unit that decides it.
    pub pending_unit_id: Option<UnitId>,
    /// Who asked.
    pub pending_by: Option<StaffId>,
    /// How often papers were asked for.
    pub supplements: i32,
    /// The villager has objected to its rejection.
    pub objected: bool,
    pub returns: i32,
    /// The township named this unit: no other may be given the work.
    pub locked_unit_id: Option<UnitId>,
    pub reopens: i32,
    /// Who worked on it before the villager objected a second time: another has to now.
    pub former_assignee_id: Option<StaffId>,
    pub nudges: i32,
    pub nudged_on: Option<Date>,
    pub signed_at: Option<Instant>,
    /// By when the villager is to be spoken to after signing.
    pub contact_due_at: Option<Instant>,
    pub contacted_at: Option<Instant>,
    /// By when papers are to be handed up or delivered.
    pub papers_due_at: Option<Instant>,
    /// The main case.
    pub merged_into: Option<CaseId>,
    /// Cases merged into this one.
    pub gathered: i32,
    /// The last step of supervision by time in this round: 0 none, 1 yellow, 2 overdue, 3 township, 4 county.
    pub alarm_step: i32,
    /// When the next one comes.
    pub alarm_at: Option<Instant>,
    pub result: Option<CaseResult>,
    pub answered_at: Option<Instant>,
    /// `false`: closed by silence. Never counted as content.
    pub confirmed: Option<bool>,
    pub closed_at: Option<Instant>,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub client_time: Option<Instant>,
    /// What the desk wrote down of a case that was spoken.
    pub summary: Option<String>,
    /// What thing it is about: the number on a lamp post, a well, a road.
    pub object: Option<String>,
    /// The villagers' group (组) it lies in, where that is known.
    pub group_name: Option<String>,
    /// Anybody may see it, without whose it is.
    pub public: bool,
    /// The number by which anybody may; empty unless the villager agrees.
    pub public_id: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
