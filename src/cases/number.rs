//! The public number of a case: ten digits that survive being read out over the phone.
//!
//! Nine random digits and a check digit by ISO 7064 MOD 11,10, so that a misheard digit finds no case instead of
//! somebody else's, and nobody can walk from one case to the next. Pure: the caller brings the randomness, and the
//! unique index of the table settles the rare collision.

use std::{fmt, str::FromStr};

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many digits a case number has.
pub const DIGITS: usize = 10;

/// A well-formed case number; `parse` reads what people type or say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[1-9][0-9]{9}$", example = "1234567896")]
pub struct CaseNumber(u64);

/// Why a text is no case number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberFault {
    /// This character is neither a digit nor a separator.
    NotADigit(char),
    /// So many digits instead of ten.
    Length(usize),
    /// No case number begins with nought.
    LeadingZero,
    /// The last digit does not fit the others: something was misread.
    CheckDigit,
}

impl NumberFault {
    /// The stable slug of this fault.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotADigit(_) => "not_a_digit",
            Self::Length(_) => "wrong_length",
            Self::LeadingZero => "leading_zero",
            Self::CheckDigit => "wrong_check_digit",
        }
    }
}

impl fmt::Display for NumberFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotADigit(other) => write!(f, "{other:?} is not a digit"),
            Self::Length(found) => write!(f, "{found} digits instead of {DIGITS}"),
            Self::LeadingZero => write!(f, "a case number does not begin with 0"),
            Self::CheckDigit => write!(f, "the last digit does not fit the others"),
        }
    }
}

impl std::error::Error for NumberFault {}

impl CaseNumber {
    /// A fresh number, one of some 750 million.
    ///
    /// MOD 11,10 catches every wrong digit but not every swap of neighbours: about one number in six has a swap that
    /// fits as well. Those are drawn again, so that of a number that was given out every such slip is caught.
    pub fn random(rng: &mut (impl Rng + ?Sized)) -> Self {
        loop {
            let number = Self::completed(rng.random_range(100_000_000..=999_999_999));
            if !number.has_swapped_twin() {
                return number;
            }
        }
    }

    /// Reads a number as it is typed, pasted or spoken.
    ///
    /// Spaces and hyphens are skipped; full-width digits, Chinese digits and the readings 幺 (1) and 两 (2) are digits.
    pub fn parse(text: &str) -> Result<Self, NumberFault> {
        let (mut value, mut found) = (0_u64, 0_usize);
        for c in text.chars().filter(|c| !is_separator(*c)) {
            let digit = digit(c).ok_or(NumberFault::NotADigit(c))?;
            found += 1;
            // Further digits are only counted: the length is wrong already, and the value must not overflow.
            if found <= DIGITS {
                value = value * 10 + digit;
            }
        }
        if found != DIGITS {
            return Err(NumberFault::Length(found));
        }
        if value < 1_000_000_000 {
            return Err(NumberFault::LeadingZero);
        }
        let number = Self(value);
        if Self::completed(value / 10) == number { Ok(number) } else { Err(NumberFault::CheckDigit) }
    }

    /// In groups, for reading out: `123 456 7896`.
    #[must_use]
    pub fn spoken(self) -> String {
        format!("{} {:03} {:04}", self.0 / 10_000_000, self.0 / 10_000 % 1_000, self.0 % 10_000)
    }

    /// Nine digits and their check digit.
    fn completed(body: u64) -> Self {
        Self(body * 10 + check_digit((0..9).rev().map(|place| body / 10_u64.pow(place) % 10)))
    }

    /// Whether swapping two unequal neighbours gives another well-formed number.
    fn has_swapped_twin(self) -> bool {
        (0..9).any(|place| {
            let low = 10_u64.pow(place);
            let (right, left) = (self.0 / low % 10, self.0 / (low * 10) % 10);
            let swapped = self.0 - left * low * 10 - right * low + right * low * 10 + left * low;
            left != right && Self::completed(swapped / 10).0 == swapped
        })
    }
}

/// The check digit of these digits by ISO 7064:2003, MOD 11,10 (a hybrid system of two moduli): doubled and reduced
/// modulo 11 after every digit, so that each place weighs differently.
fn check_digit(digits: impl Iterator<Item = u64>) -> u64 {
    let carried = digits.fold(10, |carried, digit| {
        let sum = (carried + digit) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - carried) % 10
}

fn digit(c: char) -> Option<u64> {
    Some(match c {
        '0'..='9' => u64::from(c) - u64::from('0'),
        '０'..='９' => u64::from(c) - u64::from('０'),
        '〇' | '零' | '○' => 0,
        '一' | '幺' | '么' => 1,
        '二' | '两' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

/// Spaces of any width, and the hyphens and dashes that keyboards make of one.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}')
}

impl fmt::Display for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for CaseNumber {
    type Err = NumberFault;

    fn from_str(text: &str) -> Result<Self, NumberFault> {
        Self::parse(text)
    }
}

impl TryFrom<String> for CaseNumber {
    type Error = NumberFault;

    fn try_from(text: String) -> Result<Self, NumberFault> {
        Self::parse(&text)
    }
}

impl From<CaseNumber> for String {
    fn from(number: CaseNumber) -> Self {
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    fn some(seed: u64) -> CaseNumber {
        CaseNumber::random(&mut StdRng::seed_from_u64(seed))
    }

    fn digits_of(text: &str) -> impl Iterator<Item = u64> + '_ {
        text.chars().filter_map(digit)
    }

    #[test]
    fn the_check_digit_is_that_of_the_standard() {
        // The worked example of ISO 7064, and the published samples of the German tax number, which uses it too.
        assert_eq!(check_digit(digits_of("0794")), 5);
        assert_eq!(check_digit(digits_of("8609574271")), 9);
        assert_eq!(check_digit(digits_of("3657426180")), 9);
    }

    #[test]
    fn what_people_type_and_say_is_understood() {
        let number = CaseNumber::completed(120_345_678);
        let plain = number.to_string();
        assert_eq!(plain.get(..9), Some("120345678"));
        let last = &plain[9..];
        let spoken = "〇一二三四五六七八九".chars().nth(last.parse().unwrap()).unwrap();
        for text in [
            format!("120345678{last}"),
            format!(" 120 345 678{last}\n"),
            format!("120-345-678{last}"),
            format!("120–345－678\u{3000}{last}"),
            format!("１２０３４５６７８{last}"),
            format!("一二〇三四五六七八{spoken}"),
            format!("幺两零 三四五 六七八{spoken}"),
            number.spoken(),
        ] {
            assert_eq!(CaseNumber::parse(&text), Ok(number), "{text}");
        }
    }

    #[test]
    fn faults_are_told_apart() {
        assert_eq!(CaseNumber::parse(""), Err(NumberFault::Length(0)));
        assert_eq!(CaseNumber::parse("123 456"), Err(NumberFault::Length(6)));
        assert_eq!(CaseNumber::parse(&"9".repeat(40)), Err(NumberFault::Length(40)));
        assert_eq!(CaseNumber::parse("12345678x0"), Err(NumberFault::NotADigit('x')));
        assert_eq!(CaseNumber::parse("0123456789"), Err(NumberFault::LeadingZero));
        let good = CaseNumber::completed(123_456_789).0;
        for other in (good / 10 * 10..good / 10 * 10 + 10).filter(|n| *n != good) {
            assert_eq!(CaseNumber::parse(&other.to_string()), Err(NumberFault::CheckDigit));
        }
    }

    #[test]
    fn spoken_in_three_groups() {
        assert_eq!(CaseNumber(1_002_000_030).spoken(), "100 200 0030");
    }

    #[test]
    fn the_wire_form_is_a_string() {
        let number = some(1);
        let wire = serde_json::to_string(&number).unwrap();
        assert_eq!(wire, format!("\"{number}\""));
        assert_eq!(serde_json::from_str::<CaseNumber>(&wire).unwrap(), number);
        assert!(serde_json::from_str::<CaseNumber>("\"1\"").is_err());
    }

    proptest! {
        #[test]
        fn round_trips(seed: u64) {
            let number = some(seed);
            prop_assert_eq!(number.to_string().len(), DIGITS);
            prop_assert_eq!(CaseNumber::parse(&number.to_string()), Ok(number));
            prop_assert_eq!(CaseNumber::parse(&number.spoken()), Ok(number));
        }

        #[test]
        fn every_wrong_digit_and_every_swap_is_caught(seed: u64) {
            let number = some(seed).to_string();
            for place in 0..DIGITS {
                for digit in b'0'..=b'9' {
                    let mut wrong = number.clone().into_bytes();
                    wrong[place] = digit;
                    let wrong = String::from_utf8(wrong).unwrap();
                    prop_assert_eq!(CaseNumber::parse(&wrong).is_ok(), wrong == number);
                }
            }
            for place in 1..DIGITS {
                let mut wrong = number.clone().into_bytes();
                wrong.swap(place - 1, place);
                let wrong = String::from_utf8(wrong).unwrap();
                prop_assert_eq!(CaseNumber::parse(&wrong).is_ok(), wrong == number);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let _ = CaseNumber::parse(&text);
        }
    }
}
