//! Counts and rates as they are frozen: whole numbers, each rate with the number it is of. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::tally::Tally;
use crate::cases::rates::{FEWEST, Rates, Share};

/// So many of so many; the share is `part / n`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportShare {
    /// Null where `n` is.
    pub(super) part: Option<i64>,
    /// Null where it is of few people, and telling it would tell of them.
    pub(super) n: Option<i64>,
}

impl From<Share> for ReportShare {
    fn from(share: Share) -> Self {
        Self { part: Some(share.part), n: Some(share.n) }
    }
}

impl ReportShare {
    /// What is said of fewer than ten people is not told.
    fn of_people(share: Share) -> Self {
        if share.n >= FEWEST { share.into() } else { Self::default() }
    }
}

/// Counts of a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportCounts {
    /// Open at some moment of the period.
    pub(super) cases: i64,
    pub(super) filed: i64,
    /// Rounds answered.
    pub(super) answered: i64,
    /// Of these, after the day that was promised, else the statutory day.
    pub(super) late: i64,
    /// Closed by the villager's word.
    pub(super) confirmed: i64,
    /// Closed by silence.
    pub(super) silent: i64,
    pub(super) rejected: i64,
    pub(super) withdrawn: i64,
    pub(super) lapsed: i64,
    pub(super) merged: i64,
    /// Sent back by who got the work.
    pub(super) returned: i64,
    pub(super) escalated: i64,
    pub(super) supervised: i64,
    /// Objected to.
    pub(super) reopened: i64,
    /// Open when the period ended.
    pub(super) open_at_end: i64,
    /// Of these, past the due day while the clock ran.
    pub(super) overdue_at_end: i64,
}

impl From<&Tally> for ReportCounts {
    fn from(tally: &Tally) -> Self {
        let (happened, steps) = (&tally.happened, tally.steps);
        Self {
            cases: tally.cases,
            filed: tally.filed,
            answered: happened.answered,
            late: happened.late(),
            confirmed: happened.confirmed.n,
            silent: happened.silent,
            rejected: steps.rejected,
            withdrawn: steps.withdrawn,
            lapsed: steps.lapsed,
            merged: steps.merged,
            returned: happened.returned,
            escalated: steps.escalated,
            supervised: steps.supervised,
            reopened: happened.objected,
            open_at_end: tally.open_at_end,
            overdue_at_end: tally.overdue_at_end,
        }
    }
}

/// The rates, defined as in the overview. Silent closings are in no numerator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportRates {
    pub(super) first_contact: ReportShare,
    pub(super) solved: ReportShare,
    /// Null of fewer than ten.
    pub(super) satisfied: ReportShare,
    /// Null of fewer than ten.
    pub(super) rated: ReportShare,
    pub(super) on_time: ReportShare,
    /// Working days by which half of what was late was later; null of none.
    pub(super) median_overdue_days: Option<u32>,
    pub(super) returned: ReportShare,
    pub(super) one_notice: ReportShare,
    pub(super) reopened: ReportShare,
    /// Reviews that an appeal took out.
    pub(super) excluded_reviews: i64,
}

impl From<&Tally> for ReportRates {
    fn from(tally: &Tally) -> Self {
        let rates = Rates::of(&tally.happened);
        Self {
            first_contact: rates.first_contact.into(),
            solved: rates.solved.into(),
            satisfied: ReportShare::of_people(rates.satisfied),
            rated: ReportShare::of_people(rates.rated),
            on_time: rates.on_time.into(),
            median_overdue_days: rates.median_overdue_days,
            returned: rates.returned.into(),
            one_notice: rates.one_notice.into(),
            reopened: rates.reopened.into(),
            excluded_reviews: rates.excluded_reviews,
        }
    }
}

/// The shares of rates under their names, for tables.
pub(super) fn shares(rates: &ReportRates) -> [(&'static str, ReportShare); 8] {
    [
        ("first_contact", rates.first_contact),
        ("solved", rates.solved),
        ("satisfied", rates.satisfied),
        ("rated", rates.rated),
        ("on_time", rates.on_time),
        ("returned", rates.returned),
        ("one_notice", rates.one_notice),
        ("reopened", rates.reopened),
    ]
}

/// The counts under their names, for tables.
pub(super) fn counts(counts: &ReportCounts) -> [(&'static str, i64); 16] {
    [
        ("cases", counts.cases),
        ("filed", counts.filed),
        ("answered", counts.answered),
        ("late", counts.late),
        ("confirmed", counts.confirmed),
        ("silent", counts.silent),
        ("rejected", counts.rejected),
        ("withdrawn", counts.withdrawn),
        ("lapsed", counts.lapsed),
        ("merged", counts.merged),
        ("returned", counts.returned),
        ("escalated", counts.escalated),
        ("supervised", counts.supervised),
        ("reopened", counts.reopened),
        ("open_at_end", counts.open_at_end),
        ("overdue_at_end", counts.overdue_at_end),
    ]
}
