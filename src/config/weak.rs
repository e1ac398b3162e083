//! Keys that somebody typed instead of drawing them.

/// A good key of 32 bytes has about thirty different ones; fewer than this many never happen by chance.
const FEWEST_DIFFERENT: usize = 16;

/// Why these bytes are no random key; `None` for those that may be one.
#[must_use]
pub fn weakness(bytes: &[u8]) -> Option<&'static str> {
    let mut different = bytes.to_vec();
    different.sort_unstable();
    different.dedup();
    let steps: Vec<u8> = bytes.windows(2).filter_map(|pair| Some(pair.get(1)?.wrapping_sub(*pair.first()?))).collect();
    let even = steps.first().is_some_and(|first| steps.iter().all(|step| step == first));
    if different.len() < 2 {
        Some("it is one byte, repeated")
    } else if even {
        Some("its bytes count up or down")
    } else if bytes.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        Some("it is made of words or digits")
    } else if different.len() < FEWEST_DIFFERENT {
        Some("it repeats itself")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_drawn_keys_pass() {
        let counted: Vec<u8> = (0..32).collect();
        let pattern = [1_u8, 200, 7, 99].repeat(8);
        for weak in [&[7_u8; 32][..], &counted, b"correct horse battery staple 123", &pattern] {
            assert!(weakness(weak).is_some(), "{weak:?}");
        }
        for _ in 0..1000 {
            assert_eq!(weakness(&rand::random::<[u8; 32]>()), None);
        }
    }
}
