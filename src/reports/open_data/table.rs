//! The two tables, and what is kept out of them. Pure.

use serde::Serialize;

use crate::{
    problem::Problem,
    reports::{
        content::ReportContent,
        figures::{ReportShare, shares},
    },
    sheets::{self, Cells},
};

/// What is said of fewer is left blank.
pub(super) const FEWEST: i64 = 5;
/// Counts are rounded to multiples of this.
const ROUNDED_TO: i64 = 5;

/// A column and what it holds, in the words of Table Schema.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) description: &'static str,
    /// Part of the key.
    pub(super) key: bool,
}

const fn key(name: &'static str, kind: &'static str, description: &'static str) -> Column {
    Column { name, kind, description, key: true }
}

const fn figure(name: &'static str, kind: &'static str, description: &'static str) -> Column {
    Column { name, kind, description, key: false }
}

pub(super) const CASES: &[Column] = &[
    key("month", "yearmonth", "Month 月份"),
    key("division_code", "string", "Statistical code of the place 区划代码"),
    key("kind", "string", "talk 说事, proxy 民事代办, voice 民情代理"),
    key("topic", "string", "Code of the topic, none where none was said 事由代码"),
    figure("filed", "integer", "Cases filed 新收件数"),
    figure("answered", "integer", "Rounds answered 答复件次"),
    figure("completed_confirmed", "integer", "Closed by the villager's word 群众确认办结"),
    figure("completed_silent", "integer", "Closed by silence 未确认办结"),
    figure("overdue", "integer", "Answered after the due day 超期答复"),
    figure(
        "median_overdue_days",
        "integer",
        "Median of the working days by which late answers were late 超期工作日中位数",
    ),
];

pub(super) const RATES: &[Column] = &[
    key("month", "yearmonth", "Month 月份"),
    key("division_code", "string", "Statistical code of the place 区划代码"),
    key("rate", "string", "Name of the rate 指标"),
    figure("share", "number", "0 to 1, to the hundredth 比率"),
    figure("n", "integer", "Of how many 基数"),
];

/// A count that may be told.
fn told(count: i64) -> Option<i64> {
    (count >= FEWEST).then(|| (count + ROUNDED_TO / 2) / ROUNDED_TO * ROUNDED_TO)
}

fn cell(number: Option<impl ToString>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// Cases by month, kind and topic; a line with nothing that may be told is left out.
pub(super) fn cases(months: &[ReportContent]) -> Result<Vec<u8>, Problem> {
    let mut lines = vec![headings(CASES)];
    for month in months {
        for topic in &month.topics {
            let counts = [topic.filed, topic.answered, topic.confirmed, topic.silent, topic.late].map(told);
            if counts.iter().all(Option::is_none) {
                continue;
            }
            let median = topic.median_overdue_days.filter(|_| topic.late >= FEWEST);
            let kind = sheets::slug(&topic.kind);
            let named = [month.period.clone(), month.place.code.clone(), kind];
            let topic = topic.topic.clone().unwrap_or_else(|| "none".to_owned());
            lines.push(named.into_iter().chain([topic]).chain(counts.map(cell)).chain([cell(median)]).collect());
        }
    }
    sheets::written("", lines)
}

/// Rates by month; one of fewer than five is left out.
pub(super) fn rates(months: &[ReportContent]) -> Result<Vec<u8>, Problem> {
    let mut lines = vec![headings(RATES)];
    for month in months {
        for (name, share) in shares(&month.rates) {
            let Some((share, n)) = told_share(share) else { continue };
            let named = [month.period.clone(), month.place.code.clone(), name.to_owned()];
            lines.push(named.into_iter().chain([share, n.to_string()]).collect());
        }
    }
    sheets::written("", lines)
}

/// The share in hundredths, written out, and its number.
fn told_share(share: ReportShare) -> Option<(String, i64)> {
    let (part, n) = share.part.zip(share.n)?;
    // Neither may those who did nor those who did not be few: a share and its number would give them away.
    if [part, n - part].iter().any(|few| (1..FEWEST).contains(few)) {
        return None;
    }
    let hundredths = (part * 200 + n).checked_div(2 * n)?;
    Some((format!("{}.{:02}", hundredths / 100, hundredths % 100), told(n)?))
}

fn headings(columns: &[Column]) -> Cells {
    columns.iter().map(|column| column.name.to_owned()).collect()
}

/// A table schema (Frictionless Table Schema).
#[derive(Serialize)]
pub(super) struct Schema {
    fields: Vec<Field>,
    #[serde(rename = "primaryKey")]
    primary_key: Vec<&'static str>,
    #[serde(rename = "missingValues")]
    missing_values: [&'static str; 1],
}

#[derive(Serialize)]
struct Field {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    description: &'static str,
    constraints: Constraints,
}

#[derive(Serialize)]
struct Constraints {
    #[serde(skip_serializing_if = "is_false")]
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum: Option<i64>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
fn is_false(value: &bool) -> bool {
    !value
}

pub(super) fn schema(columns: &[Column]) -> Schema {
    let field = |column: &Column| {
        let least = match column.name {
            "share" | "median_overdue_days" => Some(0),
            _ if column.kind == "integer" => Some(FEWEST),
            _ => None,
        };
        Field {
            name: column.name,
            kind: column.kind,
            description: column.description,
            constraints: Constraints { required: column.key, minimum: least },
        }
    };
    Schema {
        fields: columns.iter().map(field).collect(),
        primary_key: columns.iter().filter(|column| column.key).map(|column| column.name).collect(),
        missing_values: [""],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_than_five_are_never_told() {
        for count in 0..5 {
            assert_eq!(told(count), None);
        }
        assert_eq!([5, 7, 8, 12, 13].map(told), [5, 5, 10, 10, 15].map(Some));
    }

    #[test]
    fn a_share_is_told_of_five_and_more() {
        let share = |part, n| told_share(ReportShare { part: Some(part), n: Some(n) });
        assert_eq!(share(1, 4), None);
        assert_eq!(share(0, 0), None);
        assert_eq!(share(4, 20), None, "four who did");
        assert_eq!(share(99, 100), None, "one who did not");
        assert_eq!(share(12, 18), Some(("0.67".to_owned(), 20)));
        assert_eq!(share(8, 8), Some(("1.00".to_owned(), 10)));
        assert_eq!(share(0, 5), Some(("0.00".to_owned(), 5)));
        assert_eq!(told_share(ReportShare { part: None, n: None }), None);
    }
}
