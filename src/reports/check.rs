//! Reckoning a frozen report again: the same cases, the events up to the end of its period, the numbers it was reckoned by.
//!
//! Which cases are in it was settled when it was drawn. Whether one of them became confidential since is not asked: a
//! difference would tell of it, and what the report says of it was known to its readers then (decision 0021).

use std::collections::{BTreeMap, BTreeSet};

use entity::report;
use serde_json::Value;

use super::{
    canonical::{self, Difference},
    content::{self, About, Names, ReportContent, ReportLine},
    measure::{Measures, Rulers},
    ops,
    periods::{self, Named, Span},
    walk::Walk,
};
use crate::{app::App, calendar::Period, divisions, problem::Problem};

/// Differences that are told.
const MOST: usize = 100;

/// What it comes to.
pub(super) struct Check {
    /// As it was drawn.
    pub(super) digest: String,
    /// Of what is stored.
    pub(super) stored: String,
    /// Of what is reckoned now.
    pub(super) recomputed: String,
    pub(super) not_in_it: i64,
    pub(super) differences: Vec<Difference>,
}

/// Reckons a report again.
pub(super) async fn check(app: &App, row: &report::Model) -> Result<Check, Problem> {
    let db = app.db.read();
    let frozen: ReportContent = serde_json::from_str(&row.content).map_err(Problem::unexpected)?;
    let stored_lines = ops::lines_of(db, row.id).await?;
    let period = Named { name: frozen.period.clone(), days: Period { from: frozen.from, to: frozen.to } };
    let before = periods::before(frozen.kind, period.days);
    let measures = Measures { place: frozen.measure.clone(), own: frozen.own_measures.clone() };
    let walk = Walk {
        db,
        span: Span::of(period.days),
        before: before.as_ref().map(|before| Span::of(before.days)),
        rulers: Rulers::of(&measures),
        lists: ops::lists(frozen.kind),
    };
    let population = ops::read_population(&row.population)?;
    let sums = walk.of_population(&population).await?;
    let about = About {
        division: frozen.division,
        level: frozen.level,
        place: frozen.place.clone(),
        kind: frozen.kind,
        period: &period,
        before: before.as_ref(),
        measures: &measures,
    };
    let names = Names { places: frozen.places.clone(), units: frozen.units.clone() };
    let (now, lines) = content::write(about, &sums, names);
    let (text, written) = (canonical::text(&now)?, ops::written(&lines)?);
    let place = divisions::find(db, row.division_id).await?;
    let not_in_it = walk.missing(&place, &population).await?.len();
    Ok(Check {
        digest: row.digest.clone(),
        stored: canonical::digest(&row.content, stored_lines.iter().map(String::as_str)),
        recomputed: canonical::digest(&text, written.iter().map(String::as_str)),
        not_in_it: i64::try_from(not_in_it).unwrap_or(i64::MAX),
        differences: differences(&frozen, &now, &stored_lines, &lines)?,
    })
}

fn differences(
    frozen: &ReportContent,
    now: &ReportContent,
    stored: &[String],
    lines: &[ReportLine],
) -> Result<Vec<Difference>, Problem> {
    let value = |content: &ReportContent| serde_json::to_value(content).map_err(Problem::unexpected);
    let mut found = Vec::new();
    canonical::differences("", &value(frozen)?, &value(now)?, MOST, &mut found);
    let mut was: BTreeMap<String, Value> = BTreeMap::new();
    for line in stored {
        let line: Value = serde_json::from_str(line).map_err(Problem::unexpected)?;
        was.insert(line.get("number").and_then(Value::as_str).unwrap_or_default().to_owned(), line);
    }
    let mut is: BTreeMap<String, Value> = BTreeMap::new();
    for line in lines {
        is.insert(line.number.clone(), serde_json::to_value(line).map_err(Problem::unexpected)?);
    }
    let numbers: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    for number in numbers {
        let of = |lines: &BTreeMap<String, Value>| lines.get(number).cloned().unwrap_or_default();
        canonical::differences(&format!("/lines/{number}"), &of(&was), &of(&is), MOST, &mut found);
    }
    Ok(found)
}
