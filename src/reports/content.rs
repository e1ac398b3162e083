//! What is frozen: counts, rates with the number they are of, comparisons; and the lines of a monthly list. Pure.
//!
//! Whole numbers and codes only, so that one content has one form ([`super::canonical`]). Names of places and units are
//! those of the day on which it was drawn; reckoning again takes them over.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::{
    case::{CaseKind, CaseResult, CaseState},
    division::{self, DivisionLevel},
    id::{DivisionId, UnitId},
    report::ReportKind,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    figures::{ReportCounts, ReportRates, ReportShare},
    measure::{Measures, ReportMeasure},
    periods::Named,
    points,
    tally::{Listed, Sums, Tally},
};
use crate::cases::sla::DueLight;

/// The form in which contents are written; another one gets another number.
const FORM: u32 = 1;

/// What came of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportTopic {
    pub(super) kind: CaseKind,
    /// A code of the list `topics`; null: none was said.
    pub(super) topic: Option<String>,
    pub(super) filed: i64,
    pub(super) answered: i64,
    pub(super) confirmed: i64,
    pub(super) silent: i64,
    pub(super) late: i64,
    pub(super) median_overdue_days: Option<u32>,
}

/// A place as it was called when the report was drawn.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct ReportPlace {
    /// Statistical code.
    pub(super) code: String,
    pub(super) name: String,
    /// 村委会, 居委会 ...: what it may be compared with.
    pub(super) class: String,
}

impl From<&division::Model> for ReportPlace {
    fn from(row: &division::Model) -> Self {
        Self { code: row.code.clone(), name: row.display_name.clone(), class: row.kind.clone() }
    }
}

/// A rate in which a village stands out from the villages of its class: ten hundredths or more, of ten or more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportPoint {
    /// The name of the rate.
    pub(super) rate: String,
    /// Better than its class, or worse.
    pub(super) better: bool,
    pub(super) share: ReportShare,
    /// Of all villages of its class in this report.
    pub(super) of_class: ReportShare,
}

/// A village of a review. They stand in the order of their codes: this is no league table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportVillage {
    #[serde(flatten)]
    pub(super) place: ReportPlace,
    pub(super) counts: ReportCounts,
    pub(super) rates: ReportRates,
    /// What stands out.
    pub(super) points: Vec<ReportPoint>,
}

/// The period before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportBefore {
    pub(super) period: String,
    pub(super) counts: ReportCounts,
    pub(super) rates: ReportRates,
}

/// What a report says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportContent {
    /// The form in which this is written.
    pub(super) form: u32,
    pub(super) division: DivisionId,
    pub(super) level: DivisionLevel,
    pub(super) place: ReportPlace,
    pub(super) kind: ReportKind,
    pub(super) period: String,
    /// The first day of the period.
    pub(super) from: NaiveDate,
    /// The last day.
    pub(super) to: NaiveDate,
    /// By what it was reckoned.
    pub(super) measure: ReportMeasure,
    /// By village id: of villages that go by other numbers.
    pub(super) own_measures: BTreeMap<String, ReportMeasure>,
    pub(super) counts: ReportCounts,
    pub(super) rates: ReportRates,
    /// By kind and topic.
    pub(super) topics: Vec<ReportTopic>,
    /// Of a quarterly and a yearly report.
    pub(super) before: Option<ReportBefore>,
    /// Of a bimonthly review: every village.
    pub(super) villages: Vec<ReportVillage>,
    /// Villages by id.
    pub(super) places: BTreeMap<String, ReportPlace>,
    /// Of a monthly list: names of units by id.
    pub(super) units: BTreeMap<String, String>,
    /// Of a monthly list: how many lines it has.
    pub(super) lines: i64,
}

/// A case of a monthly list, as it stood when the month ended. No person, and no word of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportLine {
    pub(super) number: String,
    pub(super) kind: CaseKind,
    /// A code of the list `topics`.
    pub(super) topic: Option<String>,
    /// Statistical code of the village.
    pub(super) village: String,
    /// Who had it; its name stands in `units`.
    pub(super) unit: UnitId,
    pub(super) state: CaseState,
    pub(super) filed_on: NaiveDate,
    pub(super) promised_due_on: Option<NaiveDate>,
    pub(super) statutory_due_on: Option<NaiveDate>,
    pub(super) answered_on: Option<NaiveDate>,
    pub(super) result: Option<CaseResult>,
    /// False: closed by silence.
    pub(super) confirmed: Option<bool>,
    pub(super) closed_on: Option<NaiveDate>,
    /// Working days past the due day: until the end of the month, or until the answer.
    pub(super) overdue_days: u32,
    /// Null while the clock stood still.
    pub(super) light: Option<DueLight>,
}

/// Names as they were when it was drawn.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) places: BTreeMap<String, ReportPlace>,
    pub(super) units: BTreeMap<String, String>,
}

/// What is reckoned of whom.
pub(super) struct About<'a> {
    pub(super) division: DivisionId,
    pub(super) level: DivisionLevel,
    pub(super) place: ReportPlace,
    pub(super) kind: ReportKind,
    pub(super) period: &'a Named,
    pub(super) before: Option<&'a Named>,
    pub(super) measures: &'a Measures,
}

/// The content and its lines, in their order.
pub(super) fn write(about: About<'_>, sums: &Sums, names: Names) -> (ReportContent, Vec<ReportLine>) {
    let mut lines: Vec<ReportLine> = sums.listed.iter().map(|listed| line(listed, &names)).collect();
    lines.sort_by(|a, b| (&a.village, &a.number).cmp(&(&b.village, &b.number)));
    let topic = |((kind, topic), tally): (&(CaseKind, Option<String>), &Tally)| ReportTopic {
        kind: *kind,
        topic: topic.clone(),
        filed: tally.filed,
        answered: tally.happened.answered,
        confirmed: tally.happened.confirmed.n,
        silent: tally.happened.silent,
        late: tally.happened.late(),
        median_overdue_days: tally.happened.median_overdue_days(),
    };
    let villages = if about.kind == ReportKind::BimonthlyReview { villages(sums, &names) } else { vec![] };
    let content = ReportContent {
        form: FORM,
        division: about.division,
        level: about.level,
        place: about.place,
        kind: about.kind,
        period: about.period.name.clone(),
        from: about.period.days.from,
        to: about.period.days.to,
        measure: about.measures.place.clone(),
        own_measures: about.measures.own.clone(),
        counts: (&sums.all).into(),
        rates: (&sums.all).into(),
        topics: sums.topics.iter().map(topic).collect(),
        before: about.before.map(|before| ReportBefore {
            period: before.name.clone(),
            counts: (&sums.before).into(),
            rates: (&sums.before).into(),
        }),
        villages,
        places: names.places,
        units: names.units,
        lines: i64::try_from(lines.len()).unwrap_or(i64::MAX),
    };
    (content, lines)
}

fn line(listed: &Listed, names: &Names) -> ReportLine {
    let (filed, end) = (&listed.filed, &listed.end);
    let village = names.places.get(&filed.village.to_string()).map(|place| place.code.clone());
    ReportLine {
        number: filed.number.clone(),
        kind: filed.kind,
        topic: filed.topic.clone(),
        village: village.unwrap_or_default(),
        unit: end.unit,
        state: end.state,
        filed_on: end.filed_on,
        promised_due_on: end.promised_due_on,
        statutory_due_on: end.statutory_due_on,
        answered_on: end.answered_on,
        result: end.result,
        confirmed: end.confirmed,
        closed_on: end.closed_on,
        overdue_days: end.overdue_days,
        light: end.light,
    }
}

/// Every village, in the order of the codes.
fn villages(sums: &Sums, names: &Names) -> Vec<ReportVillage> {
    let nothing = Tally::default();
    let tally = |id: &str| {
        let id = id.parse().ok().map(DivisionId);
        id.and_then(|id| sums.villages.get(&id)).unwrap_or(&nothing)
    };
    let mut classes: BTreeMap<&str, Tally> = BTreeMap::new();
    for (id, place) in &names.places {
        *classes.entry(place.class.as_str()).or_default() += tally(id);
    }
    let village = |(id, place): (&String, &ReportPlace)| {
        let tally = tally(id);
        let of_class = classes.get(place.class.as_str()).map(|class| &class.happened);
        ReportVillage {
            place: place.clone(),
            counts: tally.into(),
            rates: tally.into(),
            points: of_class.map(|class| points::of(&tally.happened, class)).unwrap_or_default(),
        }
    };
    let mut villages: Vec<ReportVillage> = names.places.iter().map(village).collect();
    villages.sort_by(|a, b| a.place.cmp(&b.place));
    villages
}
