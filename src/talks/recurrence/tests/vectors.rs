//! The lunar calendar against days that were checked elsewhere, and against itself.
//!
//! `lunar-vectors.csv`: 200 days of 2020-2030 on which `PyPI` `lunar_python` 1.4.8 (MIT), `lunardate` 0.3.0 (GPL-3.0),
//! `zhdate` 0.1 (GPLv3+) and `cnlunar` 0.2.5 (MIT) agree; facts only, no code was taken over. 26 lie in leap months.

use super::{lunar::LunarDate, *};

/// The vectors: day, lunar day, how it reads without its year.
pub(super) fn vectors() -> Vec<(NaiveDate, LunarDate, String)> {
    let mut reader = csv::Reader::from_reader(include_bytes!("../lunar-vectors.csv").as_slice());
    let read = |row: csv::StringRecord| {
        let number = |at: usize| row[at].parse::<u8>().unwrap();
        let lunar = LunarDate { year: row[1].parse().unwrap(), month: number(2), leap: number(3) == 1, day: number(4) };
        (date(&row[0]), lunar, row[5].split_once('年').unwrap().1.to_owned())
    };
    reader.records().map(|row| read(row.unwrap())).collect()
}

#[test]
fn all_two_hundred_agree() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 200);
    assert_eq!(vectors.iter().filter(|(_, lunar, _)| lunar.leap).count(), 26);
    for (day, lunar, words) in vectors {
        assert_eq!(lunar::of(day), Some(lunar), "{day}");
        // GB/T 33661 writes 十一月 and 十二月; 冬月 and 腊月 are their other names.
        let words = words.replace("冬月", "十一月").replace("腊月", "十二月");
        assert_eq!(lunar.to_string(), words, "{day}");
        assert!(lunar_days(&[lunar.day]).falls_on(day), "{day}");
        assert!(market(MarketCalendar::Lunar, &[lunar.day % 10]).falls_on(day), "{day}");
        let others: Vec<u8> = (1..=30).filter(|other| *other != lunar.day).collect();
        assert!(!lunar_days(&others).falls_on(day), "{day}");
    }
}

/// Months follow each other in whole days, have 29 or 30 of them, and a leap month bears the number before it.
#[test]
fn months_of_all_years_that_are_reckoned_follow_each_other() {
    for year in (FIRST_YEAR..=LAST_YEAR).step_by(4) {
        let (from, to) = (NaiveDate::from_ymd_opt(year, 1, 1).unwrap(), NaiveDate::from_ymd_opt(year, 12, 31).unwrap());
        let days = lunar::days(from, to);
        assert_eq!(days.len(), from.iter_days().take_while(|day| *day <= to).count(), "{year}");
        for pair in days.windows(2) {
            let [(before, one), (after, two)] = pair else { unreachable!() };
            assert_eq!(before.succ_opt(), Some(*after));
            if two.day == 1 {
                assert!(matches!(one.day, 29 | 30), "{before} {one}");
                assert!(!one.leap || !two.leap, "{after} {two}");
                let number = if two.leap { one.month } else { one.month % 12 + 1 };
                assert_eq!(two.month, number, "{after} {two}");
                assert_eq!(two.year - one.year, i32::from(two.month == 1 && !two.leap), "{after} {two}");
            } else {
                assert_eq!(*two, LunarDate { day: one.day + 1, ..*one }, "{after}");
            }
        }
    }
}
