//! Voice notes: kept as they were spoken, without what else was written into the file, and how long they last.
//!
//! No sound is decoded: each format is read as far as its frames, whose headers say how long they are. Tags (who, where,
//! with which phone) are left out or blanked. [`frames`] reads what is frames only (MP3, AAC, AMR), the others have a
//! container each.

mod frames;
mod mp4;
mod ogg;
mod wav;
mod webm;

use entity::file::FileKind;

use super::{Cleaned, Format, MAX_VOICE_MS};
use crate::problem::{Code, Problem};

/// What was read of a voice note.
struct Heard {
    media: &'static str,
    bytes: Vec<u8>,
    /// Microseconds.
    lasts_us: u64,
}

pub(super) fn clean(format: Format, bytes: Vec<u8>) -> Result<Cleaned, Problem> {
    let heard = match format {
        Format::Mp3 => frames::mp3(&bytes),
        Format::Aac => frames::aac(&bytes),
        Format::Amr => frames::amr(&bytes),
        Format::Wav => wav::read(&bytes),
        Format::Mp4 => mp4::read(bytes)?,
        Format::Ogg => ogg::read(&bytes)?,
        Format::Webm => webm::read(bytes)?,
        _ => None,
    };
    let heard = heard.filter(|heard| heard.lasts_us > 0).ok_or(Problem::new(Code::FileBroken))?;
    let lasts_ms = heard.lasts_us.div_ceil(1000);
    if lasts_ms > MAX_VOICE_MS {
        return Err(Code::VoiceTooLong.into());
    }
    Ok(Cleaned {
        kind: FileKind::Voice,
        media: heard.media,
        bytes: heard.bytes,
        small: None,
        duration_ms: Some(i32::try_from(lasts_ms).unwrap_or(i32::MAX)),
        size: None,
    })
}
