//! What a period comes to, added up case by case: of the place, of its topics, of its villages. Pure.

use std::{collections::BTreeMap, ops::AddAssign};

use entity::{
    case::CaseKind,
    id::{CaseId, DivisionId},
};

use super::lives::{AtTheEnd, Facts, Filed};
use crate::cases::rates::Happened;

/// Steps that are no part of a rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Steps {
    pub(super) rejected: i64,
    pub(super) withdrawn: i64,
    pub(super) lapsed: i64,
    pub(super) merged: i64,
    pub(super) escalated: i64,
    pub(super) supervised: i64,
}

/// Counts of a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Open at some moment.
    pub(super) cases: i64,
    pub(super) filed: i64,
    pub(super) steps: Steps,
    pub(super) open_at_end: i64,
    pub(super) overdue_at_end: i64,
    pub(super) happened: Happened,
}

impl AddAssign<&Self> for Tally {
    fn add_assign(&mut self, other: &Self) {
        let (mine, more) = (&mut self.steps, other.steps);
        for (count, more) in [
            (&mut self.cases, other.cases),
            (&mut self.filed, other.filed),
            (&mut self.open_at_end, other.open_at_end),
            (&mut self.overdue_at_end, other.overdue_at_end),
            (&mut mine.rejected, more.rejected),
            (&mut mine.withdrawn, more.withdrawn),
            (&mut mine.lapsed, more.lapsed),
            (&mut mine.merged, more.merged),
            (&mut mine.escalated, more.escalated),
            (&mut mine.supervised, more.supervised),
        ] {
            *count += more;
        }
        self.happened += &other.happened;
    }
}

/// A case for the list.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) filed: Filed,
    pub(super) end: AtTheEnd,
}

/// The cases a report reckons with, by the village they lay in when it was drawn.
pub(super) type Population = BTreeMap<DivisionId, Vec<CaseId>>;

/// Everything a report says, before it is put into words.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) all: Tally,
    /// Of the period before.
    pub(super) before: Tally,
    pub(super) topics: BTreeMap<(CaseKind, Option<String>), Tally>,
    pub(super) villages: BTreeMap<DivisionId, Tally>,
    pub(super) listed: Vec<Listed>,
    pub(super) population: Population,
}

impl Sums {
    /// Adds a case: what the period made of it, and the period before.
    pub(super) fn add(&mut self, filed: Filed, now: Option<Facts>, before: Option<Facts>, lists: bool) {
        let touched = |facts: &Option<Facts>| facts.as_ref().is_some_and(|facts| facts.touched);
        // What happens to a closed case counts too: a call-back, a review.
        let counts = |facts: &Option<Facts>| facts.as_ref().is_some_and(|facts| facts.tally != Tally::default());
        if ![&now, &before].into_iter().any(|facts| touched(facts) || counts(facts)) {
            return;
        }
        self.population.entry(filed.village).or_default().push(filed.id);
        if let Some(before) = before {
            self.before += &before.tally;
        }
        let Some(now) = now else { return };
        self.all += &now.tally;
        *self.topics.entry((filed.kind, filed.topic.clone())).or_default() += &now.tally;
        *self.villages.entry(filed.village).or_default() += &now.tally;
        if lists && now.touched {
            self.listed.push(Listed { filed, end: now.end });
        }
    }
}
