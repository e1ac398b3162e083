//! A file on its way in: what arrived of it so far. A day later it is forgotten, finished or not.

use sea_orm::entity::prelude::*;

use crate::{
    Instant,
    id::{FileId, UploadId},
    sealed::Sealed,
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "upload")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UploadId,
    /// A person's or a member of staff's id.
    pub owner: Uuid,
    /// What the caller names it, `X-Upload-Id`; of one that cannot be resumed a name of ours. Unique with `owner`.
    pub name: String,
    /// Bytes of the whole, once known.
    pub total: Option<i64>,
    /// Bytes that arrived.
    pub received: i64,
    /// JSON of `files::uploads::Block`s: where they lie, in order.
    #[sea_orm(column_type = "JsonBinary")]
    pub blocks: Json,
    /// The key the blocks are sealed with, itself sealed.
    pub key: Sealed,
    /// Of the client's file name, which is not kept, what stands behind the last dot.
    pub extension: Option<String>,
    /// The call that may add to it: the latest.
    pub writer: Option<Uuid>,
    /// What it became; of one that was refused, and is remembered for its bytes, the id of no file.
    pub file_id: Option<FileId>,
    pub created_at: Instant,
    /// When bytes last arrived, or a call began to bring some.
    pub touched_at: Instant,
    pub expires_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
