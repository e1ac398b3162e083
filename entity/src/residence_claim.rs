//! Somebody says that they live in a village and no roster confirms it: the desk decides.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Instant,
    id::{DivisionId, PersonId, ResidenceClaimId, StaffId},
    sealed::Sealed,
};

/// What is claimed.
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
pub enum ClaimKind {
    /// Lives there, and no roster says so.
    #[sea_orm(string_value = "residence")]
    Residence,
    /// Is somebody who is registered already: a new phone or another WeChat account.
    #[sea_orm(string_value = "recovery")]
    Recovery,
}

/// How far the desk is.
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
pub enum ClaimState {
    /// Waits for the desk.
    #[sea_orm(string_value = "pending")]
    Pending,
    /// The desk has seen the identity card.
    #[sea_orm(string_value = "approved")]
    Approved,
    /// The desk said no, with a reason.
    #[sea_orm(string_value = "refused")]
    Refused,
    /// Another claim or a roster took its place.
    #[sea_orm(string_value = "withdrawn")]
    Withdrawn,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "residence_claim")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ResidenceClaimId,
    pub person_id: PersonId,
    pub village_id: DivisionId,
    pub name: Sealed,
    pub citizen_no: Sealed,
    pub citizen_no_hash: String,
    pub kind: ClaimKind,
    pub state: ClaimState,
    /// Of a recovery: the person who holds this citizen number already.
    pub holder_id: Option<PersonId>,
    pub reason: Option<String>,
    pub decided_by: Option<StaffId>,
    pub decided_at: Option<Instant>,
    pub created_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
