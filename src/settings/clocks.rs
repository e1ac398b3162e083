//! What holds where: numbers, desk hours and days off of a place, the nearest place first.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use entity::id::DivisionId;
use sha2::{Digest, Sha256};

use super::terms::{Term, Terms};
use crate::{
    calendar::{Calendar, CalendarRow, DayKind, DeskHours},
    crypto::hex,
};

/// What one place set for itself and everything below it.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// Numbers.
    pub numbers: BTreeMap<Term, u32>,
    /// Desk hours.
    pub hours: Option<DeskHours>,
    /// Days off and working days beside the published ones.
    pub days: Vec<CalendarRow>,
}

/// The clocks of one place: its numbers and its calendar.
#[derive(Debug)]
pub struct Clocks {
    /// Numbers and desk hours.
    pub terms: Terms,
    /// Working days.
    pub calendar: Arc<Calendar>,
}

/// What places set, as it is stored: tells one state of the settings from another.
pub type Stamp = Vec<(DivisionId, serde_json::Value)>;

/// All that places set, and the calendar under it.
#[derive(Debug)]
pub struct Settings {
    calendar: Arc<Calendar>,
    own: HashMap<DivisionId, Own>,
    /// The city of each county.
    above: HashMap<DivisionId, DivisionId>,
    known: Mutex<HashMap<Vec<DivisionId>, Arc<Clocks>>>,
    stamp: Stamp,
    /// Whether every open due date was looked at since these settings hold.
    reckoned: AtomicBool,
}

impl Settings {
    /// Of a calendar, what places set, and the city of each county; `stamp` tells it from what is set later.
    #[must_use]
    pub fn new(
        calendar: Arc<Calendar>,
        own: HashMap<DivisionId, Own>,
        above: HashMap<DivisionId, DivisionId>,
        stamp: Stamp,
    ) -> Self {
        Self { calendar, own, above, known: Mutex::default(), stamp, reckoned: AtomicBool::new(false) }
    }

    /// Whether every open due date was reckoned by these settings.
    #[must_use]
    pub fn is_reckoned(&self) -> bool {
        self.reckoned.load(Ordering::Relaxed)
    }

    /// Every open due date was.
    pub fn mark_reckoned(&self) {
        self.reckoned.store(true, Ordering::Relaxed);
    }

    /// These settings, and what one place sets now.
    pub(super) fn with(&self, place: DivisionId, own: Own) -> Self {
        let mut all = self.own.clone();
        all.insert(place, own);
        Self::new(Arc::clone(&self.calendar), all, self.above.clone(), vec![])
    }

    pub(super) fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// The published calendar, without what places add.
    #[must_use]
    pub fn calendar(&self) -> &Arc<Calendar> {
        &self.calendar
    }

    /// What a place set itself.
    #[must_use]
    pub fn own(&self, division: DivisionId) -> Option<&Own> {
        self.own.get(&division)
    }

    /// The clocks of a place; `places` from the nearest up to its county or its city.
    #[must_use]
    pub fn of(&self, places: &[DivisionId]) -> Arc<Clocks> {
        let city = places.last().and_then(|county| self.above.get(county)).copied();
        let mut setting: Vec<DivisionId> =
            places.iter().copied().chain(city).filter(|place| self.own.contains_key(place)).collect();
        setting.dedup();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let made = known.entry(setting).or_insert_with_key(|setting| Arc::new(self.make(setting)));
        Arc::clone(made)
    }

    fn make(&self, setting: &[DivisionId]) -> Clocks {
        let mut terms = Terms::default();
        let mut days = BTreeMap::new();
        // From the farthest to the nearest: the nearest rules.
        for own in setting.iter().rev().filter_map(|place| self.own.get(place)) {
            for (term, value) in &own.numbers {
                terms.set(*term, *value);
            }
            terms.hours = own.hours.unwrap_or(terms.hours);
            days.extend(own.days.iter().map(|row| (row.date, row.clone())));
        }
        let calendar = if days.is_empty() { Arc::clone(&self.calendar) } else { Arc::new(self.calendar_with(days)) };
        Clocks { terms, calendar }
    }

    /// The published calendar with the days of a place; its version names both.
    fn calendar_with(&self, days: BTreeMap<chrono::NaiveDate, CalendarRow>) -> Calendar {
        let mut digest = Sha256::new();
        for row in days.values() {
            let kind = if row.kind == DayKind::Workday { "workday" } else { "holiday" };
            digest.update(format!("{} {kind}\n", row.date));
        }
        let mark: String = hex(&digest.finalize()).chars().take(8).collect();
        self.calendar.with(format!("{}+{mark}", self.calendar.version()), days.into_values())
    }
}
