//! Cutting a text for the question, and making one answer of several. Pure.

use crate::wechat::{CONTENT_CHARS, TextVerdict};

/// Pieces share so many characters: a word that lies across the cut is seen whole in one of them.
const SHARED: usize = 60;

/// A text in pieces that one question takes each.
pub(super) fn pieces(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let mut pieces = Vec::new();
    let mut from = 0;
    loop {
        let piece: String = letters.iter().skip(from).take(CONTENT_CHARS).collect();
        pieces.push(piece);
        if from + CONTENT_CHARS >= letters.len() {
            return pieces;
        }
        from += CONTENT_CHARS - SHARED;
    }
}

/// The answer that counts of several: the worst.
pub(super) fn worst(verdicts: Vec<TextVerdict>) -> Option<TextVerdict> {
    verdicts.into_iter().max_by_key(|verdict| verdict.suggest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wechat::Suggest;

    #[test]
    fn pieces_overlap_and_lose_nothing() {
        assert_eq!(pieces("路灯"), ["路灯"]);
        assert_eq!(pieces(&"村".repeat(2500)).len(), 1);
        let text: String = (0..4000_u32).filter_map(|at| char::from_u32(0x4e00 + at)).collect();
        let cut = pieces(&text);
        assert_eq!(cut.len(), 2);
        assert!(cut.iter().all(|piece| piece.chars().count() <= CONTENT_CHARS));
        let again: String = cut[0].chars().chain(cut[1].chars().skip(SHARED)).collect();
        assert_eq!(again, text);
    }

    #[test]
    fn the_worst_answer_counts() {
        let verdict = |suggest| TextVerdict { suggest, label: 0, detail: vec![], trace_id: String::new() };
        let worst =
            |all: &[Suggest]| worst(all.iter().map(|suggest| verdict(*suggest)).collect()).map(|one| one.suggest);
        assert_eq!(worst(&[Suggest::Pass, Suggest::Risky, Suggest::Review]), Some(Suggest::Risky));
        assert_eq!(worst(&[Suggest::Pass, Suggest::Review]), Some(Suggest::Review));
        assert_eq!(worst(&[]), None);
    }
}
