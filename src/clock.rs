//! The one place that asks the machine what time it is.
//!
//! Everything else takes a [`Clock`] or an instant as an argument, so that tests and the development clock can move
//! time by hand. Instants are UTC with millisecond precision on both engines; local time is China Standard Time,
//! a fixed +08:00. Next: [`crate::calendar`] for working days.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, SubsecRound, TimeDelta, Utc};

/// An instant as every table and every answer of the product holds it: UTC, milliseconds.
pub type Instant = DateTime<Utc>;

/// China Standard Time, UTC+08:00 all year (国务院 1949; no daylight saving since 1991).
#[allow(clippy::expect_used, clippy::missing_panics_doc, reason = "a constant that is valid")]
#[must_use]
pub fn china() -> FixedOffset {
    FixedOffset::east_opt(8 * 3600).expect("+08:00 is a valid offset")
}

/// The local day of an instant.
#[must_use]
pub fn local_day(at: Instant) -> NaiveDate {
    at.with_timezone(&china()).date_naive()
}

/// The local time of day of an instant.
#[must_use]
pub fn local_time(at: Instant) -> NaiveTime {
    at.with_timezone(&china()).time()
}

/// The instant of a local day and time of day.
#[must_use]
pub fn instant(day: NaiveDate, time: NaiveTime) -> Instant {
    (day.and_time(time) - TimeDelta::hours(8)).and_utc()
}

/// A clock that can be wound forward by hand. Clones share their hands.
#[derive(Clone, Debug)]
pub struct Clock {
    fixed: Option<Instant>,
    ahead_ms: Arc<AtomicI64>,
}

impl Clock {
    /// The machine's clock, plus whatever it was wound forward.
    #[must_use]
    pub fn system() -> Self {
        Self { fixed: None, ahead_ms: Arc::default() }
    }

    /// A clock that stands at `at` until it is wound forward.
    #[must_use]
    pub fn standing_at(at: Instant) -> Self {
        Self { fixed: Some(at), ahead_ms: Arc::default() }
    }

    /// Now, cut to milliseconds.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn now(&self) -> Instant {
        let base = self.fixed.unwrap_or_else(Utc::now);
        (base + TimeDelta::milliseconds(self.ahead_ms.load(Ordering::Relaxed))).trunc_subsecs(3)
    }

    /// Moves the hands forward. Time never runs backwards: a negative span does nothing.
    pub fn advance(&self, span: TimeDelta) {
        self.ahead_ms.fetch_add(span.num_milliseconds().max(0), Ordering::Relaxed);
    }
}
