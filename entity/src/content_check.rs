//! Words or a file that others are to see, and whether they may.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Instant,
    id::{ContentCheckId, DivisionId, PersonId, StaffId},
    sealed::Sealed,
};

/// What they belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ContentSubject {
    /// A case that anybody may see.
    #[sea_orm(string_value = "case")]
    Case,
    /// A matter on the agenda of a talk day.
    #[sea_orm(string_value = "booking")]
    Booking,
    /// Something on the page of a village.
    #[sea_orm(string_value = "publication")]
    Publication,
}

/// How far they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ContentState {
    /// WeChat is still to be asked.
    #[sea_orm(string_value = "waiting")]
    Waiting,
    /// WeChat was asked and answers later.
    #[sea_orm(string_value = "asked")]
    Asked,
    /// Others may see it.
    #[sea_orm(string_value = "passed")]
    Passed,
    /// Somebody of the desk has to look.
    #[sea_orm(string_value = "to_review")]
    ToReview,
    /// Not shown.
    #[sea_orm(string_value = "held")]
    Held,
}

/// Why a person has to look, or had to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ContentReason {
    /// WeChat advises it.
    #[sea_orm(string_value = "review")]
    Review,
    /// Whose words they are has no WeChat account here.
    #[sea_orm(string_value = "no_account")]
    NoAccount,
    /// They were not here within two hours: WeChat judges nothing of theirs (61010).
    #[sea_orm(string_value = "not_seen_lately")]
    NotSeenLately,
    /// WeChat could not be asked.
    #[sea_orm(string_value = "outage")]
    Outage,
    /// WeChat took the question and never answered.
    #[sea_orm(string_value = "no_result")]
    NoResult,
    /// WeChat could not fetch the file.
    #[sea_orm(string_value = "not_fetched")]
    NotFetched,
    /// Whose words they are asked for a person.
    #[sea_orm(string_value = "asked_for")]
    AskedFor,
    /// They are others than the desk has read.
    #[sea_orm(string_value = "reworded")]
    Reworded,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "content_check")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ContentCheckId,
    pub subject: ContentSubject,
    pub subject_id: Uuid,
    /// Which part of it: `text`, `title`, `matter` and its number, `file` and the file's id.
    pub part: String,
    pub division_id: DivisionId,
    /// Whose words they are, or whose matter they tell of.
    pub person_id: Option<PersonId>,
    /// Who of the staff wrote them for others to read.
    pub written_by: Option<StaffId>,
    /// A photo or a recording.
    pub file_id: Option<Uuid>,
    /// The words as others would see them.
    pub text: Option<Sealed>,
    /// What tells one wording from another.
    pub digest: String,
    pub state: ContentState,
    /// Moves with each wording and each decision.
    pub version: i32,
    pub tries: i32,
    pub reason: Option<ContentReason>,
    /// What WeChat advised.
    pub suggest: Option<String>,
    /// What WeChat calls it; 100 is nothing.
    pub label: Option<i32>,
    #[sea_orm(column_type = "JsonBinary")]
    pub detail: Option<Json>,
    pub trace_id: Option<String>,
    pub asked_at: Option<Instant>,
    pub decided_at: Option<Instant>,
    pub decided_by: Option<StaffId>,
    pub decision_text: Option<String>,
    /// How often the person gave other words.
    pub rewordings: i32,
    pub created_at: Instant,
    /// When it came into its state.
    pub since_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
