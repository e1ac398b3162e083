//! A villager under the minutes of a talk day.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Instant,
    id::{MinutesSignatureId, PersonId, StaffId, TalkMinutesId},
    sealed::Sealed,
};

/// How somebody signed.
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
pub enum SignatureMark {
    #[sea_orm(string_value = "handwritten")]
    Handwritten,
    /// 手印
    #[sea_orm(string_value = "fingerprint")]
    Fingerprint,
    /// 私章
    #[sea_orm(string_value = "seal")]
    Seal,
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "minutes_signature")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MinutesSignatureId,
    pub minutes_id: TalkMinutesId,
    pub person_id: PersonId,
    pub name: Sealed,
    pub mark: SignatureMark,
    /// Where the signed sheet is kept.
    pub reference: Option<String>,
    /// Digest of the document that was signed.
    pub digest: String,
    pub witnessed_by: StaffId,
    pub at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
