//! 公民身份号码 (GB 11643-1999): area code, date of birth, serial, check digit.
//!
//! Prefixes follow GB/T 2260; of Dazhou the old ones count too, since a number is never changed when counties are
//! (`config/people/citizen-number-area-codes.csv`). The 15-digit form was withdrawn in 2013 (居民身份证法).

use std::{collections::BTreeSet, sync::LazyLock};

use chrono::{Datelike, NaiveDate};
use unicode_normalization::UnicodeNormalization;

use super::{Personal, masked};

/// A valid citizen number: 17 digits and a digit or `X`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CitizenNumber(String);

/// What is wrong with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberFault {
    /// Not 18 characters.
    WrongLength,
    /// The first-generation form, withdrawn.
    Legacy15Digit,
    /// Something other than digits and the final X; a masked number too.
    NonDigit,
    /// No place has this code.
    UnknownAreaCode,
    /// No such day, or before 1900.
    BadBirthDate,
    /// After today.
    BirthInFuture,
    /// A digit was mistyped.
    BadCheckDigit,
}

impl NumberFault {
    /// Its stable code.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::WrongLength => "wrong_length",
            Self::Legacy15Digit => "legacy_15_digit",
            Self::NonDigit => "non_digit",
            Self::UnknownAreaCode => "unknown_area_code",
            Self::BadBirthDate => "bad_birth_date",
            Self::BirthInFuture => "birth_in_future",
            Self::BadCheckDigit => "bad_check_digit",
        }
    }
}

/// As the serial says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sex {
    /// Even.
    Female,
    /// Odd.
    Male,
}

/// Whole years from which somebody agrees for themselves (个人信息保护法 31).
const CHILD_UNTIL: u32 = 14;
/// Provinces of GB/T 2260.
const PROVINCES: [u32; 34] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63,
    64, 65, 71, 81, 82,
];
/// Weights of the first 17 digits (ISO 7064, MOD 11-2).
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];

/// Every code a number of Dazhou may begin with.
static OF_DAZHOU: LazyLock<BTreeSet<u32>> = LazyLock::new(|| {
    let text = include_str!("../../config/people/citizen-number-area-codes.csv");
    text.lines().filter_map(|line| line.split(',').next()?.parse().ok()).collect()
});

impl CitizenNumber {
    /// Reads a number as people type it or read it out: full-width digits, spaces and a small x are understood.
    pub fn read(text: &str, today: NaiveDate) -> Result<Self, NumberFault> {
        let seen = |c: &char| !c.is_whitespace() && !matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}');
        let number: String = text.nfkc().filter(seen).map(|c| c.to_ascii_uppercase()).collect();
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        match number.chars().count() {
            18 => {}
            15 if digits(&number) => return Err(NumberFault::Legacy15Digit),
            _ => return Err(NumberFault::WrongLength),
        }
        let (head, check) = number.split_at_checked(17).ok_or(NumberFault::NonDigit)?;
        if !digits(head) || !(digits(check) || check == "X") {
            return Err(NumberFault::NonDigit);
        }
        if !known_area(&number) {
            return Err(NumberFault::UnknownAreaCode);
        }
        let number = Self(number);
        let birth = number.birth().filter(|birth| birth.year() >= 1900).ok_or(NumberFault::BadBirthDate)?;
        if birth > today {
            return Err(NumberFault::BirthInFuture);
        }
        if number.0.ends_with(check_digit(&number.0)) { Ok(number) } else { Err(NumberFault::BadCheckDigit) }
    }

    /// The date of birth.
    #[must_use]
    pub fn birth(&self) -> Option<NaiveDate> {
        let (year, month, day) = (self.0.get(6..10)?, self.0.get(10..12)?, self.0.get(12..14)?);
        NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    }

    /// Whole years on a day (民法典 1259: the birthday itself counts).
    #[must_use]
    pub fn age_on(&self, day: NaiveDate) -> Option<u32> {
        day.years_since(self.birth()?)
    }

    /// The 65th birthday: from then on the limits of booking do not bind.
    #[must_use]
    pub fn turns_65_on(&self) -> Option<NaiveDate> {
        let born = self.birth()?;
        // Who was born on 29 February turns 65 on 1 March of a common year.
        let (year, month, day) = (born.year() + 65, born.month(), born.day());
        NaiveDate::from_ymd_opt(year, month, day).or_else(|| NaiveDate::from_ymd_opt(year, 3, 1))
    }

    /// Whether the holder is under 14 on a day: a guardian agrees, and every reading is entered (个人信息保护法 28, 31).
    #[must_use]
    pub fn is_of_a_child(&self, day: NaiveDate) -> bool {
        self.age_on(day).is_some_and(|age| age < CHILD_UNTIL)
    }

    /// As the serial says.
    #[must_use]
    pub fn sex(&self) -> Sex {
        let odd = self.0.as_bytes().get(16).is_some_and(|digit| digit % 2 == 1);
        if odd { Sex::Male } else { Sex::Female }
    }
}

fn known_area(number: &str) -> bool {
    let Some(code) = number.get(..6).and_then(|code| code.parse::<u32>().ok()) else { return false };
    let (province, prefecture, county) = (code / 10_000, code / 100 % 100, code % 100);
    if matches!(code / 100, 5117 | 5130) {
        return OF_DAZHOU.contains(&code);
    }
    // 01-70 cities, prefectures and leagues; 90 counties directly under the province (GB/T 2260-2007, 3).
    PROVINCES.contains(&province) && (matches!(prefecture, 1..=70) || prefecture == 90) && county > 0
}

fn check_digit(number: &str) -> char {
    let digits = number.chars().filter_map(|c| c.to_digit(10));
    let sum: u32 = digits.zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    CHECK.get(usize::try_from(sum % 11).unwrap_or_default()).copied().unwrap_or('0')
}

impl Personal for CitizenNumber {
    const PURPOSE: &'static str = "person.citizen_no";

    fn of_stored(text: String) -> Self {
        Self(text)
    }

    fn in_the_clear(&self) -> &str {
        &self.0
    }

    /// 5117**********0012
    fn masked(&self) -> String {
        match (self.0.get(..4), self.0.get(14..)) {
            (Some(head), Some(tail)) => format!("{head}**********{tail}"),
            _ => "****".to_owned(),
        }
    }
}

masked!(CitizenNumber);

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Vector {
        id_number: String,
        expect: String,
        reason: String,
        birth: String,
        sex: String,
        valid_after_normalising: bool,
    }

    #[test]
    fn all_vectors_are_judged_as_the_standard_does() {
        let today = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
        let mut seen = 0;
        for vector in csv::Reader::from_reader(&include_bytes!("vectors/citizen-numbers.csv")[..]).deserialize() {
            let vector: Vector = vector.unwrap();
            let read = CitizenNumber::read(&vector.id_number, today);
            assert_eq!(read.is_ok(), vector.valid_after_normalising, "{}: {read:?}", vector.id_number);
            match (&read, vector.expect.as_str()) {
                (Ok(number), "valid") => {
                    assert_eq!(number.birth().unwrap().to_string(), vector.birth);
                    assert_eq!(if number.sex() == Sex::Male { "M" } else { "F" }, vector.sex);
                }
                (Err(fault), _) => match vector.reason.as_str() {
                    "single_digit_error" | "adjacent_transposition" => {
                        let judged =
                            [NumberFault::BadCheckDigit, NumberFault::BadBirthDate, NumberFault::BirthInFuture];
                        assert!(judged.contains(fault), "{}: {fault:?}", vector.id_number);
                    }
                    "masked" | "inner_hyphen" | "empty" => {}
                    reason => assert_eq!(fault.slug(), reason, "{}", vector.id_number),
                },
                (Ok(_), _) => {}
            }
            seen += 1;
        }
        assert_eq!(seen, 100);
    }

    #[test]
    fn it_is_masked_and_knows_its_age() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let number = CitizenNumber::read("511725194611240009", day("2026-11-23")).unwrap();
        assert_eq!(number.to_string(), "5117**********0009");
        assert_eq!(number.age_on(day("2026-11-23")), Some(79));
        assert_eq!(number.age_on(day("2026-11-24")), Some(80));
        let number = CitizenNumber::read("511702201011240003", day("2026-11-23")).unwrap();
        assert!(number.is_of_a_child(day("2024-11-23")) && !number.is_of_a_child(day("2024-11-24")));
    }
}
