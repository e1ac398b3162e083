//! Documents: PDF, kept as they are and served to be saved, not shown.

use entity::file::FileKind;

use super::{Cleaned, second_kind::find};
use crate::problem::{Code, Problem};

/// A PDF says at its end that it is one, with little behind it.
const LOOKED_THROUGH: usize = 1024;

pub(super) fn clean(bytes: Vec<u8>) -> Result<Cleaned, Problem> {
    let tail = bytes.get(bytes.len().saturating_sub(LOOKED_THROUGH)..).unwrap_or_default();
    let version = bytes.get(5..7).unwrap_or_default();
    let sound = find(tail, b"%%EOF") && (version == b"1." || version == b"2.");
    // Where to begin reading: without it no reader opens the file.
    if !sound || !find(tail, b"startxref") {
        return Err(Code::FileBroken.into());
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
