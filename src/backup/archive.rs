//! The file that a backup is: a ZIP archive with a list of checksums as `sha256sum` writes it, and a sealed manifest.
//!
//! The manifest comes last and is sealed (HMAC-SHA-256) with the key of the audit: whoever changes a byte of the archive
//! or puts another list into it is found out before anything is restored. What it holds is sealed by then: files as they
//! lie in their store, the database by [`super::database`]. Next: [`super::make`], [`super::restore`].

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::{BackupFault, beside::Unfinished};
use crate::{
    clock::Instant,
    crypto::{FieldKeys, hex},
};

/// Of this shape of archives.
pub(super) const FORMAT: u32 = 2;
const MANIFEST: &str = "manifest.json";
const SUMS: &str = "SHA256SUMS";
/// The largest list of sums that is read: some twenty million files.
const SUMS_BYTES: u64 = 2 << 30;
const MANIFEST_BYTES: u64 = 1 << 20;

/// What an archive says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Of archives; others are refused.
    pub format: u32,
    /// When the database was copied.
    pub made_at: Instant,
    /// Version of the program that made it.
    pub program: String,
    /// What the copy of the database is called.
    pub database: String,
    /// Steps of the schema that it has.
    pub migrations: Vec<String>,
    /// The last entry of the audit before the copy was made.
    pub audit: AuditEnd,
    /// Ids of the keys that its personal data and the next key are sealed with.
    pub field_keys: Vec<String>,
    /// The key that its copy of the database is sealed with.
    pub database_key: String,
    /// How many files of villagers and staff.
    pub files: u64,
    /// SHA-256 of the list of checksums.
    pub sums: String,
}

/// An entry of the audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditEnd {
    /// Its place in the chain; 0 when there is none.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    manifest: Manifest,
    seal: String,
}

/// As much of a manifest as those of every format have.
#[derive(Deserialize)]
struct Outline {
    manifest: Shape,
}

#[derive(Deserialize)]
struct Shape {
    format: u32,
}

/// An archive that is being written. What is not finished goes when it is dropped.
pub(super) struct ArchiveWriter {
    zip: ZipWriter<BufWriter<File>>,
    sums: String,
    unfinished: Unfinished,
    path: PathBuf,
}

impl ArchiveWriter {
    /// Begins one that will be at `path`, where nothing may be. Only the owner may read it.
    pub(super) fn begin(path: &Path) -> Result<Self, BackupFault> {
        if path.exists() {
            return Err(BackupFault::InTheWay(path.to_owned()));
        }
        let unfinished = Unfinished::begin(path)?;
        let zip = ZipWriter::new(BufWriter::with_capacity(1 << 20, unfinished.file()?));
        Ok(Self { zip, sums: String::new(), unfinished, path: path.to_owned() })
    }

    /// Adds what `content` holds.
    pub(super) fn add(&mut self, name: &str, compress: bool, content: impl Read) -> Result<(), BackupFault> {
        self.start(name, compress)?;
        let sum = copy_hashed(content, &mut self.zip).map_err(|(_, fault)| fault)?;
        self.sums.extend([sum.as_str(), "  ", name, "\n"]);
        Ok(())
    }

    /// Names of what is in it so far.
    pub(super) fn names(&self) -> Vec<String> {
        self.sums.lines().filter_map(|line| line.split_once("  ")).map(|(_, name)| name.to_owned()).collect()
    }

    /// Writes sums and manifest, and brings the archive to its place.
    pub(super) fn finish(mut self, mut manifest: Manifest, keys: &FieldKeys) -> Result<(), BackupFault> {
        let sums = std::mem::take(&mut self.sums);
        self.start(SUMS, true)?;
        self.zip.write_all(sums.as_bytes())?;
        manifest.sums = hex(&Sha256::digest(sums.as_bytes()));
        let seal = seal(&manifest, keys)?;
        self.start(MANIFEST, false)?;
        serde_json::to_writer_pretty(&mut self.zip, &Sealed { manifest, seal }).map_err(io::Error::from)?;
        let Self { zip, unfinished, path, .. } = self;
        let file = zip.finish().map_err(io::Error::from)?;
        let file = file.into_inner().map_err(|fault| BackupFault::at(unfinished.path(), fault.error()))?;
        file.sync_all()?;
        unfinished.bring_to(&path)
    }

    fn start(&mut self, name: &str, compress: bool) -> Result<(), BackupFault> {
        let method = if compress { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        let options = SimpleFileOptions::default().compression_method(method).large_file(true).unix_permissions(0o600);
        Ok(self.zip.start_file(name, options).map_err(io::Error::from)?)
    }
}

/// An archive to read, whose seal fits.
pub(super) struct ArchiveReader {
    zip: ZipArchive<File>,
    pub(super) manifest: Manifest,
    sums: BTreeMap<String, String>,
}

impl ArchiveReader {
    /// Opens one and believes it only when seal and list fit.
    pub(super) fn open(path: &Path, keys: &FieldKeys) -> Result<Self, BackupFault> {
        let file = File::open(path).map_err(|fault| BackupFault::at(path, &fault))?;
        let mut zip = ZipArchive::new(file).map_err(BackupFault::NotAnArchive)?;
        let sealed = manifest_of(&whole(&mut zip, MANIFEST, MANIFEST_BYTES)?)?;
        let fits: bool = seal(&sealed.manifest, keys)?.as_bytes().ct_eq(sealed.seal.as_bytes()).into();
        if !fits {
            return Err(BackupFault::Seal);
        }
        let list = whole(&mut zip, SUMS, SUMS_BYTES)?;
        if hex(&Sha256::digest(&list)) != sealed.manifest.sums {
            return Err(BackupFault::Damaged(SUMS.to_owned()));
        }
        let list = String::from_utf8(list).map_err(|_| BackupFault::Damaged(SUMS.to_owned()))?;
        let sums = list.lines().filter_map(|line| line.split_once("  "));
        let sums = sums.map(|(sum, name)| (name.to_owned(), sum.to_owned())).collect();
        Ok(Self { zip, manifest: sealed.manifest, sums })
    }

    /// Names of everything that was saved, in order.
    pub(super) fn names(&self) -> Vec<String> {
        self.sums.keys().cloned().collect()
    }

    /// Reads everything and compares its checksums.
    pub(super) fn prove(&mut self) -> Result<(), BackupFault> {
        self.names().iter().try_for_each(|name| self.copy(name, &mut io::sink()))
    }

    /// Writes one thing out; an error when it is not what was saved.
    pub(super) fn copy(&mut self, name: &str, to: &mut impl Write) -> Result<(), BackupFault> {
        let damaged = || BackupFault::Damaged(name.to_owned());
        let expected = self.sums.get(name).ok_or_else(damaged)?;
        let entry = self.zip.by_name(name).map_err(|_| damaged())?;
        let sum = copy_hashed(entry, to).map_err(|(side, fault)| match side {
            Side::Reading => damaged(),
            Side::Writing => fault.into(),
        })?;
        if sum == *expected { Ok(()) } else { Err(damaged()) }
    }
}

/// Where copying failed.
enum Side {
    Reading,
    Writing,
}

/// Copies all of it; its SHA-256 in hexadecimal.
fn copy_hashed(mut from: impl Read, to: &mut impl Write) -> Result<String, (Side, io::Error)> {
    let mut hasher = Sha256::new();
    let mut block = vec![0; 1 << 18];
    loop {
        let read = from.read(&mut block).map_err(|fault| (Side::Reading, fault))?;
        let Some(block) = block.get(..read).filter(|block| !block.is_empty()) else { break };
        hasher.update(block);
        to.write_all(block).map_err(|fault| (Side::Writing, fault))?;
    }
    Ok(hex(&hasher.finalize()))
}

fn whole(zip: &mut ZipArchive<File>, name: &str, most: u64) -> Result<Vec<u8>, BackupFault> {
    let mut bytes = Vec::new();
    let entry = zip.by_name(name).map_err(BackupFault::NotAnArchive)?;
    entry.take(most).read_to_end(&mut bytes).map_err(|_| BackupFault::Damaged(name.to_owned()))?;
    Ok(bytes)
}

/// Reads a manifest; one of another format has other members, and is named for what it is.
fn manifest_of(bytes: &[u8]) -> Result<Sealed, BackupFault> {
    let outline: Outline = serde_json::from_slice(bytes).map_err(BackupFault::Manifest)?;
    match outline.manifest.format {
        FORMAT => serde_json::from_slice(bytes).map_err(BackupFault::Manifest),
        other => Err(BackupFault::Format(other)),
    }
}

fn seal(manifest: &Manifest, keys: &FieldKeys) -> Result<String, BackupFault> {
    let text = serde_json::to_string(manifest).map_err(BackupFault::Manifest)?;
    Ok(keys.backup_seal(&text)?)
}
