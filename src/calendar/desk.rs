//! The hours of a working day, and spans that end at an hour.
//!
//! Some clocks are shorter than a day: the desk has one working day to accept and half a one for urgent matters, and
//! neither runs at night or on a holiday. Next: [`super::Calendar`] for the days themselves.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::{Calendar, FARTHEST_DAYS};
use crate::clock::{self, Instant};

/// From when to when the desk works on every working day, local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeskHours {
    opens: NaiveTime,
    closes: NaiveTime,
}

impl DeskHours {
    /// Desk hours; nothing unless the desk closes after it opens.
    #[must_use]
    pub fn new(opens: NaiveTime, closes: NaiveTime) -> Option<Self> {
        (opens < closes).then_some(Self { opens, closes })
    }

    /// When the desk opens.
    #[must_use]
    pub fn opens(self) -> NaiveTime {
        self.opens
    }

    /// Close of business.
    #[must_use]
    pub fn closes(self) -> NaiveTime {
        self.closes
    }
}

impl Default for DeskHours {
    /// 09:00 to 17:00.
    #[allow(clippy::expect_used, reason = "constants that are valid")]
    fn default() -> Self {
        let hour = |h| NaiveTime::from_hms_opt(h, 0, 0).expect("a full hour is a time");
        Self { opens: hour(9), closes: hour(17) }
    }
}

/// A length of time that only runs while the desk could work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Ends at close of business of the n-th working day after the start day.
    WorkingDays(u32),
    /// Hours of open desk; half a working day is 4.
    DeskHours(u32),
    /// Minutes of open desk.
    DeskMinutes(u32),
}

/// When a span that begins at `start` ends, and whether a day without a notice was looked at (then it may still move).
///
/// Days are those of China Standard Time. A day's span ends at close of business (民法典 203: 有业务时间的，停止业务活动的
/// 时间为截止时间). `WorkingDays(0)` ends on the start day; begun on a day off or after close of business it ends on the
/// next working day, for a deadline must not lie behind its own beginning. Hours begun outside desk hours begin at the
/// next opening, and may end at the very minute of closing.
#[must_use]
pub fn deadline(calendar: &Calendar, hours: DeskHours, start: Instant, span: Span) -> (Instant, bool) {
    // Instants at the very ends of what can be written have no local time; they are given back as they came.
    let Some(local) = start.naive_utc().checked_add_offset(clock::china()) else { return (start, true) };
    let (end, provisional) = match span {
        Span::WorkingDays(n) => end_of_days(calendar, hours, local, n),
        Span::DeskHours(n) => end_of_minutes(calendar, hours, local, i64::from(n) * 60),
        Span::DeskMinutes(n) => end_of_minutes(calendar, hours, local, n.into()),
    };
    end.checked_sub_offset(clock::china()).map_or((start, true), |end| (end.and_utc(), provisional))
}

fn end_of_days(calendar: &Calendar, hours: DeskHours, start: NaiveDateTime, n: u32) -> (NaiveDateTime, bool) {
    let over = n == 0 && start.time() >= hours.closes;
    let from = if over { start.date().succ_opt().unwrap_or(start.date()) } else { start.date() };
    let due = calendar.add_working_days(from, n);
    (due.on.and_time(hours.closes), due.provisional)
}

/// When the desk opens on this day.
#[must_use]
pub fn opening_of(hours: DeskHours, day: NaiveDate) -> Instant {
    clock::instant(day, hours.opens)
}

/// When it closes on this day.
#[must_use]
pub fn closing_of(hours: DeskHours, day: NaiveDate) -> Instant {
    clock::instant(day, hours.closes)
}

/// Whether the desk works at this moment.
#[must_use]
pub fn is_open(calendar: &Calendar, hours: DeskHours, now: Instant) -> bool {
    let local = now.with_timezone(&clock::china());
    calendar.is_working(local.date_naive()) && (hours.opens..hours.closes).contains(&local.time())
}

fn end_of_minutes(calendar: &Calendar, hours: DeskHours, start: NaiveDateTime, n: i64) -> (NaiveDateTime, bool) {
    let mut left = TimeDelta::minutes(n);
    let mut provisional = false;
    let mut last = start;
    for on in start.date().iter_days().take(FARTHEST_DAYS) {
        provisional |= !calendar.knows(on);
        let Some(begins) = opening(calendar, hours, start, on) else { continue };
        let room = hours.closes - begins;
        if left <= room {
            return (on.and_time(begins + left), provisional);
        }
        left -= room;
        last = on.and_time(hours.closes);
    }
    (last, true)
}

/// When the desk can begin on this day; nothing on a day off or when it has closed by the start.
fn opening(calendar: &Calendar, hours: DeskHours, start: NaiveDateTime, on: NaiveDate) -> Option<NaiveTime> {
    let begins = if on == start.date() { hours.opens.max(start.time()) } else { hours.opens };
    (calendar.is_working(on) && begins < hours.closes).then_some(begins)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::{
        super::tests::{calendar, date},
        *,
    };

    fn at(text: &str) -> Instant {
        DateTime::parse_from_rfc3339(&format!("{text}:00+08:00").replace(' ', "T")).unwrap().to_utc()
    }

    fn ends(start: &str, span: Span) -> String {
        let (end, provisional) = deadline(&calendar(), DeskHours::default(), at(start), span);
        assert!(!provisional);
        end.with_timezone(&clock::china()).format("%Y-%m-%d %H:%M").to_string()
    }

    #[test]
    fn days_end_at_close_of_business() {
        assert_eq!(ends("2026-03-02 10:00", Span::WorkingDays(1)), "2026-03-03 17:00");
        assert_eq!(ends("2026-03-02 23:59", Span::WorkingDays(1)), "2026-03-03 17:00");
        // Just after midnight it is already the next local day, although still the day before in UTC.
        assert_eq!(ends("2026-03-03 00:01", Span::WorkingDays(1)), "2026-03-04 17:00");
        assert_eq!(ends("2026-03-06 16:00", Span::WorkingDays(1)), "2026-03-09 17:00");
        // The Sunday before National Day 2026 is a make-up day, and so is the Saturday after.
        assert_eq!(ends("2026-09-18 12:00", Span::WorkingDays(1)), "2026-09-20 17:00");
        assert_eq!(ends("2026-09-30 12:00", Span::WorkingDays(3)), "2026-10-10 17:00");
    }

    #[test]
    fn no_days_end_today_unless_today_is_over() {
        assert_eq!(ends("2026-03-02 08:00", Span::WorkingDays(0)), "2026-03-02 17:00");
        assert_eq!(ends("2026-03-02 16:59", Span::WorkingDays(0)), "2026-03-02 17:00");
        assert_eq!(ends("2026-03-02 17:00", Span::WorkingDays(0)), "2026-03-03 17:00");
        assert_eq!(ends("2026-10-01 10:00", Span::WorkingDays(0)), "2026-10-08 17:00");
        assert_eq!(ends("2026-03-06 20:00", Span::WorkingDays(0)), "2026-03-09 17:00");
    }

    #[test]
    fn hours_run_only_while_the_desk_is_open() {
        assert_eq!(ends("2026-03-02 10:30", Span::DeskHours(4)), "2026-03-02 14:30");
        assert_eq!(ends("2026-03-02 13:00", Span::DeskHours(4)), "2026-03-02 17:00");
        assert_eq!(ends("2026-03-02 15:00", Span::DeskHours(4)), "2026-03-03 11:00");
        assert_eq!(ends("2026-03-02 06:00", Span::DeskHours(4)), "2026-03-02 13:00");
        assert_eq!(ends("2026-03-02 17:00", Span::DeskHours(4)), "2026-03-03 13:00");
        assert_eq!(ends("2026-03-02 22:15", Span::DeskHours(4)), "2026-03-03 13:00");
        assert_eq!(ends("2026-03-06 16:00", Span::DeskHours(4)), "2026-03-09 12:00");
        assert_eq!(ends("2026-03-07 12:00", Span::DeskHours(1)), "2026-03-09 10:00");
        assert_eq!(ends("2026-03-02 09:00", Span::DeskHours(20)), "2026-03-04 13:00");
        assert_eq!(ends("2026-03-02 21:00", Span::DeskHours(0)), "2026-03-03 09:00");
        assert_eq!(ends("2026-03-02 11:11", Span::DeskHours(0)), "2026-03-02 11:11");
    }

    #[test]
    fn hours_skip_holidays_and_use_make_up_saturdays() {
        assert_eq!(ends("2026-09-30 16:00", Span::DeskHours(4)), "2026-10-08 12:00");
        assert_eq!(ends("2026-10-09 16:00", Span::DeskHours(4)), "2026-10-10 12:00");
        assert_eq!(ends("2026-10-10 16:00", Span::DeskHours(4)), "2026-10-12 12:00");
        assert_eq!(ends("2026-10-03 03:00", Span::DeskHours(1)), "2026-10-08 10:00");
    }

    #[test]
    fn other_hours_are_kept_and_impossible_ones_refused() {
        let time = |h, m| NaiveTime::from_hms_opt(h, m, 0).unwrap();
        let hours = DeskHours::new(time(8, 30), time(12, 0)).unwrap();
        let (end, _) = deadline(&calendar(), hours, at("2026-03-02 11:00"), Span::DeskHours(4));
        assert_eq!(end, at("2026-03-03 11:30"));
        assert_eq!(DeskHours::new(time(9, 0), time(9, 0)), None);
        assert_eq!(DeskHours::new(time(17, 0), time(9, 0)), None);
    }

    #[test]
    fn a_year_without_a_notice_is_provisional() {
        let (end, provisional) =
            deadline(&calendar(), DeskHours::default(), at("2029-10-01 10:00"), Span::DeskHours(4));
        assert_eq!((end, provisional), (at("2029-10-01 14:00"), true));
    }

    #[test]
    fn the_ends_of_time_do_no_harm() {
        for start in [Instant::MIN_UTC, Instant::MAX_UTC] {
            for span in
                [Span::WorkingDays(0), Span::WorkingDays(u32::MAX), Span::DeskHours(0), Span::DeskHours(u32::MAX)]
            {
                let (_, provisional) = deadline(&calendar(), DeskHours::default(), start, span);
                assert!(provisional);
            }
        }
    }

    proptest! {
        /// Counting the open minutes one by one between start and end gives the span back.
        #[test]
        fn hours_agree_with_counting_minutes(minute in 0_i64..500_000, n in 1_u32..30) {
            let start = at("2025-12-25 00:00") + TimeDelta::minutes(minute);
            let (end, _) = deadline(&calendar(), DeskHours::default(), start, Span::DeskHours(n));
            let calendar = calendar();
            let mut open = 0;
            let mut now = start;
            while now < end {
                let (on, time) = (clock::local_day(now), clock::local_time(now));
                let hours = DeskHours::default();
                open += u32::from(calendar.is_working(on) && hours.opens <= time && time < hours.closes);
                now += TimeDelta::minutes(1);
            }
            prop_assert_eq!(open, n * 60);
            prop_assert!(calendar.is_working(clock::local_day(end)));
            prop_assert!(date("2025-12-25") <= clock::local_day(end));
        }
    }
}
