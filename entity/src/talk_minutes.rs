//! The minutes of a talk day: a document that two villagers sign, and what is published of it.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{StaffId, TalkDayId, TalkMinutesId},
    sealed::Sealed,
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "talk_minutes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TalkMinutesId,
    #[sea_orm(unique)]
    pub talk_day_id: TalkDayId,
    /// The whole of it, JSON.
    pub document: Sealed,
    /// SHA-256 of the document, in hex: what a signature stands under.
    pub digest: String,
    /// What everybody may read.
    #[sea_orm(column_type = "JsonBinary")]
    pub public_document: Json,
    pub compiled_by: StaffId,
    pub compiled_at: Instant,
    /// The third working day after the talk day.
    pub due_on: Date,
    pub signed_at: Option<Instant>,
    pub published_at: Option<Instant>,
    pub published_by: Option<StaffId>,
    pub version: i32,
}

impl ActiveModelBehavior for ActiveModel {}
