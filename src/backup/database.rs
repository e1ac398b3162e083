//! The copy of the database as it lies in an archive: packed, then sealed.
//!
//! What villagers told and what they were answered stands in a database in plain words, so the copy is sealed as files
//! are ([`crate::files::sealing`]), under a key of its own that the field keys close. It is sealed in pieces, and never
//! more of it is in memory than one: a piece is bound to its number, and only the last is shorter than the others, so
//! that none can be moved, left out or cut off. Next: [`super::make`], [`super::restore`].

use std::{
    fs::File,
    io::{self, BufReader, Cursor, Read, Write},
};

use entity::sealed::Sealed;
use flate2::{Compression, bufread::DeflateEncoder, write::DeflateDecoder};

use super::{
    BackupFault, Manifest,
    archive::{ArchiveReader, ArchiveWriter},
};
use crate::{
    crypto::FieldKeys,
    db::Place,
    files::sealing::{self, FileKey, SEGMENT},
};

/// Plain bytes of a piece.
const PIECE: usize = SEGMENT;
/// What sealing makes of it: the tag of AES-GCM is added.
const SEALED: usize = PIECE + 16;
/// Bytes of the copy that are read at a time.
const BLOCK: usize = 1 << 18;

/// What it is called in an archive.
fn entry(copy: &str) -> String {
    format!("{copy}.sealed")
}

/// The key that the copy is sealed with.
pub(super) fn key(manifest: &Manifest, keys: &FieldKeys) -> Result<FileKey, BackupFault> {
    FileKey::open(keys, &Sealed(manifest.database_key.clone())).map_err(|_| BackupFault::OtherKey)
}

/// Adds a copy.
pub(super) fn add(archive: &mut ArchiveWriter, place: &Place, copy: File, key: &FileKey) -> Result<(), BackupFault> {
    let packing = match place {
        Place::Sqlite(_) => Compression::default(),
        // The custom format of pg_dump is packed as it is.
        Place::Postgres { .. } => Compression::none(),
    };
    let name = entry(place.name_of_copy());
    let packed = DeflateEncoder::new(BufReader::with_capacity(BLOCK, copy), packing);
    archive.add(&name, false, Sealing::new(packed, key, &name))
}

/// Writes the copy out as it was.
pub(super) fn bring_back(archive: &mut ArchiveReader, key: &FileKey, to: File) -> Result<File, BackupFault> {
    let name = entry(&archive.manifest.database);
    let mut opening = Opening::new(DeflateDecoder::new(to), key, &name);
    archive.copy(&name, &mut opening)?;
    Ok(opening.finish()?.finish()?)
}

/// The pieces of a copy, one after another.
struct Pieces {
    key: FileKey,
    name: String,
    at: u64,
}

impl Pieces {
    fn new(key: &FileKey, name: &str) -> Self {
        Self { key: key.clone(), name: name.to_owned(), at: 0 }
    }

    fn seal(&mut self, plain: &[u8]) -> io::Result<Vec<u8>> {
        let name = self.name_of_next();
        sealing::seal(&self.key, &name, plain)
            .map_err(|_| io::Error::other("the copy of the database could not be sealed"))
    }

    fn open(&mut self, sealed: &[u8]) -> io::Result<Vec<u8>> {
        let name = self.name_of_next();
        sealing::open(&self.key, &name, sealed)
            .map_err(|_| io::Error::other("the copy of the database does not open: it is not what was sealed"))
    }

    fn name_of_next(&mut self) -> String {
        let name = format!("{}/{}", self.name, self.at);
        self.at += 1;
        name
    }
}

/// Reads what another reader gives, sealed.
struct Sealing<R> {
    from: R,
    pieces: Pieces,
    sealed: Cursor<Vec<u8>>,
    ended: bool,
}

impl<R: Read> Sealing<R> {
    fn new(from: R, key: &FileKey, name: &str) -> Self {
        Self { from, pieces: Pieces::new(key, name), sealed: Cursor::default(), ended: false }
    }
}

impl<R: Read> Read for Sealing<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.sealed.read(to)?;
        if read > 0 || self.ended || to.is_empty() {
            return Ok(read);
        }
        let mut plain = Vec::with_capacity(PIECE);
        self.from.by_ref().take(PIECE as u64).read_to_end(&mut plain)?;
        // The last piece is a short one, be it of nothing at all.
        self.ended = plain.len() < PIECE;
        self.sealed = Cursor::new(self.pieces.seal(&plain)?);
        self.sealed.read(to)
    }
}

/// Writes what is written to it into another writer, opened.
struct Opening<W> {
    to: W,
    pieces: Pieces,
    sealed: Vec<u8>,
}

impl<W: Write> Opening<W> {
    fn new(to: W, key: &FileKey, name: &str) -> Self {
        Self { to, pieces: Pieces::new(key, name), sealed: Vec::with_capacity(SEALED) }
    }

    fn open_piece(&mut self) -> io::Result<()> {
        let plain = self.pieces.open(&self.sealed)?;
        self.sealed.clear();
        self.to.write_all(&plain)
    }

    /// Opens the last piece, which is there and short unless something was cut off.
    fn finish(mut self) -> io::Result<W> {
        self.open_piece()?;
        Ok(self.to)
    }
}

impl<W: Write> Write for Opening<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (taken, _) = bytes.split_at(bytes.len().min(SEALED - self.sealed.len()));
        self.sealed.extend_from_slice(taken);
        if self.sealed.len() == SEALED {
            self.open_piece()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(plain: &[u8], key: &FileKey) -> Vec<u8> {
        let mut sealed = Vec::new();
        Sealing::new(plain, key, "copy").read_to_end(&mut sealed).unwrap();
        sealed
    }

    /// In blocks that do not fit the pieces.
    fn opened(sealed: &[u8], key: &FileKey) -> io::Result<Vec<u8>> {
        let mut opening = Opening::new(Vec::new(), key, "copy");
        for block in sealed.chunks(10_007) {
            opening.write_all(block)?;
        }
        opening.finish()
    }

    #[test]
    fn what_is_sealed_opens_and_nothing_can_be_moved_cut_added_or_changed() {
        let key = FileKey::fresh();
        for bytes in [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 7] {
            let plain: Vec<u8> = (0..bytes).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect();
            let whole = sealed(&plain, &key);
            assert_eq!(opened(&whole, &key).unwrap(), plain);
            assert!(opened(&whole, &FileKey::fresh()).is_err(), "another key");
            let pieces: Vec<&[u8]> = whole.chunks(SEALED).collect();
            assert_eq!(pieces.len(), bytes / PIECE + 1, "the last is shorter");
            for at in 0..pieces.len() {
                let mut fewer = pieces.clone();
                fewer.remove(at);
                assert!(opened(&fewer.concat(), &key).is_err(), "without piece {at} of {bytes} bytes");
                let mut changed = whole.clone();
                changed[at * SEALED] ^= 1;
                assert!(opened(&changed, &key).is_err(), "a changed byte");
            }
            if pieces.len() > 2 {
                let mut moved = pieces.clone();
                moved.swap(0, 1);
                assert!(opened(&moved.concat(), &key).is_err(), "moved");
            }
            assert!(opened(&whole[..whole.len() - 1], &key).is_err(), "cut");
            assert!(opened(&[whole.as_slice(), &[0]].concat(), &key).is_err(), "added");
        }
    }
}
