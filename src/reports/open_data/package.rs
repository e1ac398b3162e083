//! The descriptor of the data package (Frictionless Data Package, version 1 of the standard). Pure.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::table::{self, CASES, Column, RATES, Schema};
use crate::{crypto::hex, problem::Problem, reports::content::ReportPlace};

/// The rule, in the words of the descriptor.
const RULE: &str = "Only months whose list was signed. No persons, no single cases, nothing confidential. Counts below 5 are \
    left blank, others are rounded to the nearest multiple of 5; medians and shares of fewer than 5, or where fewer than 5 did or did not, are left out; \
    satisfaction is told of 10 or more ratings only. 只含已审签的月份；不含个人、单个办件和保密件；少于5的数留空，其余按5取整；\
    基数少于5的比率和中位数不公布，满意率须有10个以上评价。";

/// A descriptor.
#[derive(Serialize)]
pub(super) struct Package {
    profile: &'static str,
    name: String,
    title: String,
    description: &'static str,
    /// When the last of its months was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<DateTime<Utc>>,
    licenses: [License; 1],
    resources: [Resource; 2],
}

#[derive(Serialize)]
struct License {
    name: &'static str,
    path: &'static str,
    title: &'static str,
}

#[derive(Serialize)]
struct Resource {
    profile: &'static str,
    name: &'static str,
    title: &'static str,
    path: &'static str,
    format: &'static str,
    mediatype: &'static str,
    encoding: &'static str,
    bytes: usize,
    hash: String,
    schema: Schema,
}

fn resource(
    (name, path): (&'static str, &'static str),
    title: &'static str,
    columns: &[Column],
    text: &[u8],
) -> Resource {
    Resource {
        profile: "tabular-data-resource",
        name,
        title,
        path,
        format: "csv",
        mediatype: "text/csv",
        encoding: "utf-8",
        bytes: text.len(),
        hash: format!("sha256:{}", hex(&Sha256::digest(text))),
        schema: table::schema(columns),
    }
}

/// Of a place and its two tables.
pub(super) fn write(
    place: &ReportPlace,
    signed_at: Option<DateTime<Utc>>,
    cases: &[u8],
    rates: &[u8],
) -> Result<String, Problem> {
    let package = Package {
        profile: "tabular-data-package",
        name: format!("shuoshi-{}", place.code),
        title: format!("{} 办件月度统计 Cases by month", place.name),
        description: RULE,
        created: signed_at,
        licenses: [License {
            name: "CC-BY-4.0",
            path: "https://creativecommons.org/licenses/by/4.0/",
            title: "Creative Commons Attribution 4.0",
        }],
        resources: [
            resource(("cases_by_month", "cases_by_month.csv"), "办件数 Cases by month, kind and topic", CASES, cases),
            resource(("rates", "rates.csv"), "比率 Rates by month", RATES, rates),
        ],
    };
    serde_json::to_string(&package).map_err(Problem::unexpected)
}
