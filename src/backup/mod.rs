//! Everything in one file while servers go on serving, and back into an empty place.
//!
//! A backup holds the database as it stood at one moment, sealed whole, and the files of villagers and staff, sealed as
//! they lie in the store; without the field keys of the configuration neither can be read, so keys are kept elsewhere.
//! What is restored is proved by checksums, by the engine, and by the chain of the audit. Next: [`make`], [`restore`],
//! and for the drill `src/guide/backup.md`.

mod archive;
mod beside;
mod database;
mod files;
mod make;
mod restore;
mod since;

use std::{
    io,
    path::{Path, PathBuf},
};

pub use self::{
    archive::{AuditEnd, Manifest},
    make::{Made, make},
    restore::{Restored, restore},
};
use crate::{audit::verify::Broken, problem::Problem};

/// Why a backup could not be made or restored. Nothing is half-done then.
#[derive(Debug, thiserror::Error)]
pub enum BackupFault {
    /// A backup never replaces a file.
    #[error("{0} is there already; a backup overwrites nothing")]
    InTheWay(PathBuf),
    /// Another backup holds the name.
    #[error("{0} is being written by another backup; wait until it is done, or take another name")]
    BeingWritten(PathBuf),
    /// Reading or writing a file.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// Reading or writing a file whose name says nothing, such as the archive that is being written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is no archive of ours, or it is cut short.
    #[error("not a backup, or cut short: {0}")]
    NotAnArchive(zip::result::ZipError),
    /// The manifest cannot be read.
    #[error("not a backup of this program: {0}")]
    Manifest(serde_json::Error),
    /// It was changed, or made where another key of the audit is used.
    #[error("the seal does not fit: the backup was changed, or crypto.audit_key is not that of where it was made")]
    Seal,
    /// A checksum does not fit.
    #[error("{0} is damaged in this backup; take another one")]
    Damaged(String),
    /// Archives of another shape.
    #[error(
        "the backup has format {0}, this program reads format 2; restore it with the version that made it, then update"
    )]
    Format(u32),
    /// `SQLite` into `PostgreSQL` or the other way.
    #[error("the backup holds {0}, and database.url names the other engine")]
    OtherEngine(String),
    /// Values could not be opened after restoring.
    #[error("crypto.field_keys lacks {0}, which this backup or personal data in it is sealed with; put it back first")]
    KeyMissing(String),
    /// The id is there, the key is another.
    #[error("crypto.field_keys holds, by the id of the key that sealed this backup, a key that is not that of then")]
    OtherKey,
    /// The schema is younger than the program.
    #[error(
        "the backup has schema steps that this program does not know ({0}); use the version that made it, or later"
    )]
    Younger(String),
    /// There is something already.
    #[error("{0} is not empty; a backup is restored into an empty place only")]
    NotEmpty(&'static str),
    /// The database's own tools, in words.
    #[error("database: {0}")]
    Database(String),
    /// The store of files, in words.
    #[error("files: {0}")]
    Store(String),
    /// The chain of the audit, as it was restored.
    #[error("the audit of this backup is not whole: {0}")]
    Audit(Broken),
    /// The audit ends before the entry that the manifest names.
    #[error("the audit of this backup lacks entry {0}, which was there when it was made")]
    AuditCut(i64),
    /// `PostgreSQL` took the copy, and then it did not prove whole.
    #[error("the database was restored and must not be served: {0}; empty it and take another backup")]
    NotToBeUsed(Box<Self>),
    /// Anything else.
    #[error("{0}")]
    Other(String),
    /// Statements of our own.
    #[error("database: {0}")]
    Statement(#[from] sea_orm::DbErr),
}

impl From<Problem> for BackupFault {
    fn from(problem: Problem) -> Self {
        Self::Other(problem.source_text().unwrap_or(problem.code().slug()).to_owned())
    }
}

impl BackupFault {
    fn at(path: &Path, fault: &io::Error) -> Self {
        Self::File(path.to_owned(), io::Error::new(fault.kind(), fault.to_string()))
    }
}
