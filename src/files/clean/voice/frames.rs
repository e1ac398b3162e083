//! Sound that is nothing but frames, one behind the other: MP3 (ISO 11172-3), AAC in ADTS (ISO 14496-3), AMR (RFC 4867).
//!
//! Only whole frames are kept: tags before, behind and between them fall away.

use super::Heard;
use crate::files::clean::{format::after_tag, take};

/// Fewer frames than this are no voice note.
const FEWEST: u64 = 3;
/// Bytes that may be no frame: tags at the end, half a frame that was cut off.
const MOST_BETWEEN: usize = 256 * 1024;

/// A frame: its bytes, its samples, samples a second.
struct Frame {
    bytes: usize,
    samples: u64,
    rate: u64,
}

pub(super) fn mp3(bytes: &[u8]) -> Option<Heard> {
    walk(bytes, after_tag(bytes), "audio/mpeg", mp3_frame)
}

pub(super) fn aac(bytes: &[u8]) -> Option<Heard> {
    walk(bytes, after_tag(bytes), "audio/aac", adts_frame)
}

fn walk(bytes: &[u8], mut at: usize, media: &'static str, frame_of: fn(&[u8]) -> Option<Frame>) -> Option<Heard> {
    let (mut kept, mut frames, mut lasts_us, mut between) = (Vec::with_capacity(bytes.len()), 0, 0, 0);
    while at < bytes.len() {
        let here = bytes.get(at..)?;
        if let Some((whole, frame)) = frame_of(here).and_then(|frame| Some((take(here, 0, frame.bytes)?, frame))) {
            kept.extend_from_slice(whole);
            at += frame.bytes;
            frames += 1;
            lasts_us += frame.samples * 1_000_000 / frame.rate;
        } else {
            at += 1;
            between += 1;
        }
    }
    let sound = frames >= FEWEST && between <= MOST_BETWEEN && between <= kept.len();
    sound.then_some(Heard { media, bytes: kept, lasts_us })
}

fn mp3_frame(bytes: &[u8]) -> Option<Frame> {
    const V1: [u64; 16] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0];
    const V2: [u64; 16] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0];
    let [0xff, second, third, _] = *take(bytes, 0, 4)? else { return None };
    // Layer III only.
    if second & 0xe6 != 0xe2 {
        return None;
    }
    let first_version = second & 0x18 == 0x18;
    let divided = match second & 0x18 {
        0x18 => 1,
        0x10 => 2,
        0x00 => 4,
        _ => return None,
    };
    let rate = *[44_100_u64, 48_000, 32_000].get(usize::from(third >> 2 & 3))? / divided;
    let kilobits =
        *(if first_version { V1 } else { V2 }).get(usize::from(third >> 4)).filter(|kilobits| **kilobits > 0)?;
    let samples = if first_version { 1152 } else { 576 };
    let padding = u64::from(third >> 1 & 1);
    let length = samples / 8 * kilobits * 1000 / rate + padding;
    Some(Frame { bytes: usize::try_from(length).ok()?, samples, rate })
}

fn adts_frame(bytes: &[u8]) -> Option<Frame> {
    const RATES: [u64; 13] =
        [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
    let [0xff, second, third, fourth, fifth, sixth, seventh] = *take(bytes, 0, 7)? else { return None };
    if second & 0xf6 != 0xf0 {
        return None;
    }
    let rate = *RATES.get(usize::from(third >> 2 & 0xf))?;
    let length = usize::from(fourth & 3) << 11 | usize::from(fifth) << 3 | usize::from(sixth) >> 5;
    let samples = 1024 * (u64::from(seventh & 3) + 1);
    (length > 7).then_some(Frame { bytes: length, samples, rate })
}

/// 20 ms a frame, whose first byte says how long it is.
pub(super) fn amr(bytes: &[u8]) -> Option<Heard> {
    const NARROW: [usize; 16] = [12, 13, 15, 17, 19, 20, 26, 31, 5, 6, 5, 5, 0, 0, 0, 0];
    const WIDE: [usize; 16] = [17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 0, 0, 0, 0, 0, 0];
    let (start, sizes, media) =
        if bytes.starts_with(b"#!AMR-WB\n") { (9, WIDE, "audio/amr-wb") } else { (6, NARROW, "audio/amr") };
    let (mut at, mut frames) = (start, 0);
    while let Some(head) = bytes.get(at) {
        // Bits that are always zero: anything else is no frame.
        if head & 0x83 != 0 {
            return None;
        }
        let whole = 1 + sizes.get(usize::from(head >> 3 & 0xf))?;
        if take(bytes, at, whole).is_none() {
            break;
        }
        at += whole;
        frames += 1;
    }
    let kept = bytes.get(..at)?.to_vec();
    (frames >= FEWEST).then_some(Heard { media, bytes: kept, lasts_us: frames * 20_000 })
}
