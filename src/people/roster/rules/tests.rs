//! What is wrong with lines is named, all of it.

use super::*;

/// Every reason a line or a heading can be refused for.
pub(in crate::people::roster) const CODES: [&str; 20] = [
    "required",
    "format",
    "length",
    "type",
    "control_characters",
    "digits_lost",
    "wrong_length",
    "legacy_15_digit",
    "non_digit",
    "unknown_area_code",
    "bad_birth_date",
    "birth_in_future",
    "bad_check_digit",
    "duplicate_line",
    "extra_cell",
    "holds_citizen_number",
    "unknown_heading",
    "duplicate_heading",
    "missing_heading",
    "too_many",
];

/// Nobody living: born in 1900, serial 990.
const SOMEBODY: &str = "511725194611240009";

fn line(number: u32, cells: &[&str]) -> Line {
    Line { number, cells: cells.iter().map(|text| Cell::Text((*text).to_owned())).collect() }
}

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 23).unwrap()
}

fn told(lines: &[Line]) -> Vec<String> {
    let checked = check(lines, today());
    let words = |fault: &Fault| {
        assert!(CODES.contains(&fault.code), "{} is not in the list", fault.code);
        let other = fault.other_line.map_or(String::new(), |line| format!(" {line}"));
        format!("{} {} {}{other}", fault.line, fault.column, fault.code)
    };
    checked.faults.iter().map(words).collect()
}

#[test]
fn headings_are_understood_in_both_languages_and_any_order() {
    let all = ["备注", "Phone", " 户 号 ", "组", "公民身份号码", "姓名"];
    let checked = check(&[line(1, &all), line(2, &["", "", "", "", SOMEBODY, "张一"])], today());
    assert_eq!(checked.faults, []);
    assert_eq!(checked.columns.len(), 6);
    assert_eq!(checked.entries[0].name.in_the_clear(), "张一");
    assert!(told(&[line(1, &["name", "citizen_no"])]).is_empty());
}

#[test]
fn wrong_headings_are_named_without_repeating_them() {
    assert_eq!(told(&[]), ["1 name missing_heading", "1 citizen_no missing_heading"]);
    assert_eq!(
        told(&[line(1, &["张一", SOMEBODY, "姓名", "name", ""]), line(2, &["x"])]),
        ["1 A unknown_heading", "1 B unknown_heading", "1 name duplicate_heading", "1 citizen_no missing_heading"]
    );
    assert!(check(&[line(1, &["姓名"])], today()).hopeless);
    assert_eq!([letter(0), letter(25), letter(26), letter(64)], ["A", "Z", "AA", "BM"]);
}

#[test]
fn every_wrong_cell_is_named() {
    let heading = line(1, &["name", "citizen_no", "household_no", "group", "phone", "note"]);
    let long = "长".repeat(201);
    let rows = [
        line(2, &["张一", SOMEBODY, "12", "一组", "13800000000", "低保"]),
        line(3, &["", SOMEBODY]),
        line(4, &["张二"]),
        line(5, &["<b>", "511725194611240008", "", "", "110", &long]),
        line(6, &["张三", "511725461124000", &long, "", "1.38E+10", ""]),
        line(7, &["张四", "5.11725E+17", SOMEBODY, "", "", "", "extra"]),
        line(8, &["张五", "511725194611240000"]),
        line(9, &["张六", "'511725194611240009"]),
        line(10, &["张\u{1}七", "5117251946112400x9"]),
    ];
    let mut lines = vec![heading];
    lines.extend(rows);
    assert_eq!(
        told(&lines),
        [
            "3 name required",
            "4 citizen_no required",
            "5 name format",
            "5 citizen_no bad_check_digit",
            "5 phone format",
            "5 note length",
            "6 citizen_no legacy_15_digit",
            "6 household_no length",
            "6 phone digits_lost",
            "7 G extra_cell",
            "7 citizen_no digits_lost",
            "7 household_no holds_citizen_number",
            "8 citizen_no digits_lost",
            "9 citizen_no duplicate_line 2",
            "10 name control_characters",
            "10 citizen_no non_digit",
        ]
    );
    assert_eq!(check(&lines, today()).entries.len(), 1);
}

#[test]
fn numbers_of_a_workbook_are_read_when_no_digit_was_lost() {
    let number = |value: f64, column| text_of(&Cell::Number(value), column);
    assert_eq!(number(13_800_000_000.0, Column::Phone).unwrap(), "13800000000");
    assert_eq!(number(12.0, Column::HouseholdNo).unwrap(), "12");
    assert_eq!(number(1.5, Column::Group).unwrap(), "1.5");
    assert_eq!(number(511_725_194_611_240_009.0, Column::CitizenNo), Err("digits_lost"));
    assert_eq!(number(f64::INFINITY, Column::Phone), Err("digits_lost"));
    assert_eq!(text_of(&Cell::Other, Column::Name), Err("type"));
}

#[test]
fn only_marks_of_spreadsheets_are_taken_off() {
    assert_eq!([unmarked("'138"), unmarked("'=1+1"), unmarked("'阿")], ["138", "=1+1", "'阿"]);
    assert!(is_scientific("5.1E+17") && is_scientific("5E17") && is_scientific("5.1e-3"));
    assert!(!is_scientific("E17") && !is_scientific("12E") && !is_scientific("EAST"));
}
