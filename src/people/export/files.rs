//! How a register is written: CSV as it is read, a workbook in one piece; no cell of either is ever a formula.

use std::io;

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE},
    web::Bytes,
};
use futures_util::{Stream, stream};
use rust_xlsxwriter::{Workbook, XlsxError};

use super::{
    asked::ExportFormat,
    registers::{Cells, Pages},
};
use crate::problem::Problem;

/// Lines of the largest workbook, which is put together in memory; CSV has no end.
const MOST_IN_A_WORKBOOK: usize = 20_000;
/// Tells Excel that the text is UTF-8.
const MARK: &str = "\u{feff}";

/// The register as a file of this name.
pub(super) async fn answer(format: ExportFormat, name: &str, mut pages: Pages) -> Result<HttpResponse, Problem> {
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header((CACHE_CONTROL, "no-store"));
    let headings = pages.headings();
    match format {
        ExportFormat::Csv => {
            // The first lines before the answer begins: what fails then is still a failure the caller hears of.
            let begun = written(MARK, [headings].into_iter().chain(pages.next().await?.unwrap_or_default()))?;
            answer.insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"));
            Ok(answer.streaming(rest(begun, pages)))
        }
        ExportFormat::Xlsx => {
            let lines = all(headings, pages).await?;
            let made = tokio::task::spawn_blocking(move || workbook(&lines)).await.map_err(Problem::unexpected)?;
            let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
            Ok(answer.insert_header((CONTENT_TYPE, kind)).body(made.map_err(Problem::unexpected)?))
        }
    }
}

/// What was begun, then page after page as the client takes them.
fn rest(begun: Bytes, pages: Pages) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold((Some(begun), pages), |(begun, mut pages)| async move {
        if begun.is_some() {
            return Ok(begun.map(|bytes| (bytes, (None, pages))));
        }
        let lines = pages.next().await.and_then(|lines| lines.map(|lines| written("", lines)).transpose());
        let lines = lines.map_err(|problem| {
            tracing::error!(reason = problem.source_text(), "an export broke off");
            io::Error::other(problem.to_string())
        })?;
        Ok(lines.map(|bytes| (bytes, (None, pages))))
    })
}

fn written(mark: &str, lines: impl IntoIterator<Item = Cells>) -> Result<Bytes, Problem> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(mark.as_bytes().to_vec());
    for line in lines {
        writer.write_record(line.iter().map(|cell| safe(cell))).map_err(Problem::unexpected)?;
    }
    Ok(writer.into_inner().map_err(Problem::unexpected)?.into())
}

/// The headings and all lines, when a workbook may hold them.
async fn all(headings: Cells, mut pages: Pages) -> Result<Vec<Cells>, Problem> {
    let mut lines = vec![headings];
    while let Some(page) = pages.next().await? {
        lines.extend(page);
        if lines.len() > MOST_IN_A_WORKBOOK + 1 {
            return Err(Problem::field("?format", "too_many"));
        }
    }
    Ok(lines)
}

/// Every cell is text: a citizen number kept as a number loses its last digits.
fn workbook(lines: &[Cells]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (row, line) in (0..).zip(lines) {
        for (column, cell) in (0..).zip(line) {
            sheet.write_string(row, column, safe(cell))?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    book.save_to_buffer()
}

/// A cell that no spreadsheet takes for a formula (CWE-1236, OWASP CSV Injection): an apostrophe before the signs that
/// begin one, the full-width ones included, which Chinese input methods type.
fn safe(cell: &str) -> String {
    let begins = |c| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    if cell.starts_with(begins) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for wicked in ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1", "＠x"] {
            assert_eq!(safe(wicked), format!("'{wicked}"));
        }
        for plain in ["张一", "13800000000", "", "a=b", "'x"] {
            assert_eq!(safe(plain), plain);
        }
    }

    #[test]
    fn a_csv_begins_with_its_mark_and_quotes_what_needs_it() {
        let lines = [vec!["a".to_owned(), "b,c".to_owned()], vec!["=1".to_owned(), "x\"y".to_owned()]];
        let text = written(MARK, lines).unwrap();
        assert_eq!(std::str::from_utf8(&text).unwrap(), "\u{feff}a,\"b,c\"\r\n'=1,\"x\"\"y\"\r\n");
    }
}
