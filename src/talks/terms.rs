//! The terms of a talk day: what a rule and a single day have in common, and what they come to on a given date.
//!
//! A body becomes [`Terms`] only by passing its checks; [`Terms::on`] reckons every instant of a day. Pure, so that a
//! day made eight weeks ahead and one made by hand cannot differ. Next: [`super::slots`] for the cutting.

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use entity::{
    Instant,
    id::StaffId,
    talk_day::{self, TalkFormat, TalkPurpose},
    talk_rule,
};

use super::{
    bodies::TalkMode,
    slots::{self, Band, CutSlot},
};
use crate::{
    clock::{self, instant},
    problem::{FieldFault, Problem},
};

/// What is agreed about a talk day, whatever its date.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// Time and places.
    pub band: Band,
    /// Who listens.
    pub hosts: Vec<StaffId>,
    /// Where.
    pub place: String,
    /// How; the first is the usual one.
    pub modes: Vec<TalkMode>,
    /// What people come for.
    pub purpose: TalkPurpose,
    /// How they are heard.
    pub format: TalkFormat,
    /// Where those who are heard by video meet.
    pub video_url: Option<String>,
    /// When booking opens, in days before.
    pub opens_days_before: u32,
    /// When booking closes, in hours before the start.
    pub closes_hours_before: u32,
}

/// A day's instants and slots.
#[derive(Clone, Debug, PartialEq)]
pub struct DatedTerms {
    /// The local day.
    pub on_date: NaiveDate,
    /// The first slot starts.
    pub starts_at: Instant,
    /// The last slot ends.
    pub ends_at: Instant,
    /// Booking opens.
    pub opens_at: Instant,
    /// Booking and cancelling close.
    pub closes_at: Instant,
    /// The slots, in order.
    pub slots: Vec<CutSlot>,
}

impl Terms {
    pub(super) fn checked(self) -> Result<Self, Problem> {
        slots::cut(&self.band).map_err(|fault| Problem::field(&format!("/{}", fault.field()), fault.code()))?;
        let mut faults = Vec::new();
        if self.place.trim().is_empty() {
            faults.push(FieldFault::new("/place", "empty"));
        }
        let link = self.video_url.as_deref();
        if link.is_some_and(|link| !link.starts_with("https://")) {
            faults.push(FieldFault::new("/video_url", "format"));
        }
        if self.modes.contains(&TalkMode::Video) && link.is_none() {
            faults.push(FieldFault::new("/video_url", "required"));
        }
        faults.extend(twice(&self.modes).map(|at| FieldFault::new(format!("/modes/{at}"), "duplicate")));
        faults.extend(twice(&self.hosts).map(|at| FieldFault::new(format!("/hosts/{at}"), "duplicate")));
        let opens = TimeDelta::days(i64::from(self.opens_days_before)) + (self.band.starts - NaiveTime::MIN);
        if TimeDelta::hours(i64::from(self.closes_hours_before)) >= opens {
            faults.push(FieldFault::new("/closes_hours_before", "never_open"));
        }
        if faults.is_empty() { Ok(self) } else { Err(Problem::invalid(faults)) }
    }

    /// What the terms come to on a day.
    pub fn on(&self, date: NaiveDate) -> Result<DatedTerms, Problem> {
        let slots = slots::cut(&self.band).map_err(|fault| Problem::unexpected(fault.code()))?;
        let starts_at = instant(date, self.band.starts);
        Ok(DatedTerms {
            on_date: date,
            starts_at,
            ends_at: instant(date, slots.last().map_or(self.band.ends, |slot| slot.ends)),
            opens_at: instant(date, NaiveTime::MIN) - TimeDelta::days(i64::from(self.opens_days_before)),
            closes_at: starts_at - TimeDelta::hours(i64::from(self.closes_hours_before)),
            slots,
        })
    }
}

/// Where something stands for the second time.
fn twice<T: PartialEq>(items: &[T]) -> impl Iterator<Item = usize> {
    items.iter().enumerate().filter(|(at, item)| items.iter().take(*at).any(|seen| seen == *item)).map(|(at, _)| at)
}

impl TryFrom<&talk_rule::Model> for Terms {
    type Error = Problem;

    fn try_from(row: &talk_rule::Model) -> Result<Self, Problem> {
        Ok(Self {
            band: Band {
                starts: row.starts,
                ends: row.ends,
                slot_minutes: row.slot_minutes.unsigned_abs(),
                capacity: row.capacity.unsigned_abs(),
                walk_in_share: row.walk_in_share,
            },
            hosts: stored(&row.hosts)?,
            place: row.place.clone(),
            modes: stored(&row.modes)?,
            purpose: row.purpose,
            format: row.format,
            video_url: row.video_url.clone(),
            opens_days_before: row.opens_days_before.unsigned_abs(),
            closes_hours_before: row.closes_hours_before.unsigned_abs(),
        })
    }
}

/// What a JSON column holds.
pub(super) fn stored<T: serde::de::DeserializeOwned>(column: &serde_json::Value) -> Result<T, Problem> {
    T::deserialize(column).map_err(Problem::unexpected)
}

/// The modes of a day.
pub(super) fn modes_of(day: &talk_day::Model) -> Result<Vec<TalkMode>, Problem> {
    stored(&day.modes)
}

/// How far ahead a single day may be made: a year, so that a slip in the year is noticed.
const FARTHEST: TimeDelta = TimeDelta::days(366);

/// Whether a single day may be made: it must not have begun, nor lie too far ahead.
pub(super) fn check_single(dated: &DatedTerms, now: Instant) -> Result<(), Problem> {
    if dated.starts_at <= now {
        return Err(Problem::field("/date", "past"));
    }
    Ok(())
}

/// Whether a date can be reckoned with at all; asked before anything is added to it.
pub(super) fn check_date(date: NaiveDate, now: Instant) -> Result<(), Problem> {
    let today = clock::local_day(now);
    if date < today {
        return Err(Problem::field("/date", "past"));
    }
    if date - today > FARTHEST { Err(Problem::field("/date", "range")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn terms() -> Terms {
        let time = |text: &str| text.parse().unwrap();
        Terms {
            band: Band {
                starts: time("09:00:00"),
                ends: time("11:10:00"),
                slot_minutes: 15,
                capacity: 1,
                walk_in_share: 0.3,
            },
            hosts: vec![],
            place: "村委会".into(),
            modes: vec![TalkMode::InPerson],
            purpose: TalkPurpose::Talk,
            format: TalkFormat::PrivateSlots,
            video_url: None,
            opens_days_before: 7,
            closes_hours_before: 2,
        }
    }

    #[test]
    fn a_day_opens_at_midnight_and_closes_before_its_start() {
        let day = terms().on(date("2026-11-25")).unwrap();
        assert_eq!(day.starts_at, at("2026-11-25T01:00:00Z"));
        assert_eq!(day.ends_at, at("2026-11-25T03:00:00Z"), "a rest shorter than a slot is not part of the day");
        assert_eq!(day.opens_at, at("2026-11-17T16:00:00Z"));
        assert_eq!(day.closes_at, at("2026-11-24T23:00:00Z"));
        assert_eq!(day.slots.len(), 8);
    }

    #[test]
    fn terms_that_cannot_be_meant_are_refused() {
        assert!(terms().checked().is_ok());
        assert!(Terms { opens_days_before: 0, closes_hours_before: 9, ..terms() }.checked().is_err());
        assert!(Terms { opens_days_before: 0, closes_hours_before: 8, ..terms() }.checked().is_ok());
        assert!(Terms { place: "  ".into(), ..terms() }.checked().is_err());
        assert!(Terms { modes: vec![TalkMode::Phone, TalkMode::Phone], ..terms() }.checked().is_err());
        let host = StaffId::fresh();
        assert!(Terms { hosts: vec![host, host], ..terms() }.checked().is_err());
    }

    #[test]
    fn a_single_day_lies_ahead_but_not_beyond_a_year() {
        let now = at("2026-11-24T02:00:00Z");
        for (day, fine) in [
            ("2026-11-23", false),
            ("2026-11-24", true),
            ("2027-11-25", true),
            ("2027-11-26", false),
            ("9999-12-31", false),
        ] {
            assert_eq!(check_date(date(day), now).is_ok(), fine, "{day}");
        }
        assert!(check_single(&terms().on(date("2026-11-24")).unwrap(), now).is_err(), "it has begun");
    }
}
