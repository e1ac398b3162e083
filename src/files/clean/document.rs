//! Documents: PDF, kept as they are and served to be saved, not shown.
//!
//! Since nothing of it is written anew, one that does more than show its pages is not taken in: that runs something, opens
//! something, or carries another file. What tells are names in its dictionaries; those that are packed into object streams
//! (ISO 32000-1, 7.5.7) are not unpacked and not found.

use entity::file::FileKind;

use super::{Cleaned, second_kind::find};
use crate::problem::{Code, Problem};

/// A PDF says at its end that it is one, with little behind it.
const LOOKED_THROUGH: usize = 1024;
/// Names of what does more than show pages (ISO 32000-1, 12.6.4.5, 12.6.4.16, 7.11.4, 12.7.8; Adobe's extension level 3).
const DOES_MORE: [&[u8]; 5] = [b"JavaScript", b"Launch", b"EmbeddedFile", b"RichMedia", b"XFA"];
/// Letters of the longest of them.
const LONGEST: usize = 12;

pub(super) fn clean(bytes: Vec<u8>) -> Result<Cleaned, Problem> {
    let tail = bytes.get(bytes.len().saturating_sub(LOOKED_THROUGH)..).unwrap_or_default();
    let version = bytes.get(5..7).unwrap_or_default();
    let sound = find(tail, b"%%EOF") && (version == b"1." || version == b"2.");
    // Where to begin reading: without it no reader opens the file.
    if !sound || !find(tail, b"startxref") {
        return Err(Code::FileBroken.into());
    }
    if does_more(&bytes) {
        return Err(Code::FileTwoKinds.into());
    }
    Ok(Cleaned {
        kind: FileKind::Document,
        media: "application/pdf",
        bytes,
        small: None,
        duration_ms: None,
        size: None,
    })
}

/// Whether one of the names stands in it. Also within streams, since a table of objects may point there; only `JS` is too
/// short for that: among the compressed bytes of a large scan it stands by chance, and it seldom comes without `JavaScript`.
fn does_more(bytes: &[u8]) -> bool {
    let mut in_stream = false;
    bytes.iter().enumerate().any(|(at, byte)| {
        let here = bytes.get(at..).unwrap_or_default();
        match byte {
            b's' if here.starts_with(b"stream") => {
                let ends = bytes.get(..at).is_some_and(|before| before.ends_with(b"end"));
                in_stream = !ends && (in_stream || matches!(here.get(6), Some(b'\r' | b'\n')));
                false
            }
            b'/' => {
                let name = name_at(here.get(1..).unwrap_or_default());
                DOES_MORE.iter().any(|known| name == *known) || (!in_stream && name == b"JS")
            }
            _ => false,
        }
    })
}

/// The name that stands here, without its slash; `#4a` is the letter it means (ISO 32000-1, 7.3.5). Of a long one the
/// beginning.
fn name_at(bytes: &[u8]) -> Vec<u8> {
    let (mut name, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at).filter(|byte| name.len() <= LONGEST && !ends_name(**byte)) {
        let meant = if *byte == b'#' { letter_at(bytes, at + 1) } else { None };
        name.push(meant.unwrap_or(*byte));
        at += if meant.is_some() { 3 } else { 1 };
    }
    name
}

/// A letter that is written as two hexadecimal digits.
fn letter_at(bytes: &[u8], at: usize) -> Option<u8> {
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
    u8::try_from(digit(at)? << 4 | digit(at + 1)?).ok()
}

/// White space and delimiters.
fn ends_name(byte: u8) -> bool {
    matches!(byte, 0 | 9 | 10 | 12 | 13 | b' ' | b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}
