//! Names of people, as identity cards and old forms write them.

use unicode_normalization::UnicodeNormalization;

use super::{Personal, masked};

/// A person's name: 1 to 40 characters, NFC, without inner spaces between Han characters.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PersonName(String);

/// The longest name that is taken, in characters.
const LONGEST: usize = 40;

impl PersonName {
    /// Reads a name; `None` when it is empty, too long, or holds what no name does: digits, symbols, markup.
    ///
    /// Old forms spread names out (刘 建 军); minority names are joined by a dot that people type in several ways.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text: String =
            text.nfc().map(|c| if matches!(c, '•' | '‧' | '・' | '∙' | '．') { '·' } else { c }).collect();
        let spread = text.chars().all(|c| c.is_whitespace() || !c.is_ascii());
        let name: String = if spread {
            text.split_whitespace().collect()
        } else {
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let letters = name.chars().count();
        let fits = (1..=LONGEST).contains(&letters) && name.chars().any(char::is_alphabetic);
        (fits && name.chars().all(of_a_name)).then_some(Self(name))
    }
}

/// Letters of any script with their marks, and what stands between them.
fn of_a_name(c: char) -> bool {
    c.is_alphabetic()
        || matches!(c, '·' | ' ' | '-' | '\'' | '’' | '.' | '(' | ')' | '（' | '）')
        || unicode_normalization::char::is_combining_mark(c)
}

impl Personal for PersonName {
    const PURPOSE: &'static str = "person.name";

    fn of_stored(text: String) -> Self {
        Self(text)
    }

    fn in_the_clear(&self) -> &str {
        &self.0
    }

    /// 张*三, 张*, 欧**明.
    fn masked(&self) -> String {
        let letters: Vec<char> = self.0.chars().collect();
        match letters.as_slice() {
            [] => String::new(),
            [_] => "*".to_owned(),
            [first, _] => format!("{first}*"),
            [first, middle @ .., last] => format!("{first}{}{last}", "*".repeat(middle.len().min(4))),
        }
    }

    fn comparable(&self) -> String {
        self.0.to_lowercase()
    }
}

masked!(PersonName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for (typed, kept) in [
            ("欧阳建国", Some("欧阳建国")),
            ("王䶮", Some("王䶮")),
            ("赵𰻝", Some("赵𰻝")),
            ("阿依古丽•买买提", Some("阿依古丽·买买提")),
            ("刘 建 军", Some("刘建军")),
            ("  张一　", Some("张一")),
            ("王建国（大）", Some("王建国（大）")),
            ("John  Smith", Some("John Smith")),
            ("布买热木·阿卜杜热合曼", Some("布买热木·阿卜杜热合曼")),
            ("陈1", None),
            ("🙂", None),
            ("<b>李四</b>", None),
            ("", None),
            ("··", None),
        ] {
            assert_eq!(PersonName::read(typed).map(|name| name.0).as_deref(), kept, "{typed}");
        }
        assert!(PersonName::read(&"长".repeat(41)).is_none());
    }

    #[test]
    fn masks_keep_only_what_helps_recognising() {
        for (name, mask) in [("张三", "张*"), ("张小三", "张*三"), ("欧阳建国", "欧**国"), ("甲", "*")] {
            assert_eq!(PersonName::read(name).unwrap().masked(), mask);
        }
    }
}
