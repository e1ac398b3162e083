//! Opus in `WebM` (RFC 8794, RFC 9559): what browsers record.
//!
//! Elements are walked from the first to the last, whether their lengths are known or not; those that say where, when,
//! with what or by whom it was recorded are made void, so that the others stay where they are.

use super::Heard;
use crate::{
    files::clean::{number, take},
    problem::{Code, Problem},
};

/// Elements that hold others: they are entered, not passed over. Segment, Cluster, `BlockGroup`, Info, Tracks, `TrackEntry`.
const HOLDS: [u64; 6] = [0x1853_8067, 0x1f43_b675, 0xa0, 0x1549_a966, 0x1654_ae6b, 0xae];
/// Title, `MuxingApp`, `WritingApp`, `DateUTC`, `SegmentFilename`, track's Name, Tags, Attachments, Chapters, Cues.
const BLANKED: [u64; 10] =
    [0x7ba9, 0x4d80, 0x5741, 0x4461, 0x7384, 0x536e, 0x1254_c367, 0x1941_a469, 0x1043_a770, 0x1c53_bb6b];
const VOID: u8 = 0xec;
/// How long a block lasts whose successor does not say.
const A_BLOCK_US: u64 = 20_000;

#[derive(Default)]
struct Found {
    sound: bool,
    other: bool,
    /// Nanoseconds a tick.
    scale: u64,
    cluster: u64,
    /// The last block, in ticks.
    last: Option<u64>,
}

pub(super) fn read(mut bytes: Vec<u8>) -> Result<Option<Heard>, Problem> {
    let mut found = Found { scale: 1_000_000, ..Found::default() };
    let mut voided = Vec::new();
    if walk(&bytes, &mut found, &mut voided).is_none() {
        return Ok(None);
    }
    if found.other || !found.sound {
        return Err(Code::FileKindUnsupported.into());
    }
    for (start, end) in voided {
        if let Some(element) = bytes.get_mut(start..end) {
            void(element);
        }
    }
    let lasts = found.last.and_then(|ticks| ticks.checked_mul(found.scale));
    let lasts_us = lasts.map(|nanoseconds| nanoseconds / 1000 + A_BLOCK_US);
    Ok(lasts_us.map(|lasts_us| Heard { media: "audio/webm", bytes, lasts_us }))
}

fn walk(bytes: &[u8], found: &mut Found, voided: &mut Vec<(usize, usize)>) -> Option<()> {
    let mut at = 0;
    while at < bytes.len() {
        let (id, after_id) = id_at(bytes, at)?;
        let (length, content) = length_at(bytes, after_id)?;
        if HOLDS.contains(&id) {
            at = content;
            continue;
        }
        let end = content.checked_add(usize::try_from(length?).ok()?)?;
        let inside = bytes.get(content..end.min(bytes.len()))?;
        if end > bytes.len() {
            // The recording broke off in the middle of a block.
            break;
        }
        if BLANKED.contains(&id) {
            voided.push((at, end));
        }
        note(id, inside, found)?;
        at = end;
    }
    Some(())
}

fn note(id: u64, inside: &[u8], found: &mut Found) -> Option<()> {
    match id {
        // Codec; type of a track; scale; cluster's time; a block.
        0x86 => {
            let known = inside == b"A_OPUS" || inside == b"A_VORBIS";
            (found.sound, found.other) = (found.sound || known, found.other || !known);
        }
        0x83 => found.other |= inside != [2],
        0x2a_d7b1 => found.scale = whole(inside)?.clamp(1, 1_000_000_000),
        0xe7 => found.cluster = whole(inside)?,
        0xa3 | 0xa1 => {
            let (_, after_track) = length_at(inside, 0)?;
            let since = i16::from_be_bytes(take(inside, after_track, 2)?.try_into().ok()?);
            let ticks = found.cluster.saturating_add_signed(i64::from(since));
            found.last = found.last.max(Some(ticks));
        }
        _ => {}
    }
    Some(())
}

fn whole(bytes: &[u8]) -> Option<u64> {
    if bytes.len() > 8 { None } else { number(bytes, 0, bytes.len()) }
}

/// An id, with the bit that says how long it is, and where it ends.
fn id_at(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let many = bytes.get(at)?.leading_zeros() as usize + 1;
    if many > 4 { None } else { Some((number(bytes, at, many)?, at + many)) }
}

/// A length, none where it is not known, and where it ends.
fn length_at(bytes: &[u8], at: usize) -> Option<(Option<u64>, usize)> {
    let many = bytes.get(at)?.leading_zeros() as usize + 1;
    if many > 8 {
        return None;
    }
    let all = (1_u64 << (7 * many)) - 1;
    let length = number(bytes, at, many)? & all;
    Some(((length != all).then_some(length), at + many))
}

/// Makes an element of the same size out of it that says nothing.
fn void(element: &mut [u8]) {
    let long = element.len() >= 10;
    let inside = element.len().saturating_sub(if long { 9 } else { 2 }) as u64;
    element.fill(0);
    let head = if long { (1_u64 << 56 | inside).to_be_bytes().to_vec() } else { vec![0x80 | inside.to_le_bytes()[0]] };
    for (place, byte) in element.iter_mut().zip(std::iter::once(VOID).chain(head)) {
        *place = byte;
    }
}
