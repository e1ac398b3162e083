//! Phone numbers as people type them, and as we keep them.

use super::{Personal, masked};

/// A mainland mobile or landline number: digits only, without the country's 86.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads a number; `None` when it is no mainland mobile or landline number. Hotlines are not a villager's phone.
    ///
    /// Mobile: 11 digits, `1[3-9]`. Landline: area code with 0, 11 or 12 digits (公用电信网编号计划, 工信部).
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut digits = String::new();
        for c in text.trim().chars() {
            match c {
                '0'..='9' => digits.push(c),
                // Full-width digits of Chinese input methods.
                '０'..='９' => digits.push(char::from_digit(u32::from(c) - u32::from('０'), 10)?),
                ' ' | '-' | '(' | ')' | '\u{3000}' | '－' | '（' | '）' => {}
                '+' | '＋' if digits.is_empty() => {}
                _ => return None,
            }
        }
        let digits = match digits.strip_prefix("0086").or_else(|| digits.strip_prefix("86")) {
            Some(rest) if rest.len() == 11 && rest.starts_with('1') => rest.to_owned(),
            _ => digits,
        };
        let number = Self(digits);
        (number.is_mobile() || number.is_landline()).then_some(number)
    }

    /// Whether it can take a text message.
    #[must_use]
    pub fn is_mobile(&self) -> bool {
        self.0.len() == 11 && self.0.starts_with('1') && matches!(self.0.as_bytes().get(1), Some(b'3'..=b'9'))
    }

    fn is_landline(&self) -> bool {
        (11..=12).contains(&self.0.len())
            && self.0.starts_with('0')
            && matches!(self.0.as_bytes().get(1), Some(b'1'..=b'9'))
    }
}

impl Personal for PhoneNumber {
    const PURPOSE: &'static str = "person.phone";

    fn of_stored(text: String) -> Self {
        Self(text)
    }

    fn in_the_clear(&self) -> &str {
        &self.0
    }

    /// 138****8000
    fn masked(&self) -> String {
        match (self.0.get(..3), self.0.len().checked_sub(4).and_then(|at| self.0.get(at..))) {
            (Some(head), Some(tail)) if self.0.len() >= 7 => format!("{head}****{tail}"),
            _ => "****".to_owned(),
        }
    }
}

masked!(PhoneNumber);

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Vector {
        input: String,
        kind: String,
        normalized: String,
    }

    #[test]
    fn all_vectors_are_read_as_people_write_them() {
        let mut seen = 0;
        for vector in csv::Reader::from_reader(&include_bytes!("vectors/phones.csv")[..]).deserialize() {
            let vector: Vector = vector.unwrap();
            let read = PhoneNumber::read(&vector.input);
            let kept = matches!(vector.kind.as_str(), "mobile" | "landline").then_some(vector.normalized.as_str());
            assert_eq!(read.as_ref().map(Personal::in_the_clear), kept, "{}", vector.input);
            assert_eq!(read.is_some_and(|number| number.is_mobile()), vector.kind == "mobile", "{}", vector.input);
            seen += 1;
        }
        assert_eq!(seen, 68);
    }
}
