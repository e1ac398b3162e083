//! Which period a kind of report is of. Pure.

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, TimeDelta, Utc};
use entity::report::ReportKind;

use crate::{calendar::Period, clock, problem::Problem};

/// A period that a report is of, under its one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) days: Period,
}

/// How many months a kind covers; its periods begin in a month that this divides.
pub(super) fn months(kind: ReportKind) -> u32 {
    match kind {
        ReportKind::MonthlyList => 1,
        ReportKind::BimonthlyReview => 2,
        ReportKind::QuarterlyReport => 3,
        ReportKind::YearlyReport => 12,
    }
}

/// Reads the period of a kind.
///
/// # Errors
/// 422 at `/period`: `format` of what is no period, `range` of one of another length or beginning, `not_over` while it runs.
pub(super) fn read(kind: ReportKind, text: &str, today: NaiveDate) -> Result<Named, Problem> {
    let days = Period::read(text).map_err(|_| Problem::field("/period", "format"))?;
    let long = months(kind);
    if days.from.month0() % long != 0 || end(days.from, long) != Some(days.to) {
        return Err(Problem::field("/period", "range"));
    }
    if days.to >= today {
        return Err(Problem::field("/period", "not_over"));
    }
    Ok(Named { name: name(kind, days), days })
}

fn name(kind: ReportKind, days: Period) -> String {
    let month = |day: NaiveDate| day.format("%Y-%m").to_string();
    match kind {
        ReportKind::MonthlyList => month(days.from),
        ReportKind::BimonthlyReview => format!("{}..{}", month(days.from), month(days.to)),
        ReportKind::QuarterlyReport => format!("{}-Q{}", days.from.year(), days.from.month0() / 3 + 1),
        ReportKind::YearlyReport => days.from.year().to_string(),
    }
}

fn end(first: NaiveDate, long: u32) -> Option<NaiveDate> {
    first.checked_add_months(Months::new(long))?.pred_opt()
}

/// The period before, for the kinds that compare.
pub(super) fn before(kind: ReportKind, days: Period) -> Option<Named> {
    if !matches!(kind, ReportKind::QuarterlyReport | ReportKind::YearlyReport) {
        return None;
    }
    let from = days.from.checked_sub_months(Months::new(months(kind)))?;
    let days = Period { from, to: days.from.pred_opt()? };
    Some(Named { name: name(kind, days), days })
}

/// From the first moment of a period to the first after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) from: DateTime<Utc>,
    /// The first moment that is not in it.
    pub(super) until: DateTime<Utc>,
    pub(super) last_day: NaiveDate,
}

impl Span {
    pub(super) fn of(days: Period) -> Self {
        let begins = |day| clock::instant(day, NaiveTime::MIN);
        Self { from: begins(days.from), until: begins(days.to) + TimeDelta::days(1), last_day: days.to }
    }

    pub(super) fn holds(self, at: DateTime<Utc>) -> bool {
        (self.from..self.until).contains(&at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_periods_and_one_name_for_each() {
        let today = "2027-01-01".parse().unwrap();
        for (kind, text, name) in [
            (ReportKind::MonthlyList, "2026-11", "2026-11"),
            (ReportKind::MonthlyList, "2026-11..2026-11", "2026-11"),
            (ReportKind::BimonthlyReview, "2026-11..2026-12", "2026-11..2026-12"),
            (ReportKind::QuarterlyReport, "2026-10..2026-12", "2026-Q4"),
            (ReportKind::QuarterlyReport, "2026-Q1", "2026-Q1"),
            (ReportKind::YearlyReport, "2026", "2026"),
        ] {
            assert_eq!(read(kind, text, today).unwrap().name, name);
        }
        for (kind, text) in [
            (ReportKind::MonthlyList, "2026-Q1"),
            (ReportKind::BimonthlyReview, "2026-10..2026-11"),
            (ReportKind::QuarterlyReport, "2026-11..2027-01"),
            (ReportKind::YearlyReport, "2026-12"),
            (ReportKind::MonthlyList, "2027-01"),
            (ReportKind::MonthlyList, "never"),
        ] {
            assert!(read(kind, text, today).is_err(), "{text}");
        }
    }

    #[test]
    fn the_period_before_is_as_long() {
        let of = |text: &str| Period::read(text).unwrap();
        assert_eq!(before(ReportKind::QuarterlyReport, of("2026-Q1")).unwrap().name, "2025-Q4");
        assert_eq!(before(ReportKind::YearlyReport, of("2026")).unwrap().name, "2025");
        assert_eq!(before(ReportKind::MonthlyList, of("2026-01")), None);
    }
}
