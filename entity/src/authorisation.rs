//! 委托: who may act for whom, for what, until when (民法典 161-174).

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Instant,
    id::{AuthorisationId, PersonId, StaffId},
    sealed::Sealed,
};

/// What an authorisation rests on.
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
pub enum EvidenceKind {
    /// Both stood at the desk.
    #[sea_orm(string_value = "in_person")]
    InPerson,
    /// A signed paper, photographed or kept.
    #[sea_orm(string_value = "paper")]
    Paper,
    /// Spoken, before a witness.
    #[sea_orm(string_value = "voice")]
    Voice,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "authorisation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuthorisationId,
    pub principal_id: PersonId,
    /// The agent; without one yet when only their phone is known.
    pub agent_id: Option<PersonId>,
    pub agent_name: Option<Sealed>,
    pub agent_phone: Option<Sealed>,
    pub agent_phone_hash: Option<String>,
    /// Scope words: `talk`, `voice`, `proxy:*`, `proxy:{item code}`.
    #[sea_orm(column_type = "JsonBinary")]
    pub scope: Json,
    /// The last day.
    pub until: Date,
    pub evidence_kind: EvidenceKind,
    pub evidence_text: Option<Sealed>,
    pub evidence_file: Option<Uuid>,
    /// Who heard it, when it was spoken.
    pub witness: Option<Sealed>,
    pub recorded_by: Option<StaffId>,
    pub created_at: Instant,
    pub revoked_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
