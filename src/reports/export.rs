//! A report as a file: a monthly list line by line, the others figure by figure; or the bytes that were hashed.

use std::io;

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE},
    web::{Bytes, Data},
};
use entity::{
    id::ReportId,
    report::{self, ReportKind},
};
use futures_util::stream;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::{
    content::{ReportContent, ReportLine, ReportPlace, ReportPoint},
    figures::{self, ReportCounts, ReportRates},
    ops,
};
use crate::{
    app::App,
    lists,
    problem::{Language, Problem},
    sheets::{self, Cells, ExportFormat, Pages, Whole, slug, word},
};

/// Lines that are read at once.
const PAGE: u64 = 1000;

/// What the file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportFormat {
    /// Text, UTF-8 with its mark, so that Excel knows.
    #[default]
    Csv,
    /// A workbook.
    Xlsx,
    /// Canonical JSON, the content first, then a line for each case: the bytes whose SHA-256 the report carries.
    Jsonl,
}

impl ReportFormat {
    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Jsonl => "jsonl",
        }
    }
}

/// `?format=`
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportReport {
    #[serde(default)]
    #[param(required = false, inline)]
    pub(super) format: ReportFormat,
}

/// The file.
pub(super) async fn answer(
    app: Data<App>,
    report: report::Model,
    format: ReportFormat,
    language: Language,
) -> Result<HttpResponse, Problem> {
    let content: ReportContent = serde_json::from_str(&report.content).map_err(Problem::unexpected)?;
    let name = format!("{}-{}-{}.{}", slug(&report.kind), content.place.code, report.period, format.ending());
    let table = match format {
        ReportFormat::Csv => ExportFormat::Csv,
        ReportFormat::Xlsx => ExportFormat::Xlsx,
        ReportFormat::Jsonl => return Ok(bytes(app, &report, &name)),
    };
    if report.kind == ReportKind::MonthlyList {
        return sheets::answer(table, &name, ListPages { app, report: report.id, content, language, after: Some(0) })
            .await;
    }
    sheets::answer(table, &name, table_of(&content, language)).await
}

/// The hashed bytes, page by page.
fn bytes(app: Data<App>, report: &report::Model, name: &str) -> HttpResponse {
    let first = Bytes::from(format!("{}\n", report.content));
    let id = report.id;
    let pages = stream::try_unfold((Some(first), Some(0)), move |(first, after)| {
        let app = app.clone();
        async move {
            if let Some(first) = first {
                return Ok::<_, io::Error>(Some((first, (None, after))));
            }
            let Some(after) = after else { return Ok(None) };
            let rows = ops::lines(app.db.read(), id, after, PAGE).await.map_err(|problem| {
                tracing::error!(reason = problem.source_text(), "an export broke off");
                io::Error::other(problem.to_string())
            })?;
            let Some(last) = rows.last().map(|row| row.seq) else { return Ok(None) };
            let text: String = rows.iter().flat_map(|row| [row.line.as_str(), "\n"]).collect();
            Ok(Some((Bytes::from(text), (None, Some(last)))))
        }
    });
    HttpResponse::Ok()
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_TYPE, "application/x-ndjson"))
        .streaming(pages)
}

/// The lines of a monthly list.
struct ListPages {
    app: Data<App>,
    report: ReportId,
    content: ReportContent,
    language: Language,
    /// The last line that was written; none at the end.
    after: Option<i32>,
}

impl Pages for ListPages {
    fn headings(&self) -> Cells {
        let columns = [
            "number",
            "case_kind",
            "topic",
            "village_code",
            "village",
            "unit",
            "state",
            "filed_on",
            "promised_due_on",
            "statutory_due_on",
            "answered_on",
            "result",
            "confirmed",
            "closed_on",
            "overdue_days",
            "light",
        ];
        columns.iter().map(|column| word("column", column, self.language)).collect()
    }

    async fn next(&mut self) -> Result<Option<Vec<Cells>>, Problem> {
        let Some(after) = self.after else { return Ok(None) };
        let rows = ops::lines(self.app.db.read(), self.report, after, PAGE).await?;
        self.after = rows.last().map(|row| row.seq);
        if rows.is_empty() {
            return Ok(None);
        }
        let cells = |row: &entity::report_line::Model| {
            let line: ReportLine = serde_json::from_str(&row.line).map_err(Problem::unexpected)?;
            Ok(self.cells(line))
        };
        Ok(Some(rows.iter().map(cells).collect::<Result<_, Problem>>()?))
    }
}

impl ListPages {
    fn cells(&self, line: ReportLine) -> Cells {
        let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
        let said =
            |kind: &str, code: Option<String>| code.map(|code| word(kind, &code, self.language)).unwrap_or_default();
        let village = self.content.places.values().find(|place| place.code == line.village);
        vec![
            line.number,
            word("case_kind", &slug(&line.kind), self.language),
            line.topic.map(|topic| lists::name("topics", &topic, self.language)).unwrap_or_default(),
            line.village,
            village.map(|place| place.name.clone()).unwrap_or_default(),
            self.content.units.get(&line.unit.to_string()).cloned().unwrap_or_default(),
            word("case_state", &slug(&line.state), self.language),
            line.filed_on.to_string(),
            day(line.promised_due_on),
            day(line.statutory_due_on),
            day(line.answered_on),
            said("case_result", line.result.map(|result| slug(&result))),
            said("value", line.confirmed.map(|yes| if yes { "yes" } else { "no" }.to_owned())),
            day(line.closed_on),
            line.overdue_days.to_string(),
            said("light", line.light.map(|light| slug(&light))),
        ]
    }
}

/// One line a figure: of the place, then of its villages in the order of their codes.
fn table_of(content: &ReportContent, language: Language) -> Whole {
    let columns = ["place_code", "place", "class", "figure", "count", "of", "count_before", "of_before", "stands_out"];
    let headings = columns.iter().map(|column| word("column", column, language)).collect();
    let before = content.before.as_ref().map(|before| (&before.counts, &before.rates));
    let mut lines = lines_of(&content.place, (&content.counts, &content.rates), before, &[], language);
    for village in &content.villages {
        lines.extend(lines_of(&village.place, (&village.counts, &village.rates), None, &village.points, language));
    }
    Whole::new(headings, lines)
}

fn lines_of(
    place: &ReportPlace,
    (counts, rates): (&ReportCounts, &ReportRates),
    before: Option<(&ReportCounts, &ReportRates)>,
    points: &[ReportPoint],
    language: Language,
) -> Vec<Cells> {
    let text = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let line = |figure: &str, now: [Option<i64>; 2], before: [Option<i64>; 2]| {
        let rate = figure.strip_prefix("rate_");
        let point = points.iter().find(|point| Some(point.rate.as_str()) == rate);
        let stands_out = point.map(|point| word("value", if point.better { "better" } else { "worse" }, language));
        let [part, n] = now.map(text);
        let [part_before, n_before] = before.map(text);
        let named = [place.code.clone(), place.name.clone(), place.class.clone(), word("figure", figure, language)];
        named.into_iter().chain([part, n, part_before, n_before, stands_out.unwrap_or_default()]).collect::<Cells>()
    };
    let mut lines = Vec::new();
    let counts_before = before.map(|(counts, _)| figures::counts(counts));
    for (at, (name, count)) in figures::counts(counts).into_iter().enumerate() {
        let was = counts_before.as_ref().and_then(|all| all.get(at)).map(|(_, count)| *count);
        lines.push(line(name, [Some(count), None], [was, None]));
    }
    let shares_before = before.map(|(_, rates)| figures::shares(rates));
    for (at, (name, share)) in figures::shares(rates).into_iter().enumerate() {
        let was = shares_before.as_ref().and_then(|all| all.get(at)).map(|(_, share)| *share).unwrap_or_default();
        lines.push(line(&format!("rate_{name}"), [share.part, share.n], [was.part, was.n]));
    }
    let median = |rates: &ReportRates| rates.median_overdue_days.map(i64::from);
    lines.push(line("median_overdue_days", [median(rates), None], [before.and_then(|(_, rates)| median(rates)), None]));
    lines
}
