//! How tables leave the house: CSV as it is read, a workbook in one piece; no cell of either is ever a formula.
//!
//! Whoever exports something implements [`Pages`] and answers with [`answer`]; cells are texts that may be seen.

use std::{
    future::{Ready, ready},
    io,
};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE},
    web::Bytes,
};
use futures_util::{Stream, stream};
use rust_i18n::t;
use rust_xlsxwriter::{Workbook, XlsxError};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::{
    http::read_query,
    problem::{Language, Problem},
};

/// Lines of the largest workbook, which is put together in memory; CSV has no end.
const MOST_IN_A_WORKBOOK: usize = 20_000;
/// Tells Excel that the text is UTF-8.
const MARK: &str = "\u{feff}";

/// What the file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// Text, UTF-8 with its mark, so that Excel knows.
    #[default]
    Csv,
    /// A workbook; at most 20,000 lines.
    Xlsx,
}

impl ExportFormat {
    /// How the name of the file ends.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }
}

/// `?format=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SheetParams {
    #[serde(default)]
    #[param(required = false, inline)]
    format: ExportFormat,
}

/// Validated parameters of a file: what narrows it, and what it is.
pub struct SheetQuery<T> {
    /// What narrows it.
    pub by: T,
    /// What it is.
    pub format: ExportFormat,
}

impl<T: DeserializeOwned + Validate> FromRequest for SheetQuery<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let of_file = |pair: &&str| pair.split('=').next() == Some("format");
        let (file, by): (Vec<&str>, Vec<&str>) = req.query_string().split('&').partition(of_file);
        let read = || {
            let SheetParams { format } = read_query(&file.join("&"))?;
            Ok(Self { by: read_query(&by.join("&"))?, format })
        };
        ready(read())
    }
}

/// A line, cell by cell.
pub type Cells = Vec<String>;

/// A table that is read page by page.
pub trait Pages {
    /// The first line.
    fn headings(&self) -> Cells;

    /// The next lines; none at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<Cells>>, Problem>>;
}

/// A table that is in memory.
pub struct Whole {
    headings: Cells,
    lines: Option<Vec<Cells>>,
}

impl Whole {
    /// Of its headings and lines.
    #[must_use]
    pub fn new(headings: Cells, lines: Vec<Cells>) -> Self {
        Self { headings, lines: Some(lines) }
    }
}

impl Pages for Whole {
    fn headings(&self) -> Cells {
        self.headings.clone()
    }

    async fn next(&mut self) -> Result<Option<Vec<Cells>>, Problem> {
        Ok(self.lines.take())
    }
}

/// A word of tables, from `locales/tables.yml`.
#[must_use]
pub fn word(kind: &str, code: &str, language: Language) -> String {
    t!(format!("table.{kind}.{code}"), locale = language.tag()).into_owned()
}

/// The code of a value that is written as one.
#[must_use]
pub fn slug(code: &impl Serialize) -> String {
    let value = serde_json::to_value(code).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// The table as a file of this name.
pub async fn answer(
    format: ExportFormat,
    name: &str,
    mut pages: impl Pages + 'static,
) -> Result<HttpResponse, Problem> {
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header((CACHE_CONTROL, "no-store"));
    let headings = pages.headings();
    match format {
        ExportFormat::Csv => {
            // The first lines before the answer begins: what fails then is still a failure the caller hears of.
            let begun = written(MARK, [headings].into_iter().chain(pages.next().await?.unwrap_or_default()))?.into();
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
fn rest(begun: Bytes, pages: impl Pages) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold((Some(begun), pages), |(begun, mut pages)| async move {
        if begun.is_some() {
            return Ok(begun.map(|bytes| (bytes, (None, pages))));
        }
        let lines = pages.next().await.and_then(|lines| lines.map(|lines| written("", lines)).transpose());
        let lines = lines.map_err(|problem| {
            tracing::error!(reason = problem.source_text(), "an export broke off");
            io::Error::other(problem.to_string())
        })?;
        Ok(lines.map(|bytes| (Bytes::from(bytes), (None, pages))))
    })
}

/// Lines as CSV (RFC 4180), after a mark.
///
/// # Errors
/// `unexpected`.
pub fn written(mark: &str, lines: impl IntoIterator<Item = Cells>) -> Result<Vec<u8>, Problem> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(mark.as_bytes().to_vec());
    for line in lines {
        writer.write_record(line.iter().map(|cell| safe(cell))).map_err(Problem::unexpected)?;
    }
    writer.into_inner().map_err(Problem::unexpected)
}

/// The headings and all lines, when a workbook may hold them.
async fn all(headings: Cells, mut pages: impl Pages) -> Result<Vec<Cells>, Problem> {
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
