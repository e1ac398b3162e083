//! What is sent and shown of settings.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};
use entity::id::DivisionId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::{Own, Settings, Term};
use crate::{
    calendar::{CalendarRow, DayKind, DeskHours},
    problem::{FieldFault, Problem},
};

/// Desk hours, local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeskHoursView {
    /// `HH:MM`.
    #[serde(with = "hour")]
    #[schema(value_type = String, example = "09:00", pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    opens: NaiveTime,
    /// `HH:MM`, after it opens.
    #[serde(with = "hour")]
    #[schema(value_type = String, example = "17:00", pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    closes: NaiveTime,
}

/// `HH:MM`.
mod hour {
    use chrono::NaiveTime;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
    pub(super) fn serialize<S: Serializer>(time: &NaiveTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&time.format("%H:%M"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        NaiveTime::parse_from_str(&text, "%H:%M").map_err(D::Error::custom)
    }
}

impl From<DeskHours> for DeskHoursView {
    fn from(hours: DeskHours) -> Self {
        Self { opens: hours.opens(), closes: hours.closes() }
    }
}

/// A day on which the desks of a place work otherwise than the published calendar says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtraDay {
    pub(super) date: NaiveDate,
    /// Off or on.
    pub(super) kind: DayKind,
    /// Why, as the villager reads it in "why this day?".
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub(super) name: String,
}

/// What a place sets for itself and everything below it. It takes the place of what it set before; what is left out
/// comes from the place above.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeSettings {
    /// Numbers by name; see `usual` for all names.
    #[serde(default)]
    #[validate(length(max = 64))]
    pub(super) numbers: BTreeMap<String, u32>,
    pub(super) desk_hours: Option<DeskHoursView>,
    #[serde(default)]
    #[validate(length(max = 100), nested)]
    #[schema(max_items = 100)]
    pub(super) days: Vec<ExtraDay>,
}

/// What holds in a place, and what it sets itself.
#[derive(Serialize, ToSchema)]
pub struct SettingsView {
    division: DivisionId,
    /// What the place sets itself.
    own: ChangeSettings,
    /// Every number as it holds here.
    numbers: BTreeMap<&'static str, u32>,
    desk_hours: DeskHoursView,
    /// Every number where nobody sets it.
    usual: BTreeMap<&'static str, u32>,
}

impl SettingsView {
    pub(super) fn of(settings: &Settings, division: DivisionId, places: &[DivisionId]) -> Self {
        let clocks = settings.of(places);
        Self {
            division,
            own: settings.own(division).map(ChangeSettings::from).unwrap_or_default(),
            numbers: Term::ALL.iter().map(|term| (term.slug(), clocks.terms.get(*term))).collect(),
            desk_hours: clocks.terms.hours.into(),
            usual: Term::ALL.iter().map(|term| (term.slug(), term.usual())).collect(),
        }
    }
}

impl From<&Own> for ChangeSettings {
    fn from(own: &Own) -> Self {
        Self {
            numbers: own.numbers.iter().map(|(term, value)| (term.slug().to_owned(), *value)).collect(),
            desk_hours: own.hours.map(DeskHoursView::from),
            days: own.days.iter().map(ExtraDay::from).collect(),
        }
    }
}

impl From<&CalendarRow> for ExtraDay {
    fn from(row: &CalendarRow) -> Self {
        Self { date: row.date, kind: row.kind, name: row.name.clone() }
    }
}

impl ChangeSettings {
    /// As it is kept in memory.
    ///
    /// # Errors
    /// `invalid` with a pointer to each number, day or hour that may not be so.
    pub(super) fn read(&self) -> Result<Own, Problem> {
        let (mut own, mut faults) = (Own::default(), Vec::new());
        for (name, value) in &self.numbers {
            match Term::ALL.iter().find(|term| term.slug() == name) {
                None => faults.push(FieldFault::new(format!("/numbers/{name}"), "unknown")),
                Some(term) if !term.allows(*value) => {
                    faults.push(FieldFault::new(format!("/numbers/{name}"), "range"));
                }
                Some(term) => {
                    own.numbers.insert(*term, *value);
                }
            }
        }
        if let Some(hours) = self.desk_hours {
            // Within the hours in which anybody is told anything.
            let day = NaiveTime::from_hms_opt(7, 0, 0).zip(NaiveTime::from_hms_opt(21, 0, 0));
            let by_day = day.is_some_and(|(from, to)| hours.opens >= from && hours.closes <= to);
            own.hours = DeskHours::new(hours.opens, hours.closes).filter(|_| by_day);
            if own.hours.is_none() {
                faults.push(FieldFault::new("/desk_hours/closes", "range"));
            }
        }
        for (at, day) in self.days.iter().enumerate() {
            if self.days.iter().take(at).any(|other| other.date == day.date) {
                faults.push(FieldFault::new(format!("/days/{at}/date"), "duplicate"));
            }
            own.days.push(CalendarRow { date: day.date, kind: day.kind, name: day.name.clone() });
        }
        if faults.is_empty() { Ok(own) } else { Err(Problem::invalid(faults)) }
    }
}
