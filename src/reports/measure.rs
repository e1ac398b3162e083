//! By what a report reckons: the numbers and working days that held when it was drawn, frozen with it. Pure.
//!
//! Due days are those of the events. What is reckoned from them (how late, which light, whether a first contact was in
//! time) needs a few numbers of the place and its calendar, which places change and calendars that are published change.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{Datelike, Months, NaiveDate, NaiveTime, Weekday};
use entity::{case::CaseUrgency, id::DivisionId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    calendar::{Calendar, CalendarRow, DayKind, DeskHours, Period, Span, deadline},
    cases::sla::{DueLight, SHORT},
    clock::Instant,
    settings::{Clocks, Term},
};

/// A weekday off, or a day of a weekend that is worked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MeasuredDay {
    date: NaiveDate,
    working: bool,
}

/// The numbers of a place that a report reckons by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportMeasure {
    calendar_version: String,
    /// Days that are not what their weekday says, from two years before the period to two months after it.
    days: Vec<MeasuredDay>,
    /// `HH:MM:SS`, when desks open.
    #[schema(value_type = String, example = "09:00:00")]
    opens: NaiveTime,
    /// When they close.
    #[schema(value_type = String, example = "17:00:00")]
    closes: NaiveTime,
    /// Working days to the first contact.
    contact_days: u32,
    /// Minutes of desk time to the first contact when it is urgent.
    urgent_contact_minutes: u32,
    /// Working days left at which a light turns yellow, of a limit up to five.
    yellow_short: u32,
    /// The same of a longer limit.
    yellow_long: u32,
}

impl ReportMeasure {
    /// What holds now, for reckoning with a period.
    pub(super) fn of(clocks: &Clocks, days: Period) -> Self {
        let months = |count| Months::new(count);
        let first = days.from.checked_sub_months(months(24)).unwrap_or(days.from);
        let last = days.to.checked_add_months(months(2)).unwrap_or(days.to);
        let unusual = |date: &NaiveDate| clocks.calendar.is_working(*date) == is_weekend(*date);
        let term = |term| clocks.terms.get(term);
        Self {
            calendar_version: clocks.calendar.version().to_owned(),
            days: first
                .iter_days()
                .take_while(|day| *day <= last)
                .filter(unusual)
                .map(|date| MeasuredDay { date, working: clocks.calendar.is_working(date) })
                .collect(),
            opens: clocks.terms.hours.opens(),
            closes: clocks.terms.hours.closes(),
            contact_days: term(Term::ContactDays),
            urgent_contact_minutes: term(Term::UrgentContactMinutes),
            yellow_short: term(Term::YellowShort),
            yellow_long: term(Term::YellowLong),
        }
    }
}

fn is_weekend(date: NaiveDate) -> bool {
    matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

/// A measure, ready to reckon by.
#[derive(Debug)]
pub(super) struct Ruler {
    pub(super) calendar: Calendar,
    hours: DeskHours,
    measure: ReportMeasure,
}

impl Ruler {
    pub(super) fn of(measure: &ReportMeasure) -> Self {
        let row = |day: &MeasuredDay| CalendarRow {
            date: day.date,
            kind: if day.working { DayKind::Workday } else { DayKind::Holiday },
            name: String::new(),
        };
        Self {
            calendar: Calendar::new(measure.calendar_version.clone(), measure.days.iter().map(row)),
            hours: DeskHours::new(measure.opens, measure.closes).unwrap_or_default(),
            measure: measure.clone(),
        }
    }

    /// By when the villager is to be spoken to, of a case signed at a moment.
    pub(super) fn contact_due_at(&self, urgency: CaseUrgency, signed_at: Instant) -> Instant {
        let span = match urgency {
            CaseUrgency::Urgent => Span::DeskMinutes(self.measure.urgent_contact_minutes),
            CaseUrgency::Normal => Span::WorkingDays(self.measure.contact_days),
        };
        deadline(&self.calendar, self.hours, signed_at, span).0
    }

    /// The light of a running case.
    pub(super) fn light(&self, today: NaiveDate, due_on: NaiveDate, limit: u32) -> DueLight {
        let warns = if limit <= SHORT { self.measure.yellow_short } else { self.measure.yellow_long };
        if today > due_on {
            DueLight::Red
        } else if self.calendar.working_days_between(today, due_on) <= warns {
            DueLight::Yellow
        } else {
            DueLight::Green
        }
    }
}

/// The measure of a place, and of the villages in it that have another.
#[derive(Clone, Debug)]
pub(super) struct Measures {
    pub(super) place: ReportMeasure,
    /// By village id.
    pub(super) own: BTreeMap<String, ReportMeasure>,
}

/// The same, ready.
pub(super) struct Rulers {
    place: Arc<Ruler>,
    own: BTreeMap<DivisionId, Arc<Ruler>>,
}

impl Rulers {
    pub(super) fn of(measures: &Measures) -> Self {
        let own = measures
            .own
            .iter()
            .filter_map(|(village, measure)| Some((DivisionId(village.parse().ok()?), Arc::new(Ruler::of(measure)))));
        Self { place: Arc::new(Ruler::of(&measures.place)), own: own.collect() }
    }

    pub(super) fn of_village(&self, village: DivisionId) -> Arc<Ruler> {
        Arc::clone(self.own.get(&village).unwrap_or(&self.place))
    }
}
