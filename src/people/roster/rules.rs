//! From lines to people: which column is which, what is wrong with which cell of which line.
//!
//! A register that takes nearly right lines is a register in which nobody is found, so every line is held to the rules
//! of [`crate::personal`], and what is wrong is named by line, column and reason so that the desk can mend the file.
//! Pure: no clock, no database. Next: [`super::import`], which writes what is right.

use std::collections::HashMap;

use chrono::NaiveDate;
use unicode_normalization::UnicodeNormalization;

use super::read::{Cell, Line, MOST_LINES};
use crate::{
    http::plain_text,
    personal::{CitizenNumber, NumberFault, PersonName, Personal, PhoneNumber, PrivateText},
};

/// Characters of a household number and of a group's name.
const LONGEST_WORD: usize = 40;
/// Characters of a note.
const LONGEST_NOTE: usize = 200;
/// From here on a number of a workbook has lost digits: Excel keeps 15.
const LOSES_DIGITS: f64 = 1e15;

/// A column of a roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Name,
    CitizenNo,
    HouseholdNo,
    Group,
    Phone,
    Note,
}

impl Column {
    pub(crate) const ALL: [Self; 6] =
        [Self::Name, Self::CitizenNo, Self::HouseholdNo, Self::Group, Self::Phone, Self::Note];

    /// Its name in the contract.
    pub(crate) fn slug(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::CitizenNo => "citizen_no",
            Self::HouseholdNo => "household_no",
            Self::Group => "group",
            Self::Phone => "phone",
            Self::Note => "note",
        }
    }

    /// How village offices head it.
    fn headings(self) -> &'static [&'static str] {
        match self {
            Self::Name => &["姓名"],
            Self::CitizenNo => &["身份证号", "公民身份号码", "身份证号码", "身份证"],
            Self::HouseholdNo => &["户号"],
            Self::Group => &["组", "组别", "村民小组"],
            Self::Phone => &["电话", "手机号", "手机号码", "电话号码", "联系电话"],
            Self::Note => &["备注"],
        }
    }

    fn of_heading(text: &str) -> Option<Self> {
        let heading: String = text.nfkc().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
        Self::ALL.into_iter().find(|column| column.slug() == heading || column.headings().contains(&heading.as_str()))
    }
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The line of the file or the sheet; the heading is line 1.
    pub(crate) line: u32,
    /// A column of the contract, or the letter of one that has no such name.
    pub(crate) column: String,
    /// A stable reason; its sentence is `field.{code}` of the message files.
    pub(crate) code: &'static str,
    /// The line that has the same citizen number.
    pub(crate) other_line: Option<u32>,
}

impl Fault {
    fn new(line: u32, column: impl Into<String>, code: &'static str) -> Self {
        Self { line, column: column.into(), code, other_line: None }
    }
}

/// A line that is right. It prints masked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) name: PersonName,
    pub(crate) citizen_no: CitizenNumber,
    pub(crate) household_no: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) phone: Option<PhoneNumber>,
    pub(crate) note: Option<PrivateText>,
}

/// A file that was looked through.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Checked {
    /// Columns that the file has; of the others it says nothing.
    pub(crate) columns: Vec<Column>,
    /// Lines that are right.
    pub(crate) entries: Vec<Entry>,
    /// What is wrong with the others, in their order.
    pub(crate) faults: Vec<Fault>,
    /// How many lines there are below the heading.
    pub(crate) lines: usize,
    /// Whether the heading alone is so wrong that no line can be read.
    pub(crate) hopeless: bool,
}

impl Checked {
    /// A file of more lines than one may have.
    pub(crate) fn too_long(first_too_many: u32) -> Self {
        let faults = vec![Fault::new(first_too_many, "", "too_many")];
        Self { faults, lines: MOST_LINES + 1, hopeless: true, ..Self::default() }
    }
}

/// Looks through the lines of a file. `today` tells who is not born yet.
pub(crate) fn check(lines: &[Line], today: NaiveDate) -> Checked {
    let (heading, lines) = match lines {
        [heading, lines @ ..] => (heading.clone(), lines),
        [] => (Line { number: 1, cells: vec![] }, lines),
    };
    let (places, faults) = read_heading(&heading);
    let columns = places.iter().copied().flatten().collect();
    let mut checked =
        Checked { columns, hopeless: !faults.is_empty(), faults, lines: lines.len(), ..Checked::default() };
    if checked.hopeless {
        return checked;
    }
    let mut seen = HashMap::new();
    for line in lines {
        match entry(line, &places, today).and_then(|entry| first_of_its_kind(entry, line.number, &mut seen)) {
            Ok(entry) => checked.entries.push(entry),
            Err(faults) => checked.faults.extend(faults),
        }
    }
    checked
}

/// Which column stands where, and what is wrong with the headings.
fn read_heading(heading: &Line) -> (Vec<Option<Column>>, Vec<Fault>) {
    let (mut places, mut faults) = (Vec::new(), Vec::new());
    for (at, cell) in heading.cells.iter().enumerate() {
        let text = if let Cell::Text(text) = cell { text.trim() } else { "?" };
        let column = Column::of_heading(text);
        match column {
            // A file without headings has a person here: what it says is not repeated.
            None if !text.is_empty() => faults.push(Fault::new(heading.number, letter(at), "unknown_heading")),
            Some(column) if places.contains(&Some(column)) => {
                faults.push(Fault::new(heading.number, column.slug(), "duplicate_heading"));
            }
            _ => {}
        }
        places.push(column);
    }
    for needed in [Column::Name, Column::CitizenNo] {
        if !places.contains(&Some(needed)) {
            faults.push(Fault::new(heading.number, needed.slug(), "missing_heading"));
        }
    }
    (places, faults)
}

/// The letter over a column: A, B, ... Z, AA.
fn letter(at: usize) -> String {
    let one = |at: usize| char::from(b'A' + u8::try_from(at % 26).unwrap_or_default());
    if at < 26 { one(at).to_string() } else { format!("{}{}", one(at / 26 - 1), one(at)) }
}

/// Of lines with the same citizen number the first right one counts.
fn first_of_its_kind(entry: Entry, line: u32, seen: &mut HashMap<CitizenNumber, u32>) -> Result<Entry, Vec<Fault>> {
    if let Some(first) = seen.get(&entry.citizen_no) {
        let fault = Fault::new(line, Column::CitizenNo.slug(), "duplicate_line");
        return Err(vec![Fault { other_line: Some(*first), ..fault }]);
    }
    seen.insert(entry.citizen_no.clone(), line);
    Ok(entry)
}

/// The person of a line, or all that is wrong with it.
fn entry(line: &Line, places: &[Option<Column>], today: NaiveDate) -> Result<Entry, Vec<Fault>> {
    let mut faults = Vec::new();
    for (at, cell) in line.cells.iter().enumerate() {
        let blank = matches!(cell, Cell::Text(text) if text.trim().is_empty());
        if !blank && places.get(at).copied().flatten().is_none() {
            faults.push(Fault::new(line.number, letter(at), "extra_cell"));
        }
    }
    let mut cells = Cells { line, places, faults };
    let name = cells.read(Column::Name, |text| PersonName::read(text).ok_or("format"));
    let citizen_no = cells.read(Column::CitizenNo, |text| citizen_number(text, today));
    let household_no = cells.read(Column::HouseholdNo, word);
    let group = cells.read(Column::Group, word);
    let phone = cells.read(Column::Phone, |text| PhoneNumber::read(text).ok_or("format"));
    let note = cells.read(Column::Note, note);
    match (name, citizen_no) {
        (Some(name), Some(citizen_no)) if cells.faults.is_empty() => {
            Ok(Entry { name, citizen_no, household_no, group, phone, note })
        }
        (name, citizen_no) => {
            for (column, missing) in [(Column::Name, name.is_none()), (Column::CitizenNo, citizen_no.is_none())] {
                let told = cells.faults.iter().any(|fault| fault.column == column.slug());
                if missing && !told {
                    cells.faults.push(Fault::new(line.number, column.slug(), "required"));
                }
            }
            Err(cells.faults)
        }
    }
}

/// The cells of a line, by column.
struct Cells<'a> {
    line: &'a Line,
    places: &'a [Option<Column>],
    faults: Vec<Fault>,
}

impl Cells<'_> {
    /// What stands in a column; `None` for nothing and for what is wrong, which is noted.
    fn read<T>(&mut self, column: Column, read: impl FnOnce(&str) -> Result<T, &'static str>) -> Option<T> {
        let at = self.places.iter().position(|place| *place == Some(column))?;
        let outcome = match text_of(self.line.cells.get(at)?, column) {
            Ok(text) if text.is_empty() => return None,
            Ok(text) => read(&text),
            Err(code) => Err(code),
        };
        outcome.map_err(|code| self.faults.push(Fault::new(self.line.number, column.slug(), code))).ok()
    }
}

fn text_of(cell: &Cell, column: Column) -> Result<String, &'static str> {
    match cell {
        Cell::Other => Err("type"),
        Cell::Number(number) if number.abs() >= LOSES_DIGITS => Err("digits_lost"),
        Cell::Number(number) => Ok(number.to_string()),
        Cell::Text(text) if !plain_text(text) => Err("control_characters"),
        Cell::Text(text) => {
            let text: String = text.nfc().collect();
            let text = unmarked(text.trim());
            let number = matches!(column, Column::CitizenNo | Column::Phone | Column::HouseholdNo);
            if number && is_scientific(text) { Err("digits_lost") } else { Ok(text.to_owned()) }
        }
    }
}

/// Without the apostrophe by which spreadsheets are told that what follows is text; our own registers write it too.
fn unmarked(text: &str) -> &str {
    let marked = |rest: &&str| rest.starts_with(|c: char| c.is_ascii_digit() || "=+-@".contains(c));
    text.strip_prefix(['\'', '’', '‘']).filter(marked).unwrap_or(text)
}

/// `5.11725E+17`: what a spreadsheet leaves of a long number when it saves CSV.
fn is_scientific(text: &str) -> bool {
    let Some((head, power)) = text.split_once(['E', 'e']) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(power.trim_start_matches(['+', '-'])) && digits(&head.replacen('.', "", 1))
}

fn citizen_number(text: &str, today: NaiveDate) -> Result<CitizenNumber, &'static str> {
    CitizenNumber::read(text, today).map_err(|fault| match fault {
        // A spreadsheet keeps 15 digits of a number and writes zeros for the last three.
        NumberFault::BadCheckDigit if text.ends_with("000") => "digits_lost",
        fault => fault.slug(),
    })
}

/// A household number or a group. They are kept in the clear, so what tells who somebody is does not belong there.
fn word(text: &str) -> Result<String, &'static str> {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    match text.chars().count() {
        1..=LONGEST_WORD if digits >= 15 => Err("holds_citizen_number"),
        1..=LONGEST_WORD => Ok(text.to_owned()),
        _ => Err("length"),
    }
}

fn note(text: &str) -> Result<PrivateText, &'static str> {
    if text.chars().count() <= LONGEST_NOTE { Ok(PrivateText::of_stored(text.to_owned())) } else { Err("length") }
}

#[cfg(test)]
pub(super) mod tests;
