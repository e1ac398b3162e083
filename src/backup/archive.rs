//! The file that a backup is: a ZIP archive with a list of checksums as `sha256sum` writes it, and a sealed manifest.
//!
//! The manifest comes last and is sealed (HMAC-SHA-256) with the key of the audit: whoever changes a byte of the archive
//! or puts another list into it is found out before anything is restored. Next: [`super::make`], [`super::restore`].

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::BackupFault;
use crate::{
    clock::Instant,
    crypto::{FieldKeys, hex},
};

/// Of this shape of archives.
pub(super) const FORMAT: u32 = 1;
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
    /// Ids of the keys that its personal data is sealed with.
    pub field_keys: Vec<String>,
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

/// An archive that grows. What is not finished is removed.
pub(super) struct Growing {
    zip: ZipWriter<BufWriter<File>>,
    sums: String,
    unfinished: PathBuf,
    path: PathBuf,
}

impl Growing {
    /// Begins one that will be at `path`, where nothing may be. Only the owner may read it.
    pub(super) fn begin(path: &Path) -> Result<Self, BackupFault> {
        if path.exists() {
            return Err(BackupFault::InTheWay(path.to_owned()));
        }
        let unfinished = with_ending(path, ".part");
        let file = for_the_owner().create_new(true).open(&unfinished);
        let file = file.map_err(|fault| BackupFault::at(&unfinished, &fault))?;
        let zip = ZipWriter::new(BufWriter::with_capacity(1 << 20, file));
        Ok(Self { zip, sums: String::new(), unfinished, path: path.to_owned() })
    }

    /// Adds what `content` holds.
    pub(super) fn add(&mut self, name: &str, compress: bool, mut content: impl Read) -> Result<(), BackupFault> {
        self.start(name, compress)?;
        let mut hasher = Sha256::new();
        let mut block = vec![0; 1 << 18];
        loop {
            let read = content.read(&mut block)?;
            let Some(block) = block.get(..read).filter(|block| !block.is_empty()) else { break };
            hasher.update(block);
            self.zip.write_all(block)?;
        }
        let sum = hex(&hasher.finalize());
        self.sums.extend([sum.as_str(), "  ", name, "\n"]);
        Ok(())
    }

    /// Names of what is in it so far.
    pub(super) fn names(&self) -> Vec<String> {
        self.sums.lines().filter_map(|line| line.split_once("  ")).map(|(_, name)| name.to_owned()).collect()
    }

    /// Writes sums and manifest, and brings the archive to its place; what cannot be finished is taken away.
    pub(super) fn finish(self, manifest: Manifest, keys: &FieldKeys) -> Result<(), BackupFault> {
        let unfinished = self.unfinished.clone();
        self.close(manifest, keys).inspect_err(|_| drop(fs::remove_file(unfinished)))
    }

    fn close(mut self, mut manifest: Manifest, keys: &FieldKeys) -> Result<(), BackupFault> {
        let sums = std::mem::take(&mut self.sums);
        self.start(SUMS, true)?;
        self.zip.write_all(sums.as_bytes())?;
        manifest.sums = hex(&Sha256::digest(sums.as_bytes()));
        let seal = seal(&manifest, keys)?;
        self.start(MANIFEST, false)?;
        self.zip.write_all(&serde_json::to_vec_pretty(&Sealed { manifest, seal })?)?;
        let Self { zip, unfinished, path, .. } = self;
        let file = zip.finish()?.into_inner().map_err(|fault| BackupFault::at(&unfinished, fault.error()))?;
        file.sync_all()?;
        if path.exists() {
            return Err(BackupFault::InTheWay(path));
        }
        fs::rename(&unfinished, &path)?;
        // The name must last as well as what it names; elsewhere folders cannot be opened for it.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        #[cfg(unix)]
        File::open(folder)?.sync_all()?;
        Ok(())
    }

    /// Takes away what was not finished.
    pub(super) fn discard(self) {
        drop(self.zip);
        drop(fs::remove_file(&self.unfinished));
    }

    fn start(&mut self, name: &str, compress: bool) -> Result<(), BackupFault> {
        let method = if compress { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        let options = SimpleFileOptions::default().compression_method(method).large_file(true).unix_permissions(0o600);
        Ok(self.zip.start_file(name, options)?)
    }
}

/// An archive whose seal fits.
pub(super) struct Archive {
    zip: ZipArchive<File>,
    pub(super) manifest: Manifest,
    sums: BTreeMap<String, String>,
}

impl Archive {
    /// Opens one and believes it only when seal and list fit.
    pub(super) fn open(path: &Path, keys: &FieldKeys) -> Result<Self, BackupFault> {
        let file = File::open(path).map_err(|fault| BackupFault::at(path, &fault))?;
        let mut zip = ZipArchive::new(file)?;
        let sealed: Sealed = serde_json::from_slice(&whole(&mut zip, MANIFEST, MANIFEST_BYTES)?)?;
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
        let mut entry = self.zip.by_name(name).map_err(|_| damaged())?;
        let mut hasher = Sha256::new();
        let mut block = vec![0; 1 << 18];
        loop {
            let read = entry.read(&mut block).map_err(|_| damaged())?;
            let Some(block) = block.get(..read).filter(|block| !block.is_empty()) else { break };
            hasher.update(block);
            to.write_all(block)?;
        }
        if hex(&hasher.finalize()) == *expected { Ok(()) } else { Err(damaged()) }
    }
}

fn whole(zip: &mut ZipArchive<File>, name: &str, most: u64) -> Result<Vec<u8>, BackupFault> {
    let mut bytes = Vec::new();
    zip.by_name(name)?.take(most).read_to_end(&mut bytes).map_err(|_| BackupFault::Damaged(name.to_owned()))?;
    Ok(bytes)
}

fn seal(manifest: &Manifest, keys: &FieldKeys) -> Result<String, BackupFault> {
    Ok(keys.backup_seal(&serde_json::to_string(manifest)?)?)
}

/// How files are made that nobody else may read.
pub(super) fn for_the_owner() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// A path with something behind it.
pub(super) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
