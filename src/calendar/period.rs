//! Periods that numbers are asked for: `2026-11`, `2026-11..2026-12`, `2026-Q4`, `2026`.
//!
//! Whole months of the local calendar, both ends included. Pure: text in, two days out; what is no period is 422.

use chrono::{Datelike, Months, NaiveDate};

use crate::problem::Problem;

/// The most months of one period.
const LONGEST: i32 = 60;

/// Whole months: the first day of the first to the last day of the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
}

impl Period {
    /// Reads a period; 422 `format` when it is none, `range` when it is longer than five years or ends before it begins.
    pub fn read(text: &str) -> Result<Self, Problem> {
        let (first, last) = match text.split_once("..") {
            Some((first, last)) => (month(first), month(last)),
            None => months(text).map_or((None, None), |(first, last)| (Some(first), Some(last))),
        };
        let (Some(first), Some(last)) = (first, last) else { return Err(Problem::field("?period", "format")) };
        let span = (last.year() - first.year()) * 12 + i32::try_from(last.month0()).unwrap_or(0)
            - i32::try_from(first.month0()).unwrap_or(0);
        if !(0..LONGEST).contains(&span) {
            return Err(Problem::field("?period", "range"));
        }
        Ok(Self { from: first, to: end_of(last) })
    }

    /// The month of a day.
    #[must_use]
    pub fn month_of(day: NaiveDate) -> Self {
        let first = day.with_day(1).unwrap_or(day);
        Self { from: first, to: end_of(first) }
    }
}

fn end_of(first: NaiveDate) -> NaiveDate {
    first.checked_add_months(Months::new(1)).and_then(|next| next.pred_opt()).unwrap_or(first)
}

/// The first and the last month of a month, a quarter or a year.
fn months(text: &str) -> Option<(NaiveDate, NaiveDate)> {
    match text.split_once('-') {
        None => {
            let year = year(text)?;
            Some((NaiveDate::from_ymd_opt(year, 1, 1)?, NaiveDate::from_ymd_opt(year, 12, 1)?))
        }
        Some((of, quarter)) if quarter.starts_with('Q') => {
            let quarter: u32 = match quarter {
                "Q1" => 1,
                "Q2" => 2,
                "Q3" => 3,
                "Q4" => 4,
                _ => return None,
            };
            let year = year(of)?;
            let day = |month| NaiveDate::from_ymd_opt(year, month, 1);
            Some((day(quarter * 3 - 2)?, day(quarter * 3)?))
        }
        Some(_) => month(text).map(|first| (first, first)),
    }
}

fn month(text: &str) -> Option<NaiveDate> {
    let (of, month) = text.split_once('-')?;
    let month = (month.len() == 2).then(|| month.parse().ok())??;
    NaiveDate::from_ymd_opt(year(of)?, month, 1)
}

fn year(text: &str) -> Option<i32> {
    let plain = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten().filter(|year| (2000..=2999).contains(year))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_whole_months() {
        for (text, from, to) in [
            ("2026-11", "2026-11-01", "2026-11-30"),
            ("2028-02", "2028-02-01", "2028-02-29"),
            ("2026-11..2027-01", "2026-11-01", "2027-01-31"),
            ("2026-11..2026-11", "2026-11-01", "2026-11-30"),
            ("2026-Q1", "2026-01-01", "2026-03-31"),
            ("2026-Q4", "2026-10-01", "2026-12-31"),
            ("2026", "2026-01-01", "2026-12-31"),
        ] {
            let period = Period::read(text).unwrap();
            assert_eq!((period.from.to_string().as_str(), period.to.to_string().as_str()), (from, to), "{text}");
        }
        assert_eq!(Period::month_of("2026-12-31".parse().unwrap()), Period::read("2026-12").unwrap());
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in [
            "",
            "26",
            "2026-13",
            "2026-00",
            "2026-1",
            "2026-Q5",
            "2026-Q",
            "2026-11-01",
            "2026-12..2026-11",
            "..",
            "2026..2027",
            "2026-Q1..2026-Q2",
            "+026",
            "1999",
            "2020-01..2026-12",
            "２０２６",
            "2026-1１",
        ] {
            assert!(Period::read(text).is_err(), "{text}");
        }
    }
}
