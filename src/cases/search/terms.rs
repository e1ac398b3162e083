//! What a text is found by. Chinese has no spaces: of a run of Han characters each two neighbours are a term, and the
//! last alone, so that one character is found as the beginning of a term wherever it stands. Of other scripts each word
//! is a term.

use std::collections::BTreeSet;

use unicode_normalization::{UnicodeNormalization, char::canonical_combining_class};

use crate::db::Term;

/// The longest term, in characters.
const LONGEST: usize = 40;

/// The terms of texts, in one spelling (NFKC, lower case).
pub(super) fn of_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let mut terms = BTreeSet::new();
    for run in texts.into_iter().flat_map(runs) {
        match run {
            Run::Word(word) => {
                terms.insert(word);
            }
            Run::Han(han) => {
                terms.extend(pairs(&han));
                terms.extend(han.last().map(ToString::to_string));
            }
        }
    }
    terms
}

/// What must be there for `typed` to be found. Empty when nothing can be looked for.
pub(super) fn wanted(typed: &str) -> Vec<Term> {
    let mut wanted = Vec::new();
    for run in runs(typed) {
        match run {
            Run::Word(word) => wanted.push(Term::Beginning(word)),
            Run::Han(han) if han.len() == 1 => wanted.extend(han.iter().map(|one| Term::Beginning(one.to_string()))),
            Run::Han(han) => wanted.extend(pairs(&han).map(Term::Whole)),
        }
    }
    wanted
}

enum Run {
    Han(Vec<char>),
    Word(String),
}

fn runs(text: &str) -> Vec<Run> {
    let (mut runs, mut open) = (Vec::new(), false);
    // Marks set over, under or beside a letter change places with each other in NFKC and say how it is read: left out.
    let letters = text.nfkc().flat_map(char::to_lowercase).filter(|&c| canonical_combining_class(c) == 0);
    for c in letters {
        if !c.is_alphanumeric() {
            open = false;
            continue;
        }
        match runs.last_mut() {
            Some(Run::Han(han)) if open && is_han(c) => han.push(c),
            Some(Run::Word(word)) if open && !is_han(c) => {
                if word.chars().count() < LONGEST {
                    word.push(c);
                }
            }
            _ if is_han(c) => runs.push(Run::Han(vec![c])),
            _ => runs.push(Run::Word(c.to_string())),
        }
        open = true;
    }
    runs
}

fn pairs(han: &[char]) -> impl Iterator<Item = String> {
    han.windows(2).map(|pair| pair.iter().collect())
}

/// What Unicode calls script Han: ideographs with all extensions, radicals, 々, 〇, the numerals of the market.
fn is_han(c: char) -> bool {
    matches!(c, '\u{2E80}'..='\u{2FDF}' | '\u{3005}' | '\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3038}'..='\u{303B}'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{16FE2}'..='\u{16FE3}'
        | '\u{20000}'..='\u{3FFFD}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<String> {
        of_texts([text]).into_iter().collect()
    }

    #[test]
    fn han_is_read_in_pairs_and_the_rest_in_words() {
        assert_eq!(terms("自来水"), ["来水", "水", "自来"]);
        assert_eq!(terms("K23路灯,ＬＥＤ!"), ["k23", "led", "灯", "路灯"]);
        assert_eq!(terms("𰝟渡镇"), ["渡镇", "镇", "𰝟渡"]);
        assert!(terms(" ,。!@#").is_empty());
        assert_eq!(terms(&"a".repeat(50)), ["a".repeat(40)]);
        assert_eq!(terms("〇\u{16FF0}\u{1BC9E}水"), ["〇水", "水"]);
    }

    #[test]
    fn one_character_is_the_beginning_of_a_term() {
        assert_eq!(wanted("水"), [Term::Beginning("水".into())]);
        assert_eq!(wanted("水管 K2"), [Term::Whole("水管".into()), Term::Beginning("k2".into())]);
        assert!(wanted("'\"*&|@()").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_part_of_a_text_is_found_in_it(before in "\\PC{0,8}", part in "\\p{Han}{1,6}", after in "\\PC{0,8}") {
            let terms = of_texts([format!("{before}{part}{after}").as_str()]);
            for term in wanted(&part) {
                let there = match &term {
                    Term::Whole(whole) => terms.contains(whole),
                    Term::Beginning(start) => terms.iter().any(|term| term.starts_with(start.as_str())),
                };
                assert!(there, "{term:?} not in {terms:?}");
            }
        }

        #[test]
        fn terms_are_letters_and_digits(text in "\\PC{0,40}") {
            assert!(of_texts([text.as_str()]).iter().all(|term| term.chars().all(char::is_alphanumeric)));
        }
    }
}
