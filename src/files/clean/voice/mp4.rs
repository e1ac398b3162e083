//! Sound in a container of MP4 (ISO 14496-12): m4a, what phones record.
//!
//! The boxes stay where they are, since the table of samples counts bytes from the beginning. Those that players need are
//! kept, without when and by what they were made; all others are made free space and blanked. How long it lasts is summed
//! over the samples, since a header may claim anything.

use std::ops::Range;

use super::Heard;
use crate::{
    files::clean::{number, take},
    problem::{Code, Problem},
};

/// Boxes that hold other boxes, and how many bytes stand before the first.
const HOLDS: [(&[u8; 4], usize); 8] = [
    (b"moov", 0),
    (b"trak", 0),
    (b"edts", 0),
    (b"mdia", 0),
    (b"minf", 0),
    (b"dinf", 0),
    (b"stbl", 0),
    // Version, flags, and a count.
    (b"dref", 8),
];
/// Boxes that are kept. Any other plays no part in playing and may tell who recorded it, where and with what.
const KEPT: [&[u8; 4]; 20] = [
    b"ftyp", b"mvhd", b"tkhd", b"elst", b"mdhd", b"hdlr", b"smhd", b"url ", b"stsd", b"stts", b"stsc", b"stsz",
    b"stz2", b"stco", b"co64", b"sgpd", b"sbgp", b"ctts", b"stss", b"mdat",
];
/// Boxes within boxes.
const DEEPEST: usize = 8;

#[derive(Default)]
struct Track {
    sound: bool,
    picture: bool,
    /// Texts, places, whatever else is told in time with the sound.
    other: bool,
    /// Ticks a second.
    scale: u64,
    /// Ticks of all samples.
    ticks: u64,
}

#[derive(Default)]
struct Found {
    tracks: Vec<Track>,
    /// Where boxes begin that become free space.
    freed: Vec<usize>,
    /// What is blanked.
    blanked: Vec<Range<usize>>,
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
    if found.tracks.iter().any(|track| track.other || !track.sound) {
        return Ok(None);
    }
    for start in found.freed {
        if let Some(name) = bytes.get_mut(start + 4..start + 8) {
            name.copy_from_slice(b"free");
        }
    }
    for place in found.blanked {
        if let Some(place) = bytes.get_mut(place) {
            place.fill(0);
        }
    }
    let lasts = found.tracks.iter().filter(|track| track.scale > 0);
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
        if let Some((_, before)) = HOLDS.iter().find(|(holds, _)| name == *holds) {
            walk(bytes, content + before, next, deep.checked_sub(1)?, found)?;
        } else if KEPT.iter().any(|kept| name == *kept) {
            strip(bytes, name, content, next, found)?;
            note(bytes, name, content, next, found)?;
        } else {
            found.fragments |= name == b"moof";
            found.freed.push(at);
            found.blanked.push(content..next);
        }
        at = next;
    }
    Some(())
}

/// What of a box that is kept tells more than how to play it.
fn strip(bytes: &[u8], name: &[u8], content: usize, end: usize, found: &mut Found) -> Option<()> {
    let told = match name {
        // When it was made and changed.
        b"mvhd" | b"tkhd" | b"mdhd" => content + 4..behind_times(bytes, content)?,
        // By whose program: the name of what handles it, and what stands before it.
        b"hdlr" => content + 12..end,
        // Where else the samples lie: they lie in this file.
        b"url " => content + 4..end,
        _ => return Some(()),
    };
    if told.start > told.end || told.end > end {
        return None;
    }
    found.blanked.push(told);
    Some(())
}

/// Where a header goes on behind its times: the second version counts them in eight bytes each.
fn behind_times(bytes: &[u8], content: usize) -> Option<usize> {
    Some(if *bytes.get(content)? == 1 { content + 20 } else { content + 12 })
}

/// What of a box says what is heard and how long.
fn note(bytes: &[u8], name: &[u8], content: usize, end: usize, found: &mut Found) -> Option<()> {
    let Some(track) = found.tracks.last_mut() else { return Some(()) };
    match name {
        b"hdlr" => {
            let kind = take(bytes, content + 8, 4)?;
            // QuickTime also says how the bytes of a track are fetched.
            let fetches = take(bytes, content + 4, 4)? == b"dhlr";
            track.sound |= kind == b"soun";
            track.picture |= kind == b"vide";
            track.other |= kind != b"soun" && kind != b"vide" && !fetches;
        }
        b"mdhd" => track.scale = number(bytes, behind_times(bytes, content)?, 4)?,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(name: &[u8], content: &[&[u8]]) -> Vec<u8> {
        let content = content.concat();
        let mut out = u32::try_from(content.len() + 8).unwrap().to_be_bytes().to_vec();
        out.extend(name);
        out.extend(content);
        out
    }

    /// A header with times in it, which are told apart by their words.
    fn timed(name: &[u8], version: u8, rest: &[u8]) -> Vec<u8> {
        let times: &[u8] = if version == 1 { b"made-at!changed!" } else { b"MADECHNG" };
        boxed(name, &[&[version, 0, 0, 0], times, rest])
    }

    /// A track of a second that holds what `handler` names.
    fn track(handler: &[u8], version: u8) -> Vec<u8> {
        let scale = [0, 0, 3, 232, 0, 0, 3, 232, 0x55, 0xc4, 0, 0];
        let spoken = boxed(b"hdlr", &[&[0; 8], handler, b"appl\0\0\0\0\0\0\0\0", b"Recorder of GPS\0"]);
        let fetched = boxed(b"hdlr", &[b"\0\0\0\0dhlrurl ", &[0; 12], b"GPS\0"]);
        let lies = boxed(b"dref", &[&[0, 0, 0, 0, 0, 0, 0, 1], &boxed(b"url ", &[b"\0\0\0\0http://GPS\0"])]);
        let table = boxed(b"stbl", &[&boxed(b"stts", &[&[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 10, 0, 0, 0, 100]])]);
        let media = boxed(b"minf", &[&boxed(b"smhd", &[&[0; 8]]), &fetched, &boxed(b"dinf", &[&lies]), &table]);
        let media = boxed(b"mdia", &[&timed(b"mdhd", version, &scale), &spoken, &media]);
        boxed(b"trak", &[&timed(b"tkhd", version, &[7; 72]), &media])
    }

    fn file(inside: &[&[u8]], version: u8) -> Vec<u8> {
        let head = timed(b"mvhd", version, &[7; 88]);
        let mut all = vec![head.as_slice()];
        all.extend_from_slice(inside);
        let (named, said) = (boxed(b"ftyp", &[b"M4A \0\0\0\0M4A "]), boxed(b"mdat", &[b"what was said"]));
        [named, said, boxed(b"moov", &all)].concat()
    }

    fn holds(bytes: &[u8], word: &[u8]) -> bool {
        bytes.windows(word.len()).any(|window| window == word)
    }

    #[test]
    fn only_what_players_need_stays_and_all_of_it_where_it_was() {
        for version in [0, 1] {
            let place = boxed(b"meta", &[&[0; 4], b"GPS 31.2096"]);
            let sound = track(b"soun", version);
            let unknown = boxed(b"loci", &[b"GPS 107.4680"]);
            let user = boxed(b"udta", &[&boxed(b"\xa9xyz", &[b"GPS"])]);
            let strange = boxed(b"uuid", &[b"sixteen letters!", b"GPS"]);
            let bytes = [file(&[&sound, &place, &unknown, &user], version), strange].concat();
            let heard = read(bytes.clone()).unwrap().unwrap();
            assert_eq!((heard.bytes.len(), heard.lasts_us), (bytes.len(), 1_000_000));
            for word in [&b"GPS"[..], b"MADE", b"CHNG", b"made-at", b"changed", b"appl", b"meta", b"udta", b"uuid"] {
                assert!(!holds(&heard.bytes, word), "{}", String::from_utf8_lossy(word));
            }
            let at = |bytes: &[u8], word: &[u8]| bytes.windows(word.len()).position(|window| window == word).unwrap();
            for word in [&b"what was said"[..], b"stts", b"soun", b"\0\0\x03\xe8\x55\xc4", &[7; 72]] {
                assert_eq!(at(&heard.bytes, word), at(&bytes, word), "{}", String::from_utf8_lossy(word));
            }
            let again = read(heard.bytes.clone()).unwrap().unwrap();
            assert!(again.bytes == heard.bytes, "nothing is left to be taken out");
        }
    }

    #[test]
    fn what_runs_beside_the_sound_is_not_taken() {
        let sound = track(b"soun", 0);
        for beside in [b"meta", b"text", b"tmcd", b"hint"] {
            let bytes = file(&[&sound, &track(beside, 0)], 0);
            assert!(read(bytes).unwrap().is_none(), "{}", String::from_utf8_lossy(beside));
        }
        let silent = boxed(b"trak", &[&timed(b"tkhd", 0, &[0; 72])]);
        assert!(read(file(&[&sound, &silent], 0)).unwrap().is_none(), "a track of nobody knows what");
        assert!(read(file(&[&sound, &track(b"vide", 0)], 0)).is_err(), "a film");
        let cut = boxed(b"trak", &[&boxed(b"tkhd", &[&[0; 6]])]);
        assert!(read(file(&[&sound, &cut], 0)).unwrap().is_none(), "a header without its times");
    }
}
