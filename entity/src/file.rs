//! A file that was taken in: what it is and what it hangs on. Its bytes lie sealed in the store.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Instant,
    id::{FileId, PersonId, StaffId},
    sealed::Sealed,
};

/// What it is, as people would say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum FileKind {
    #[sea_orm(string_value = "photo")]
    Photo,
    #[sea_orm(string_value = "voice")]
    Voice,
    #[sea_orm(string_value = "document")]
    Document,
}

/// What a file hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum FileThing {
    /// A case, as it was filed; with `event_id`, a step of it.
    #[sea_orm(string_value = "case")]
    Case,
    #[sea_orm(string_value = "booking")]
    Booking,
    #[sea_orm(string_value = "talk_record")]
    TalkRecord,
    #[sea_orm(string_value = "review")]
    Review,
    /// What an authorisation rests on.
    #[sea_orm(string_value = "authorisation")]
    Authorisation,
}

/// Whether it is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum FileState {
    #[sea_orm(string_value = "kept")]
    Kept,
    /// It is shown to nobody; a day later its bytes go, then the row.
    #[sea_orm(string_value = "gone")]
    Gone,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "file")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FileId,
    pub kind: FileKind,
    /// Media type of the bytes that are kept.
    pub media: String,
    /// Of what is kept, before it is sealed.
    pub bytes: i64,
    /// Likewise, hexadecimal.
    pub sha256: String,
    /// Of a voice note.
    pub duration_ms: Option<i32>,
    /// Of a photo, in pixels.
    pub width: Option<i32>,
    pub height: Option<i32>,
    /// Whether a small one of a photo is kept beside it.
    pub small: bool,
    /// Who brought it: one of the two.
    pub person_id: Option<PersonId>,
    pub staff_id: Option<StaffId>,
    /// The key its bytes are sealed with, itself sealed.
    pub key: Sealed,
    pub state: FileState,
    /// When the sweep first found it gone; a day later its bytes go.
    pub gone_at: Option<Instant>,
    /// None: it hangs on nothing yet.
    pub thing: Option<FileThing>,
    pub thing_id: Option<Uuid>,
    /// The step of a case that it came with.
    pub event_id: Option<Uuid>,
    /// Its place among those it came with.
    pub position: i32,
    pub attached_at: Option<Instant>,
    pub created_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
