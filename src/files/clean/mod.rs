//! What comes in is looked at and written anew: only what people meant to show is kept.
//!
//! [`format`] says what bytes are, whatever they are called; [`photo`] decodes within limits and encodes without metadata,
//! [`voice`] keeps frames of sound and how long they last, [`document`] looks a PDF over; [`second_kind`] refuses what is
//! two things at once. All of it is pure: bytes in, bytes out.

mod document;
mod format;
mod photo;
mod second_kind;
mod voice;

pub use format::{Early, Format};

use entity::file::FileKind;

use crate::problem::{Code, Problem};

/// Bytes of the largest photo.
pub const MAX_PHOTO: usize = 10 * 1024 * 1024;
/// Bytes of the largest document.
pub const MAX_DOCUMENT: usize = 20 * 1024 * 1024;
/// Bytes of the largest voice note.
pub const MAX_VOICE: usize = 10 * 1024 * 1024;
/// Bytes of the largest file of any kind.
pub const MAX_FILE: usize = MAX_DOCUMENT;
/// Milliseconds of the longest voice note.
pub const MAX_VOICE_MS: u64 = 10 * 60 * 1000;

/// What is kept.
#[derive(Debug)]
pub struct Cleaned {
    /// What it is.
    pub kind: FileKind,
    /// Media type of `bytes`.
    pub media: &'static str,
    /// To be kept.
    pub bytes: Vec<u8>,
    /// Of a photo a small one, JPEG.
    pub small: Option<Vec<u8>>,
    /// Of a voice note.
    pub duration_ms: Option<i32>,
    /// Of a photo: width and height in pixels.
    pub size: Option<(i32, i32)>,
}

/// Looks a whole file over and makes of it what is kept; `extension` is what stood behind the dot of its name.
pub fn clean(bytes: Vec<u8>, extension: Option<&str>) -> Result<Cleaned, Problem> {
    if bytes.is_empty() {
        return Err(Code::FileEmpty.into());
    }
    let format = Format::of(&bytes).ok_or(Problem::new(Code::FileKindUnsupported))?;
    if bytes.len() > format.most() {
        return Err(Code::FileTooLarge.into());
    }
    if extension.is_some_and(|extension| !format.fits(extension)) {
        return Err(Code::FileNameDiffers.into());
    }
    second_kind::refuse(format, &bytes)?;
    if second_kind::is_cut_off(format, &bytes) {
        return Err(Code::FileBroken.into());
    }
    match format.kind() {
        FileKind::Photo => photo::clean(format, &bytes),
        FileKind::Voice => voice::clean(format, bytes),
        FileKind::Document => document::clean(bytes),
    }
}

/// Bytes at a place, if they are there.
fn take(bytes: &[u8], at: usize, many: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(many)?)
}

/// A number of so many bytes, most significant first.
fn number(bytes: &[u8], at: usize, many: usize) -> Option<u64> {
    Some(take(bytes, at, many)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

/// A number of so many bytes, least significant first.
fn number_le(bytes: &[u8], at: usize, many: usize) -> Option<u64> {
    Some(take(bytes, at, many)?.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A beginning of each format, so that more than the look at the first bytes is tried.
    const STARTS: [&[u8]; 14] = [
        b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"GIF89a\x01\x00\x01\x00\x80",
        b"RIFF\x40\x00\x00\x00WEBPVP8 ",
        b"BM\x40\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00",
        b"%PDF-1.4\n",
        b"ID3\x03\x00\x00\x00\x00\x00\x08",
        b"\xff\xfb\x90\x64",
        b"\xff\xf1\x50\x80",
        b"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00M4A isom\x00\x00\x00\x30moov",
        b"#!AMR\n",
        b"OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x13OpusHead",
        b"\x1a\x45\xdf\xa3\x84\x42\x82\x81w\x18\x53\x80\x67",
        b"RIFF\x40\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

        #[test]
        fn whatever_comes_in_nothing_panics(start in 0..STARTS.len(), rest in prop::collection::vec(any::<u8>(), 0..600)) {
            let mut bytes = STARTS[start].to_vec();
            bytes.extend(&rest);
            let _ = clean(bytes, None);
            let _ = clean(rest, Some("jpg"));
        }
    }
}
