//! Sound that is not compressed, or little: RIFF. What says how to play it and the sound are kept.

use super::Heard;
use crate::files::clean::{number_le, take};

pub(super) fn read(bytes: &[u8]) -> Option<Heard> {
    let (mut at, mut shape, mut fact) = (12, None, None);
    loop {
        let name = take(bytes, at, 4)?;
        let claimed = usize::try_from(number_le(bytes, at + 4, 4)?).ok()?;
        let rest = bytes.len() - (at + 8);
        match name {
            b"fmt " => shape = Some(take(bytes, at + 8, claimed)?),
            b"fact" => fact = Some(take(bytes, at + 8, claimed)?),
            b"data" => {
                // Recorders that did not know yet how long it would be wrote 0 or all ones.
                let length = if claimed == 0 || claimed > rest { rest } else { claimed };
                return written(shape?, fact, take(bytes, at + 8, length)?);
            }
            _ => {}
        }
        // Chunks begin at even places.
        at = at.checked_add(8)?.checked_add(claimed)?.checked_add(claimed & 1)?;
    }
}

fn written(shape: &[u8], fact: Option<&[u8]>, sound: &[u8]) -> Option<Heard> {
    let (channels, a_second) = (number_le(shape, 2, 2)?, number_le(shape, 8, 4)?);
    if !(16..=64).contains(&shape.len()) || channels == 0 || channels > 8 || !(500..=1_600_000).contains(&a_second) {
        return None;
    }
    let lasts_us = (sound.len() as u64).checked_mul(1_000_000)? / a_second;
    let mut body = b"WAVE".to_vec();
    chunk(&mut body, *b"fmt ", shape)?;
    if let Some(fact) = fact.filter(|fact| fact.len() == 4) {
        chunk(&mut body, *b"fact", fact)?;
    }
    chunk(&mut body, *b"data", sound)?;
    let mut bytes = Vec::with_capacity(body.len() + 8);
    chunk(&mut bytes, *b"RIFF", &body)?;
    Some(Heard { media: "audio/wav", bytes, lasts_us })
}

fn chunk(out: &mut Vec<u8>, name: [u8; 4], content: &[u8]) -> Option<()> {
    out.extend_from_slice(&name);
    out.extend_from_slice(&u32::try_from(content.len()).ok()?.to_le_bytes());
    out.extend_from_slice(content);
    if content.len() % 2 == 1 {
        out.push(0);
    }
    Some(())
}
