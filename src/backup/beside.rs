//! What lies beside an archive while it is made: the archive itself, unfinished, and an open copy of the database.
//!
//! A backup that was killed leaves both. The next one in that folder takes them away, once the lock on the unfinished
//! archive has told it that nobody writes there any more; whoever holds that lock, and nobody else, may empty, rename or
//! remove what is named so. Next: [`super::archive`] for what is written into it.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
};

use uuid::Uuid;

use super::BackupFault;

/// Of an unfinished archive.
const PART: &str = ".part";
/// Of a copy of the database.
const COPY: &str = ".database";
/// What an engine adds to the name of a copy that it writes.
const JOURNAL: &str = "-journal";

/// An archive that is not at its place yet, held against other backups. It goes when it is dropped before it is there.
pub(super) struct Unfinished {
    held: File,
    path: PathBuf,
    in_place: bool,
}

impl Unfinished {
    /// Takes hold of the name for what will be at `target`, and takes away what killed backups left in its folder.
    pub(super) fn begin(target: &Path) -> Result<Self, BackupFault> {
        let unfinished = Self::hold(with_ending(target, PART))?;
        unfinished.empty().map_err(|fault| BackupFault::at(&unfinished.path, &fault))?;
        remove_copies(target)?;
        Ok(unfinished)
    }

    /// Takes hold of a name that nobody writes to; what was left there stays as it is.
    fn hold(path: PathBuf) -> Result<Self, BackupFault> {
        let held = for_the_owner().create(true).truncate(false).open(&path);
        let held = held.map_err(|fault| BackupFault::at(&path, &fault))?;
        match held.try_lock() {
            Ok(()) if is_named(&held, &path) => Ok(Self { held, path, in_place: false }),
            Ok(()) | Err(TryLockError::WouldBlock) => Err(BackupFault::BeingWritten(path)),
            Err(TryLockError::Error(fault)) => Err(BackupFault::at(&path, &fault)),
        }
    }

    /// What is written into.
    pub(super) fn file(&self) -> io::Result<File> {
        self.held.try_clone()
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Brings it to its place, where nothing may be.
    pub(super) fn bring_to(mut self, target: &Path) -> Result<(), BackupFault> {
        if target.exists() {
            return Err(BackupFault::InTheWay(target.to_owned()));
        }
        fs::rename(&self.path, target)?;
        self.in_place = true;
        // The name must last as well as what it names; elsewhere folders cannot be opened for it.
        #[cfg(unix)]
        File::open(folder_of(target))?.sync_all()?;
        Ok(())
    }

    fn empty(&self) -> io::Result<()> {
        self.held.set_len(0)?;
        // What lay there may have been for others to read. Where a disk knows no owners, there is nothing to set.
        #[cfg(unix)]
        drop(self.held.set_permissions(<fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600)));
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // While it is still held: a moment later the name may be another backup's.
        if !self.in_place {
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Whether the name still leads to this file: whoever held it before may have brought it to its place meanwhile.
#[cfg(unix)]
fn is_named(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(held), Ok(named)) => (held.dev(), held.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_named(_: &File, path: &Path) -> bool {
    path.exists()
}

/// A name for a copy of the database, until it is in the archive.
pub(super) fn copy_beside(target: &Path) -> PathBuf {
    with_ending(target, &format!(".{}{COPY}", Uuid::now_v7()))
}

/// Takes away copies in the folder of `target`, whose name is held, that nobody makes any more: they lie open. With a
/// copy for another archive goes what was left of that.
fn remove_copies(target: &Path) -> Result<(), BackupFault> {
    let folder = folder_of(target);
    let entries = fs::read_dir(folder).map_err(|fault| BackupFault::at(folder, &fault))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(archive) = archive_of(&name) else { continue };
        let own = target.file_name() == Some(OsStr::new(archive));
        if (own || Unfinished::hold(folder.join(format!("{archive}{PART}"))).is_ok())
            && let Err(fault) = fs::remove_file(entry.path())
        {
            let copy = entry.path();
            tracing::warn!(file = %copy.display(), error = %fault, "what a killed backup left could not be removed");
        }
    }
    Ok(())
}

/// The name of the archive that a copy of the database was made for.
fn archive_of(copy: &OsStr) -> Option<&str> {
    let name = copy.to_str()?;
    let (archive, id) = name.strip_suffix(JOURNAL).unwrap_or(name).strip_suffix(COPY)?.rsplit_once('.')?;
    (!archive.is_empty() && Uuid::try_parse(id).is_ok()).then_some(archive)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_goes_and_what_others_write_stays() {
        let folder = tempfile::TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        let (target, part, id) = (at("a.zip"), at("a.zip.part"), Uuid::now_v7());
        let written = Unfinished::begin(&at("b.zip")).unwrap();
        let left = [
            at(&format!("a.zip.{id}.database")),
            at(&format!("a.zip.{id}.database-journal")),
            at(&format!("c.zip.{id}.database")),
            at("c.zip.part"),
            at(&format!("d.zip.{id}.database")),
        ];
        let others = [at(&format!("b.zip.{id}.database")), at("a.zip.mine.database"), at("e.zip.part"), at("a.zip.2")];
        for path in left.iter().chain(&others).chain([&part]) {
            fs::write(path, "left").unwrap();
        }
        let held = Unfinished::begin(&target).unwrap();
        assert_eq!(fs::read(&part).unwrap(), b"", "it begins anew");
        assert_eq!(left.iter().find(|path| path.exists()), None);
        assert_eq!(others.iter().find(|path| !path.exists()), None);
        assert!(written.path().exists());
        assert!(!at("d.zip.part").exists(), "looking leaves nothing behind");
        assert!(matches!(Unfinished::begin(&target), Err(BackupFault::BeingWritten(_))));
        assert!(part.exists(), "whoever was refused takes nothing away");
        drop(held);
        assert!(!part.exists(), "what was not finished");
        Unfinished::begin(&target).unwrap().bring_to(&target).unwrap();
        assert_eq!((target.exists(), part.exists()), (true, false));
        let late = Unfinished::begin(&target).unwrap();
        assert!(matches!(late.bring_to(&target), Err(BackupFault::InTheWay(_))));
        assert_eq!((target.exists(), part.exists()), (true, false));
    }
}
