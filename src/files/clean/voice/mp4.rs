//! Sound in a container of MP4 (ISO 14496-12): m4a, what phones record.
//!
//! The boxes stay where they are, since the table of samples counts bytes from the beginning; those that hold tags are
//! made free space and blanked. How long it lasts is summed over the samples, since a header may claim anything.

use super::Heard;
use crate::{
    files::clean::{number, take},
    problem::{Code, Problem},
};

/// Boxes that hold other boxes.
const HOLDS: [&[u8; 4]; 5] = [b"moov", b"trak", b"mdia", b"minf", b"stbl"];
/// Boxes that play no part in playing.
const BLANKED: [&[u8; 4]; 6] = [b"udta", b"meta", b"uuid", b"free", b"skip", b"wide"];
/// Boxes within boxes.
const DEEPEST: usize = 8;

#[derive(Default)]
struct Track {
    sound: bool,
    picture: bool,
    /// Ticks a second.
    scale: u64,
    /// Ticks of all samples.
    ticks: u64,
}

#[derive(Default)]
struct Found {
    tracks: Vec<Track>,
    /// Where boxes are to be blanked: the beginning of the box, of its content, its end.
    blanked: Vec<(usize, usize, usize)>,
    fragments: bool,
}

pub(super) fn read(mut bytes: Vec<u8>) -> Result<Option<Heard>, Problem> {
    let mut found = Found::default();
    if walk(&bytes, 0, bytes.len(), DEEPEST, &mut found).is_none() {
        return Ok(None);
    }
    // A film, or one that is still being written, is no voice note.
    if found.fragments || found.tracks.iter().any(|track| track.picture) {
        return Err(Code::FileKindUnsupported.into());
    }
    for (start, content, end) in found.blanked {
        if let Some(name) = bytes.get_mut(start + 4..start + 8) {
            name.copy_from_slice(b"free");
        }
        if let Some(content) = bytes.get_mut(content..end) {
            content.fill(0);
        }
    }
    let lasts = found.tracks.iter().filter(|track| track.sound && track.scale > 0);
    let lasts_us = lasts.filter_map(|track| Some(track.ticks.checked_mul(1_000_000)? / track.scale)).max();
    Ok(lasts_us.map(|lasts_us| Heard { media: "audio/mp4", bytes, lasts_us }))
}

/// Walks over the boxes from `at` to `end`.
fn walk(bytes: &[u8], mut at: usize, end: usize, deep: usize, found: &mut Found) -> Option<()> {
    while at < end {
        let name = take(bytes, at + 4, 4)?;
        let (head, length) = match number(bytes, at, 4)? {
            // To the end of the file.
            0 => (8, end - at),
            1 => (16, usize::try_from(number(bytes, at + 8, 8)?).ok()?),
            length => (8, usize::try_from(length).ok()?),
        };
        let next = at.checked_add(length)?;
        if length < head || next > end {
            return None;
        }
        let content = at + head;
        if name == b"trak" {
            found.tracks.push(Track::default());
        }
        if HOLDS.iter().any(|holds| name == *holds) {
            walk(bytes, content, next, deep.checked_sub(1)?, found)?;
        } else if BLANKED.iter().any(|blanked| name == *blanked) {
            found.blanked.push((at, content, next));
        } else {
            note(bytes, name, content, next, found)?;
        }
        at = next;
    }
    Some(())
}

fn note(bytes: &[u8], name: &[u8], content: usize, end: usize, found: &mut Found) -> Option<()> {
    if name == b"moof" {
        found.fragments = true;
    }
    let Some(track) = found.tracks.last_mut() else { return Some(()) };
    match name {
        b"hdlr" => {
            let kind = take(bytes, content + 8, 4)?;
            track.sound |= kind == b"soun";
            track.picture |= kind == b"vide";
        }
        b"mdhd" => {
            // The second version counts in eight bytes.
            let at = if *bytes.get(content)? == 1 { content + 20 } else { content + 12 };
            track.scale = number(bytes, at, 4)?;
        }
        b"stts" => {
            let entries = usize::try_from(number(bytes, content + 4, 4)?).ok()?;
            for entry in 0..entries {
                let at = content + 8 + entry * 8;
                if at + 8 > end {
                    return None;
                }
                let ticks = number(bytes, at, 4)?.checked_mul(number(bytes, at + 4, 4)?)?;
                track.ticks = track.ticks.checked_add(ticks)?;
            }
        }
        _ => {}
    }
    Some(())
}
