//! Something on the page of a village: the minutes of a talk day, or a public matter that was answered.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Instant,
    id::{DivisionId, PersonId, PublicationId, StaffId},
};

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum PublicationKind {
    /// Of a talk day.
    #[sea_orm(string_value = "minutes")]
    Minutes,
    /// A public matter and its answer.
    #[sea_orm(string_value = "answer")]
    Answer,
}

/// Why it is shown no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum PublicationEnd {
    /// Its day came.
    #[sea_orm(string_value = "expired")]
    Expired,
    /// Staff took it down.
    #[sea_orm(string_value = "taken_down")]
    TakenDown,
    /// Whose matter it is took it down.
    #[sea_orm(string_value = "taken_back")]
    TakenBack,
    /// They agree no more to publication, or not to this matter being public.
    #[sea_orm(string_value = "consent_withdrawn")]
    ConsentWithdrawn,
    /// The matter is open again.
    #[sea_orm(string_value = "reopened")]
    Reopened,
    /// Whose matter it is turned out to be a child.
    #[sea_orm(string_value = "of_a_child")]
    OfAChild,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "publication")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PublicationId,
    pub division_id: DivisionId,
    pub kind: PublicationKind,
    /// The minutes, or the case.
    pub subject_id: Uuid,
    /// Whose matter it is.
    pub person_id: Option<PersonId>,
    /// Empty once it ended: what was there is told by its digest alone.
    pub title: Option<String>,
    /// What everybody reads.
    #[sea_orm(column_type = "JsonBinary")]
    pub body: Option<Json>,
    /// SHA-256 of title and body, in hex.
    pub digest: String,
    /// The words could make the person known: their consent to publication carries it.
    pub may_identify: bool,
    /// Version of the text to which they agreed.
    pub consent_version: Option<String>,
    /// It holds the villager's own words, as everybody may read them.
    pub quotes: bool,
    /// So many parts of its words are to be looked at.
    pub parts: i32,
    pub published_by: StaffId,
    pub created_at: Instant,
    /// Since when everybody sees it: once it was looked at.
    pub shown_at: Option<Instant>,
    /// The last day.
    pub expires_on: Date,
    pub ended_at: Option<Instant>,
    pub ended_because: Option<PublicationEnd>,
    pub ended_by: Option<StaffId>,
    pub end_reason: Option<String>,
    pub version: i32,
}

impl ActiveModelBehavior for ActiveModel {}
