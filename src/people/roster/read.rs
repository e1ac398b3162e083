//! From the bytes of a file to its lines, whatever it was saved as.
//!
//! A file is told by its bytes: a ZIP is a workbook (XLSX), text is CSV in UTF-8, UTF-16 with its mark, or GB18030 as
//! Excel in China saves it; names and headers of files lie. What unpacks to too much is refused before it is read
//! (decompression bombs), and cells are taken one by one, so that an empty sheet a million columns wide costs nothing.
//! Next: [`super::rules`], which reads the lines.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read, Seek},
};

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxError};
use encoding_rs::{Encoding, GB18030};
use zip::ZipArchive;

/// Lines below the heading that one file may have.
pub(crate) const MOST_LINES: usize = 20_000;
/// Cells of a line that are told apart; what stands further right counts as the last.
const MOST_CELLS: u32 = 64;
/// Bytes that a workbook may unpack to, all its parts together. 20,000 full lines are about a tenth of it.
const MOST_UNPACKED: u64 = 96 * 1024 * 1024;
/// Parts of a workbook; an ordinary one has a dozen.
const MOST_PARTS: usize = 1000;

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// As it was typed; empty where nothing was.
    Text(String),
    /// A number of a workbook, which keeps 15 digits of it.
    Number(f64),
    /// What no column of a roster holds: a date, a truth value, an error.
    Other,
}

/// A line that is not blank.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    /// As the file or the sheet counts, from 1.
    pub(crate) number: u32,
    /// From the left.
    pub(crate) cells: Vec<Cell>,
}

/// Why a file cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Neither a workbook nor a text.
    NotATable,
    /// It unpacks to more than anybody needs.
    Bomb,
    /// More than [`MOST_LINES`]; the first line that is too many.
    TooManyLines(u32),
}

/// The lines of a file, the heading first.
pub(crate) fn lines(bytes: &[u8]) -> Result<Vec<Line>, Unreadable> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return of_workbook(bytes);
    }
    of_text(&text(bytes).ok_or(Unreadable::NotATable)?)
}

/// The text of a file, with line feeds for whatever ended its lines.
fn text(bytes: &[u8]) -> Option<String> {
    let (text, wrong) = match Encoding::for_bom(bytes) {
        Some((encoding, mark)) => encoding.decode_without_bom_handling(bytes.get(mark..)?),
        None => match std::str::from_utf8(bytes) {
            Ok(text) => (text.into(), false),
            Err(_) => GB18030.decode_without_bom_handling(bytes),
        },
    };
    // No text has these; GB18030 makes letters of nearly everything else, pictures included.
    let binary = text.contains(|c| matches!(c, '\0'..='\u{8}' | '\u{e}'..='\u{1a}'));
    (!wrong && !binary).then(|| text.replace("\r\n", "\n").replace('\r', "\n"))
}

fn of_text(text: &str) -> Result<Vec<Line>, Unreadable> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let (mut lines, mut record) = (Vec::new(), csv::StringRecord::new());
    let mut at = Place { line: 1, byte: 0 };
    while reader.read_record(&mut record).map_err(|_| Unreadable::NotATable)? {
        let began = record.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or_default();
        let number = at.move_to(text, began);
        keep(&mut lines, Line { number, cells: record.iter().map(|cell| Cell::Text(cell.to_owned())).collect() })?;
    }
    Ok(lines)
}

/// Where a reader is in a text. The reader of `csv` counts blank lines only after it has passed them.
struct Place {
    line: u32,
    byte: usize,
}

impl Place {
    /// The number of the line that begins at `byte`, or after the blank ones that begin there.
    fn move_to(&mut self, text: &str, byte: usize) -> u32 {
        let rest = text.get(byte..).unwrap_or_default();
        let begins = byte + rest.len() - rest.trim_start_matches('\n').len();
        let passed = text.get(self.byte..begins).unwrap_or_default();
        self.line = self.line.saturating_add(u32::try_from(passed.matches('\n').count()).unwrap_or(u32::MAX));
        self.byte = begins;
        self.line
    }
}

/// What parts the cells: the sign that the heading has most of.
fn delimiter(text: &str) -> u8 {
    let heading = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let many = |sign: u8| heading.bytes().filter(|byte| *byte == sign).count();
    [b'\t', b';', b','].into_iter().max_by_key(|sign| many(*sign)).unwrap_or(b',')
}

fn of_workbook(bytes: &[u8]) -> Result<Vec<Line>, Unreadable> {
    check_unpacked(bytes)?;
    let not_a_table = |_: XlsxError| Unreadable::NotATable;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(not_a_table)?;
    let sheets = book.sheets_metadata().iter();
    let mut sheets = sheets.filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible);
    let name = sheets.next().ok_or(Unreadable::NotATable)?.name.clone();
    let mut reader = book.worksheet_cells_reader(&name).map_err(not_a_table)?;
    let mut lines = BTreeMap::<u32, Vec<Cell>>::new();
    while let Some(cell) = reader.next_cell().map_err(not_a_table)? {
        let ((row, column), value) = (cell.get_position(), read_cell(cell.get_value()));
        if value == Cell::Text(String::new()) {
            continue;
        }
        let cells = lines.entry(row).or_default();
        let column = usize::try_from(column.min(MOST_CELLS)).unwrap_or_default();
        if cells.len() <= column {
            cells.resize(column + 1, Cell::Text(String::new()));
        }
        if let Some(place) = cells.get_mut(column) {
            *place = value;
        }
        if lines.len() > MOST_LINES + 2 {
            break;
        }
    }
    let mut kept = Vec::with_capacity(lines.len());
    for (row, cells) in lines {
        keep(&mut kept, Line { number: row.saturating_add(1), cells })?;
    }
    Ok(kept)
}

fn read_cell(value: &DataRef<'_>) -> Cell {
    match value {
        DataRef::Empty => Cell::Text(String::new()),
        DataRef::String(text) => Cell::Text(text.clone()),
        DataRef::SharedString(text) => Cell::Text((*text).to_owned()),
        DataRef::Float(number) => Cell::Number(*number),
        #[allow(clippy::cast_precision_loss, reason = "what loses digits here is refused by its size later")]
        DataRef::Int(number) => Cell::Number(*number as f64),
        _ => Cell::Other,
    }
}

/// Adds a line unless it is blank.
fn keep(lines: &mut Vec<Line>, line: Line) -> Result<(), Unreadable> {
    if line.cells.iter().all(|cell| matches!(cell, Cell::Text(text) if text.trim().is_empty())) {
        return Ok(());
    }
    if lines.len() > MOST_LINES {
        return Err(Unreadable::TooManyLines(line.number));
    }
    lines.push(line);
    Ok(())
}

/// Unpacks a workbook into nothing: what its parts say of their size need not be true.
fn check_unpacked(bytes: &[u8]) -> Result<(), Unreadable> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Unreadable::NotATable)?;
    if archive.len() > MOST_PARTS {
        return Err(Unreadable::Bomb);
    }
    let mut left = MOST_UNPACKED;
    for part in 0..archive.len() {
        left = left.checked_sub(unpacked(&mut archive, part, left)?).ok_or(Unreadable::Bomb)?;
    }
    Ok(())
}

fn unpacked(archive: &mut ZipArchive<impl Read + Seek>, part: usize, left: u64) -> Result<u64, Unreadable> {
    let file = archive.by_index(part).map_err(|_| Unreadable::NotATable)?;
    std::io::copy(&mut file.take(left + 1), &mut std::io::sink()).map_err(|_| Unreadable::NotATable)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use rust_xlsxwriter::Workbook;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<(u32, Vec<String>)> {
        let text = |cell: &Cell| match cell {
            Cell::Text(text) => text.clone(),
            other => format!("{other:?}"),
        };
        lines(bytes).unwrap().iter().map(|line| (line.number, line.cells.iter().map(text).collect())).collect()
    }

    fn row(number: u32, cells: [&str; 2]) -> (u32, Vec<String>) {
        (number, cells.map(str::to_owned).to_vec())
    }

    #[test]
    fn text_is_read_in_whatever_it_was_saved_as() {
        let text = "姓名,组\n张一,一组\n";
        let expected = [row(1, ["姓名", "组"]), row(2, ["张一", "一组"])];
        assert_eq!(read(text.as_bytes()), expected);
        assert_eq!(read(format!("\u{feff}{text}").as_bytes()), expected);
        assert_eq!(read(&GB18030.encode(text).0), expected);
        assert_eq!(read(text.replace('\n', "\r\n").as_bytes()), expected);
        assert_eq!(read(text.replace('\n', "\r").as_bytes()), expected);
        assert_eq!(read(text.replace(',', "\t").as_bytes()), expected);
        assert_eq!(read(text.replace(',', ";").as_bytes()), expected);
        let wide = format!("\u{feff}{}", text.replace(',', "\t"));
        assert_eq!(read(&wide.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()), expected);
        assert_eq!(read(&GB18030.encode("赵𰻝,王䶮\n").0), [row(1, ["赵𰻝", "王䶮"])]);
    }

    #[test]
    fn lines_are_counted_as_an_editor_counts_them() {
        for end in ["\n", "\r\n"] {
            let text = ["", "a,b", "", "1,\"two\nlines\"", "", "", "3,4", ",", "5,6", ""].join(end);
            let numbers: Vec<u32> = lines(text.as_bytes()).unwrap().iter().map(|line| line.number).collect();
            assert_eq!(numbers, [2, 4, 8, 10], "{end:?}");
        }
        assert!(lines(b"").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_table_is_told_by_its_bytes() {
        for bytes in [
            &b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\x00\x01"[..],
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0",
            b"PK\x03\x04 and no more",
            b"\xff\xff\xff",
        ] {
            assert_eq!(lines(bytes).unwrap_err(), Unreadable::NotATable, "{bytes:?}");
        }
        assert_eq!(lines(&zipped(&[("a.txt", b"no workbook")])).unwrap_err(), Unreadable::NotATable);
    }

    fn zipped(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in parts {
            archive.start_file(*name, SimpleFileOptions::default()).unwrap();
            archive.write_all(bytes).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn bombs_are_refused_whatever_they_say_of_their_size() {
        let much = vec![b' '; usize::try_from(MOST_UNPACKED).unwrap() / 2 + 1];
        let mut bomb = zipped(&[("xl/workbook.xml", &much), ("xl/sharedStrings.xml", &much)]);
        assert!(bomb.len() < 1024 * 1024);
        assert_eq!(lines(&bomb).unwrap_err(), Unreadable::Bomb);
        // The directory at the end says that each part is a few bytes long.
        let size = u32::try_from(much.len()).unwrap().to_le_bytes();
        while let Some(at) = bomb.windows(4).position(|bytes| bytes == size) {
            bomb[at..at + 4].copy_from_slice(&[9, 0, 0, 0]);
        }
        assert!(lines(&bomb).is_err());
    }

    #[test]
    fn a_sheet_is_read_with_its_own_line_numbers() {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.write(0, 0, "姓名").unwrap().write(0, 1, "身份证号").unwrap();
        sheet.write(3, 0, "张一").unwrap().write(3, 1, 5.1e17).unwrap();
        sheet.write(4, 1, true).unwrap();
        // Far away: a dense table up to here would have sixteen billion cells.
        sheet.write(1_048_575, 16_383, "x").unwrap();
        let lines = lines(&book.save_to_buffer().unwrap()).unwrap();
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 4, 5, 1_048_576]);
        assert_eq!(lines[1].cells, [Cell::Text("张一".into()), Cell::Number(5.1e17)]);
        assert_eq!(lines[2].cells, [Cell::Text(String::new()), Cell::Other]);
        assert_eq!(lines[3].cells.len(), 65);
    }

    #[test]
    fn more_lines_than_a_village_has_people_are_refused() {
        let text = |lines| format!("name\n{}", "a\n".repeat(lines));
        assert_eq!(lines(text(MOST_LINES).as_bytes()).unwrap().len(), MOST_LINES + 1);
        assert_eq!(lines(text(MOST_LINES + 1).as_bytes()).unwrap_err(), Unreadable::TooManyLines(20_002));
    }
}
