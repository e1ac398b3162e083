//! Reads a calendar file: `date,kind,name` with optional further columns.
//!
//! A calendar decides every due day of the product, so a file with one bad row is refused as a whole, and every bad
//! row is named by its line. Next: [`super::Calendar`].

use std::{collections::BTreeSet, fmt, io};

use chrono::{Datelike, NaiveDate};

use super::{CalendarRow, DayKind};

/// A row that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// The line of the file, the heading being line 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: RowFault,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowFault {
    /// The heading lacks this column; nothing else was read.
    MissingColumn(&'static str),
    /// The row has no value in this column.
    MissingValue(&'static str),
    /// Not a day of the form 2026-10-01.
    NotADay(String),
    /// Neither `holiday` nor `workday`.
    UnknownKind(String),
    /// The `weekday` column (ISO, 1 is Monday) does not fit the date, so one of the two was mistyped.
    WrongWeekday(String),
    /// An earlier row already named the day.
    Repeated(NaiveDate),
    /// Not readable as CSV in UTF-8.
    Unreadable(String),
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingColumn(column) => write!(f, "the heading has no column {column}"),
            Self::MissingValue(column) => write!(f, "no value in column {column}"),
            Self::NotADay(text) => write!(f, "{text:?} is not a day such as 2026-10-01"),
            Self::UnknownKind(text) => write!(f, "{text:?} is neither holiday nor workday"),
            Self::WrongWeekday(text) => write!(f, "weekday {text:?} does not fit the date"),
            Self::Repeated(date) => write!(f, "{date} was named before"),
            Self::Unreadable(why) => write!(f, "unreadable: {why}"),
        }
    }
}

/// Where the columns stand in this file.
struct Columns {
    date: usize,
    kind: usize,
    name: usize,
    weekday: Option<usize>,
}

/// The rows of a calendar file, or every row that is wrong with it.
pub fn parse(file: impl io::Read) -> Result<Vec<CalendarRow>, Vec<BadRow>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(file);
    let columns = columns(&mut reader).map_err(|reason| vec![BadRow { line: 1, reason }])?;
    let (mut rows, mut bad, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for record in reader.records() {
        let (line, row) = match record {
            Ok(record) => (record.position().map_or(0, csv::Position::line), read(&record, &columns)),
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                bad.push(BadRow { line, reason: RowFault::Unreadable(error.to_string()) });
                // After a fault of the medium, unlike one of the text, the reader would repeat itself for ever.
                if error.is_io_error() {
                    break;
                }
                continue;
            }
        };
        match row {
            Ok(row) if !seen.insert(row.date) => bad.push(BadRow { line, reason: RowFault::Repeated(row.date) }),
            Ok(row) => rows.push(row),
            Err(reason) => bad.push(BadRow { line, reason }),
        }
    }
    if bad.is_empty() { Ok(rows) } else { Err(bad) }
}

fn columns(reader: &mut csv::Reader<impl io::Read>) -> Result<Columns, RowFault> {
    let headings = reader.headers().map_err(|error| RowFault::Unreadable(error.to_string()))?;
    // Spreadsheets like to put a byte order mark before the first heading.
    let place = |name| headings.iter().position(|heading| heading.trim_start_matches('\u{feff}') == name);
    let needed = |name| place(name).ok_or(RowFault::MissingColumn(name));
    Ok(Columns { date: needed("date")?, kind: needed("kind")?, name: needed("name")?, weekday: place("weekday") })
}

fn read(record: &csv::StringRecord, columns: &Columns) -> Result<CalendarRow, RowFault> {
    let value = |at: usize, column| record.get(at).filter(|v| !v.is_empty()).ok_or(RowFault::MissingValue(column));
    let text = value(columns.date, "date")?;
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| RowFault::NotADay(text.to_owned()))?;
    let kind = match value(columns.kind, "kind")? {
        "holiday" => DayKind::Holiday,
        "workday" => DayKind::Workday,
        other => return Err(RowFault::UnknownKind(other.to_owned())),
    };
    let name = value(columns.name, "name")?.to_owned();
    let stated = columns.weekday.and_then(|at| record.get(at)).filter(|v| !v.is_empty());
    match stated {
        Some(stated) if stated.parse() != Ok(date.weekday().number_from_monday()) => {
            Err(RowFault::WrongWeekday(stated.to_owned()))
        }
        _ => Ok(CalendarRow { date, kind, name }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_row_is_named_by_line_and_reason() {
        let file = "date,kind,name,weekday\n2026-10-01,holiday,国庆节,4\n2026-13-01,holiday,国庆节,4\n\
                    2026-10-02,feast,国庆节,5\n2026-10-03,holiday,,6\n2026-10-01,workday,国庆节,4\n2026-10-04\n\
                    2026-10-05,holiday,国庆节,2\n";
        let bad = parse(file.as_bytes()).unwrap_err();
        let told: Vec<_> = bad.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "line 3: \"2026-13-01\" is not a day such as 2026-10-01",
                "line 4: \"feast\" is neither holiday nor workday",
                "line 5: no value in column name",
                "line 6: 2026-10-01 was named before",
                "line 7: no value in column kind",
                "line 8: weekday \"2\" does not fit the date",
            ]
        );
    }

    #[test]
    fn the_heading_is_checked_first() {
        let bad = parse("day,kind,name\n2026-10-01,holiday,国庆节\n".as_bytes()).unwrap_err();
        assert_eq!(bad, [BadRow { line: 1, reason: RowFault::MissingColumn("date") }]);
        assert!(parse("".as_bytes()).is_err());
    }

    #[test]
    fn bytes_that_are_not_utf8_are_named_too() {
        let bad =
            parse(&b"date,kind,name\n2026-10-01,holiday,\xb9\xfa\xc7\xec\n2026-10-02,holiday,x\n"[..]).unwrap_err();
        assert_eq!(bad.len(), 1);
        assert_eq!(bad[0].line, 2);
    }

    #[test]
    fn a_byte_order_mark_and_missing_extra_columns_do_no_harm() {
        let rows = parse("\u{feff}date,kind,name\n2026-10-10,workday,国庆节\n".as_bytes()).unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].kind, DayKind::Workday);
    }
}
