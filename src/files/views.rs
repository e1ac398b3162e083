//! What a file looks like from outside.

use entity::{
    file::{self, FileKind},
    id::FileId,
};
use serde::Serialize;
use utoipa::ToSchema;

/// A file.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FileView {
    /// Of `GET /files/{id}`, `/staff/files/{id}`.
    id: FileId,
    kind: FileKind,
    /// Of what is kept and served.
    bytes: i64,
    /// Of what is kept and served, hexadecimal.
    #[schema(min_length = 64, max_length = 64)]
    sha256: String,
    /// Milliseconds of a voice note; left out for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<i32>,
    /// Pixels of a photo; left out for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<i32>,
    /// Pixels of a photo; left out for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<i32>,
}

impl FileView {
    /// Of its row.
    #[must_use]
    pub fn of(row: &file::Model) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            bytes: row.bytes,
            sha256: row.sha256.clone(),
            duration_ms: row.duration_ms,
            width: row.width,
            height: row.height,
        }
    }
}

/// How far a file has come.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UploadView {
    /// Bytes that arrived; the next part begins here. `Upload-Offset` says the same.
    received: u64,
    /// Bytes of the whole, once a part has said so.
    total: Option<u64>,
    /// What it became, once it is whole.
    file: Option<FileId>,
}

impl UploadView {
    /// Of what arrived.
    #[must_use]
    pub fn of(received: u64, total: Option<u64>, file: Option<FileId>) -> Self {
        Self { received, total, file }
    }
}

/// An address that players open without signing in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FileLink {
    /// Good for whoever has it, until it ends. Where neither `files.public_url` nor a trusted proxy says how the outside
    /// reaches the server it begins with `/media/` and is read by the address of the call.
    pub(super) url: String,
    /// When it ends: ten minutes from now.
    pub(super) expires_at: chrono::DateTime<chrono::Utc>,
}
