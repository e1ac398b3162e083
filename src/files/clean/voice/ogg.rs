//! Opus in Ogg (RFC 3533, RFC 7845). The packet of comments is written anew, empty, and pages are numbered and summed again.

use super::Heard;
use crate::{
    files::clean::{number_le, take},
    problem::{Code, Problem},
};

/// Granules a second, whatever was recorded.
const A_SECOND: u64 = 48_000;
/// Comments of nobody: the mark, an empty vendor, no comments.
const NO_COMMENTS: &[u8] = b"OpusTags\0\0\0\0\0\0\0\0";

struct Page<'a> {
    flags: u8,
    granule: u64,
    serial: u64,
    lacing: &'a [u8],
    content: &'a [u8],
}

pub(super) fn read(bytes: &[u8]) -> Result<Option<Heard>, Problem> {
    let Some(pages) = pages(bytes) else { return Ok(None) };
    let Some(first) = pages.first() else { return Ok(None) };
    if !first.content.starts_with(b"OpusHead") {
        return Err(Code::FileKindUnsupported.into());
    }
    Ok(written(&pages))
}

fn pages(bytes: &[u8]) -> Option<Vec<Page<'_>>> {
    let (mut at, mut pages) = (0, Vec::new());
    while at < bytes.len() {
        if take(bytes, at, 5)? != b"OggS\0" {
            return None;
        }
        let lacing = take(bytes, at + 27, usize::from(*bytes.get(at + 26)?))?;
        let length = lacing.iter().map(|part| usize::from(*part)).sum();
        let content = take(bytes, at + 27 + lacing.len(), length)?;
        pages.push(Page {
            flags: *bytes.get(at + 5)?,
            granule: number_le(bytes, at + 6, 8)?,
            serial: number_le(bytes, at + 14, 4)?,
            lacing,
            content,
        });
        at += 27 + lacing.len() + length;
    }
    Some(pages)
}

fn written(pages: &[Page<'_>]) -> Option<Heard> {
    let (first, rest) = pages.split_first()?;
    if !rest.first()?.content.starts_with(b"OpusTags") {
        return None;
    }
    // The comments end with a page.
    let ends = rest.iter().position(|page| page.lacing.last().is_some_and(|part| *part < 255))?;
    let sound = rest.get(ends + 1..)?;
    if pages.iter().any(|page| page.serial != first.serial) {
        return None;
    }
    let before = number_le(first.content, 10, 2)?;
    // All ones: no packet ends on the page.
    let last = sound.iter().rev().map(|page| page.granule).find(|granule| *granule != u64::MAX)?;
    let granules = last.checked_sub(before)?;
    let comments = Page { flags: 0, granule: 0, serial: first.serial, lacing: &[16], content: NO_COMMENTS };
    let mut bytes = Vec::new();
    for (number, page) in [first, &comments].into_iter().chain(sound).enumerate() {
        write(&mut bytes, page, u32::try_from(number).ok()?);
    }
    Some(Heard { media: "audio/ogg", bytes, lasts_us: granules.checked_mul(1_000_000)? / A_SECOND })
}

fn write(out: &mut Vec<u8>, page: &Page<'_>, number: u32) {
    let mut bytes = b"OggS\0".to_vec();
    bytes.push(page.flags);
    bytes.extend(page.granule.to_le_bytes());
    bytes.extend(page.serial.to_le_bytes().iter().take(4));
    bytes.extend(number.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.push(u8::try_from(page.lacing.len()).unwrap_or(u8::MAX));
    bytes.extend(page.lacing);
    bytes.extend(page.content);
    let sum = sum_of(&bytes).to_le_bytes();
    if let Some(place) = bytes.get_mut(22..26) {
        place.copy_from_slice(&sum);
    }
    out.extend(bytes);
}

/// The check sum of RFC 3533: polynomial 0x04c11db7, neither mirrored nor inverted.
fn sum_of(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0_u32, |sum, byte| {
        (0..8).fold(sum ^ (u32::from(*byte) << 24), |sum, _| sum << 1 ^ (0x04c1_1db7 * (sum >> 31)))
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_sum_is_that_of_the_standard() {
        // The catalogued check value of CRC-32/MPEG-2 begins with all ones, this one with zero.
        assert_eq!(super::sum_of(b""), 0);
        assert_eq!(super::sum_of(b"123456789"), 0x89a1_897f);
    }
}
