//! Files that are two things at once: a photo that unpacks, a PDF that is a page.
//!
//! A photo or a voice note is written anew, so that nothing of a second kind would be kept; who sends one is told all the
//! same. What cameras hang on their photos (a film of the moment, a depth map) is another photo or film and simply dropped.

use super::{Format, number, number_le, take};
use crate::problem::{Code, Problem};

/// Bytes at the beginning in which readers look for their mark.
const LOOKED_THROUGH: usize = 1024;
/// The longest end of an archive: its record and a comment.
const END_OF_ARCHIVE: usize = 22 + 65_535;

/// Refuses what is of a second kind beside `format`.
pub(super) fn refuse(format: Format, bytes: &[u8]) -> Result<(), Problem> {
    let head = bytes.get(..LOOKED_THROUGH.min(bytes.len())).unwrap_or_default();
    let two = ends_as_archive(bytes)
        || is_page(head)
        || (format != Format::Pdf && find(head, b"%PDF-"))
        || end_of(format, bytes).and_then(|end| bytes.get(end..)).is_some_and(is_something);
    if two { Err(Code::FileTwoKinds.into()) } else { Ok(()) }
}

/// Whether a photo has no end: decoders fill what is missing with grey.
pub(super) fn is_cut_off(format: Format, bytes: &[u8]) -> bool {
    matches!(format, Format::Jpeg | Format::Png | Format::Gif)
        && end_of(format, bytes).is_none_or(|end| end > bytes.len())
}

/// Whether what hangs behind the end is of a kind of its own.
fn is_something(rest: &[u8]) -> bool {
    // A film hangs behind photos of many phones; by chance it may hold any short mark.
    if take(rest, 4, 4) == Some(b"ftyp") {
        return false;
    }
    let trimmed = rest.trim_ascii_start();
    let starts: [&[u8]; 5] = [b"MZ", b"#!/", b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\0"];
    let anywhere: [&[u8]; 5] = [b"PK\x03\x04", b"%PDF-", b"\x7fELF", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c"];
    starts.iter().any(|start| trimmed.starts_with(start))
        || anywhere.iter().any(|mark| find(rest, mark))
        || is_page(rest)
}

/// Whether a browser would take it for a page or run it.
fn is_page(text: &[u8]) -> bool {
    let text = text.to_ascii_lowercase();
    [&b"<html"[..], b"<script", b"<!doctype html", b"<svg", b"<?php", b"<body", b"<iframe"]
        .iter()
        .any(|mark| find(&text, mark))
}

/// Whether the end is that of a ZIP, whose comment reaches to the last byte.
fn ends_as_archive(bytes: &[u8]) -> bool {
    let from = bytes.len().saturating_sub(END_OF_ARCHIVE);
    let tail = bytes.get(from..).unwrap_or_default();
    let ends = |at: usize| {
        let comment = number_le(tail, at + 20, 2).and_then(|length| usize::try_from(length).ok());
        take(tail, at, 4) == Some(b"PK\x05\x06") && comment.is_some_and(|length| at + 22 + length == tail.len())
    };
    (0..tail.len().saturating_sub(21)).any(ends)
}

pub(super) fn find(text: &[u8], mark: &[u8]) -> bool {
    text.windows(mark.len()).any(|window| window == mark)
}

/// Where a photo ends, as its format says; none where it does not, which decoding will find.
fn end_of(format: Format, bytes: &[u8]) -> Option<usize> {
    match format {
        Format::Jpeg => end_of_jpeg(bytes),
        Format::Png => end_of_png(bytes),
        Format::Gif => end_of_gif(bytes),
        Format::Webp | Format::Wav => usize::try_from(number_le(bytes, 4, 4)?).ok()?.checked_add(8),
        Format::Bmp => usize::try_from(number_le(bytes, 2, 4)?).ok(),
        Format::Pdf => bytes.windows(5).rposition(|window| window == b"%%EOF").map(|at| at + 5),
        Format::Mp3 | Format::Aac | Format::Mp4 | Format::Amr | Format::Ogg | Format::Webm => None,
    }
}

fn end_of_jpeg(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        // Between two marks lies a segment, or coded light in which 0xff is followed by 0 or a restart.
        while *bytes.get(at)? != 0xff || matches!(*bytes.get(at + 1)?, 0 | 0xd0..=0xd7 | 0xff) {
            at += 1;
        }
        match *bytes.get(at + 1)? {
            0xd9 => return Some(at + 2),
            0x01 | 0xd8 => at += 2,
            _ => at += 2 + usize::try_from(number(bytes, at + 2, 2)?).ok()?,
        }
    }
}

fn end_of_png(bytes: &[u8]) -> Option<usize> {
    let mut at = 8;
    loop {
        let length = usize::try_from(number(bytes, at, 4)?).ok()?;
        let last = take(bytes, at + 4, 4)? == b"IEND";
        at = at.checked_add(length)?.checked_add(12)?;
        if last {
            return Some(at);
        }
    }
}

fn end_of_gif(bytes: &[u8]) -> Option<usize> {
    let colours = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    let mut at = 13 + colours(*bytes.get(10)?);
    loop {
        match *bytes.get(at)? {
            0x3b => return Some(at + 1),
            0x21 => at += 2,
            0x2c => at += 11 + colours(*bytes.get(at + 9)?),
            _ => return None,
        }
        // Blocks of up to 255 bytes, until an empty one.
        loop {
            let length = usize::from(*bytes.get(at)?);
            at += 1 + length;
            if length == 0 {
                break;
            }
        }
    }
}
