//! Words that others will read: whether they name somebody, and what is made of them where they do.
//!
//! What is published is written by a host for that purpose; this is the net below it. It knows numbers by their shape
//! (GB 11643 for citizen numbers, 公用电信网编号计划 for phones) and names by comparing. Pure. Next: [`super::ops`].

use unicode_normalization::UnicodeNormalization;

use crate::personal::{PersonName, Personal};

/// Digits from which on a run of them can be a phone, a citizen number or an account, whoever wrote it how.
const SHORTEST_NUMBER: usize = 11;
/// Digits of a number stand no farther apart.
const WIDEST_GAP: usize = 3;
/// Digits in words, as phones are read out.
const NUMERALS: &str = "零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖";
/// What people put between digits, by its NFKC form.
const BETWEEN: &str = "-‐‑‒–—−./\\,·・_()";
/// What stands where a number stood.
const TAKEN_OUT: &str = "****";
/// The fewest characters of a name that is looked for in a text: one alone is a word of its own.
const SHORTEST_NAME: usize = 2;

/// A piece of a text: other words, or a run of digits that can be a number of somebody.
enum Piece<'a> {
    Words(&'a str),
    Number,
}

/// Whether the text holds what can be a phone, a citizen number or an account.
#[must_use]
pub fn holds_number(text: &str) -> bool {
    pieces(text).iter().any(|piece| matches!(piece, Piece::Number))
}

/// The text without them.
#[must_use]
pub fn without_numbers(text: &str) -> String {
    let part = |piece: &Piece| match piece {
        Piece::Words(words) => (*words).to_owned(),
        Piece::Number => TAKEN_OUT.to_owned(),
    };
    pieces(text).iter().map(part).collect()
}

/// Whether the text names one of these people in full.
#[must_use]
pub fn names_somebody(text: &str, people: &[PersonName]) -> bool {
    people.iter().any(|name| is_looked_for(name) && text.contains(name.in_the_clear()))
}

/// The text as everybody may read it: without numbers, and with these people as 张某某.
#[must_use]
pub fn published(text: &str, people: &[PersonName]) -> String {
    let mut names: Vec<&PersonName> = people.iter().filter(|name| is_looked_for(name)).collect();
    // The longer first: 张三丰 is not 张某 with 丰 behind.
    names.sort_by_key(|name| std::cmp::Reverse(name.in_the_clear().chars().count()));
    let masked = |text: String, name: &&PersonName| text.replace(name.in_the_clear(), &somebody(name));
    names.iter().fold(without_numbers(text), masked)
}

/// A name as minutes publish it: 张某, 张某某.
#[must_use]
pub fn somebody(name: &PersonName) -> String {
    let mut letters = name.in_the_clear().chars();
    let first = letters.next().map_or_else(String::new, String::from);
    first + if letters.count() > 1 { "某某" } else { "某" }
}

fn is_looked_for(name: &PersonName) -> bool {
    name.in_the_clear().chars().count() >= SHORTEST_NAME
}

/// Numbers as they are written past a net: in digits of any width or script, or in words, with spaces and dashes and
/// what cannot be seen between them, and a final X.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut all = Vec::new();
    let (mut from, mut run) = (0, Run::default());
    let chars = text.char_indices().map(|(at, c)| (at, Some(c))).chain([(text.len(), None)]);
    for (at, c) in chars {
        if c.is_some_and(|c| run.takes(at, c)) {
            continue;
        }
        if run.digits >= SHORTEST_NUMBER {
            all.extend(text.get(from..run.starts).map(Piece::Words));
            all.push(Piece::Number);
            from = run.ends;
        }
        run = Run::default();
        // What ends one run does not begin another: a digit would have gone on with it.
    }
    all.extend(text.get(from..).map(Piece::Words));
    all
}

/// What a character is to a number.
enum Kind {
    /// So many digits: some signs stand for two.
    Digits(usize),
    /// The last of a citizen number, where it is no digit.
    Check,
    /// May stand between digits.
    Between,
    /// Nobody sees it.
    Unseen,
    Other,
}

fn kind(c: char) -> Kind {
    if matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{20e3}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
    {
        return Kind::Unseen;
    }
    // Full-width, circled, raised: what looks like it counts as it (Unicode NFKC).
    let plain: Vec<char> = std::iter::once(c).nfkc().collect();
    let digits = plain.iter().filter(|c| c.is_ascii_digit()).count();
    match plain.as_slice() {
        _ if digits > 0 => Kind::Digits(digits),
        ['x' | 'X'] => Kind::Check,
        [c] if c.is_numeric() || NUMERALS.contains(*c) => Kind::Digits(1),
        [c] if c.is_whitespace() || BETWEEN.contains(*c) => Kind::Between,
        _ => Kind::Other,
    }
}

#[derive(Default)]
struct Run {
    starts: usize,
    ends: usize,
    digits: usize,
    gap: usize,
}

impl Run {
    fn takes(&mut self, at: usize, c: char) -> bool {
        let digits = match kind(c) {
            Kind::Digits(digits) => digits,
            Kind::Check if self.digits == 17 => 1,
            Kind::Unseen => return self.digits > 0,
            Kind::Between => {
                self.gap += 1;
                return self.digits > 0 && self.gap <= WIDEST_GAP;
            }
            Kind::Check | Kind::Other => return false,
        };
        if self.digits == 0 {
            self.starts = at;
        }
        self.digits += digits;
        self.ends = at + c.len_utf8();
        self.gap = 0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> PersonName {
        PersonName::read(text).unwrap()
    }

    #[test]
    fn numbers_are_known_however_they_are_written() {
        for (text, published) in [
            ("请打13800000000找他", "请打****找他"),
            ("请打138 0000 0000。", "请打****。"),
            ("１３８００００００００", "****"),
            ("0818-2345678 转", "**** 转"),
            ("身份证51172519461124000X办", "身份证****办"),
            ("511725 19461124 0009", "****"),
            ("卡号6217997654321098765", "卡号****"),
            ("138--0000--0000", "****"),
            ("138 / 0000 , 0000号", "****号"),
            ("138，0000，0000", "****"),
            ("1\u{200b}3\u{200d}8\u{feff}00000000", "****"),
            ("一三八零零零零零零零零", "****"),
            ("幺三八〇〇〇〇〇〇〇〇，找他", "****，找他"),
            ("①③⑧⓪⓪⓪⓪⓪⓪⓪⓪", "****"),
            ("1️⃣3️⃣8️⃣00000000", "****"),
            ("511725 - 19461124 - 000Ｘ", "****"),
            ("138    0000    0000", "138    0000    0000"),
            ("一组二组三组四组", "一组二组三组四组"),
            ("2026-11-25 起修300米", "2026-11-25 起修300米"),
            ("12345热线、95598", "12345热线、95598"),
            ("第1组、第2组", "第1组、第2组"),
            ("", ""),
        ] {
            assert_eq!(without_numbers(text), published, "{text}");
            assert_eq!(holds_number(text), text != published, "{text}");
        }
    }

    #[test]
    fn names_become_somebody_and_the_longer_is_seen_first() {
        let people = [name("张三"), name("张三丰"), name("李")];
        assert_eq!(published("张三丰和张三找李家", &people), "张某某和张某找李家");
        assert!(names_somebody("给张三修路", &people));
        assert!(!names_somebody("李家门口的路", &people));
        assert_eq!(somebody(&name("欧阳建国")), "欧某某");
        assert_eq!(somebody(&name("甲")), "甲某");
    }
}
