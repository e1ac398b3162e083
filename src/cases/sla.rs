//! Clocks of a case: how long what may take, and when it is due. Pure; working days come from [`crate::calendar`].
//!
//! Days count from the day after acceptance and move on from a day off (民法典 201, 203; 行政许可法 82). The numbers are
//! those of 四川12345 (2025-12): 3, 7 and 15 working days for concerns.

use chrono::{NaiveDate, TimeDelta};
use entity::{
    Instant,
    case::{CaseConcern, CaseKind, CaseState},
};

use crate::{
    calendar::{Calendar, DeskHours, Span, deadline},
    clock::local_day,
};

/// Working days the desk has to accept; then silence accepts.
const ACCEPT_WITHIN: u32 = 1;
/// Working days the assignee has to sign or return; then silence signs.
const SIGN_WITHIN: u32 = 1;
/// Working days the villager has to confirm or object; then silence closes, unconfirmed.
const CONFIRM_WITHIN: u32 = 5;
/// Days after closing until a case is archived.
const ARCHIVE_AFTER: TimeDelta = TimeDelta::days(30);
/// Days after the answer in which a review may be given.
pub const REVIEW_WITHIN: TimeDelta = TimeDelta::days(30);
/// Working days a reopened case has at least.
pub const REOPENED_AT_LEAST: u32 = 3;
/// Working days that order the lists where an item promises nothing (行政许可法 42: twenty).
const WHERE_NOTHING_IS_PROMISED: u32 = 20;

/// Working days promised for a case without an item of its own limit.
#[must_use]
pub fn promised_days(kind: CaseKind, concern: Option<CaseConcern>) -> Option<u32> {
    match (kind, concern) {
        (CaseKind::Voice, Some(CaseConcern::Question)) => Some(3),
        (CaseKind::Voice, Some(CaseConcern::Help | CaseConcern::Suggestion)) | (CaseKind::Talk, _) => Some(7),
        (CaseKind::Voice, Some(CaseConcern::Complaint | CaseConcern::Report)) => Some(15),
        _ => None,
    }
}

/// Due dates set at acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueDates {
    /// What was promised.
    pub promised: Option<NaiveDate>,
    /// What the law allows.
    pub statutory: Option<NaiveDate>,
    /// The day that orders the lists.
    pub order: NaiveDate,
    /// A year without a published calendar was counted.
    pub provisional: bool,
}

/// Due dates of a case accepted on a day.
#[must_use]
pub fn due_dates(
    calendar: &Calendar,
    accepted_on: NaiveDate,
    promised: Option<u32>,
    statutory: Option<u32>,
) -> DueDates {
    let day = |days: u32| calendar.add_working_days(accepted_on, days);
    let (promised, statutory) = (promised.map(day), statutory.map(day));
    let order = promised.or(statutory).unwrap_or_else(|| day(WHERE_NOTHING_IS_PROMISED));
    DueDates {
        promised: promised.map(|due| due.on),
        statutory: statutory.map(|due| due.on),
        order: order.on,
        provisional: [promised, statutory].iter().flatten().any(|due| due.provisional) || order.provisional,
    }
}

/// When silence acts in a state entered at `since`; `None` where no clock runs by itself.
#[must_use]
pub fn silence_acts_at(calendar: &Calendar, state: CaseState, since: Instant) -> Option<Instant> {
    let working_days = |days| deadline(calendar, DeskHours::default(), since, Span::WorkingDays(days)).0;
    match state {
        CaseState::Submitted => Some(working_days(ACCEPT_WITHIN)),
        CaseState::Assigned => Some(working_days(SIGN_WITHIN)),
        CaseState::Answered => Some(working_days(CONFIRM_WITHIN)),
        CaseState::Completed => Some(since + ARCHIVE_AFTER),
        _ => None,
    }
}

/// How near the due day is: 黄灯 at 1 working day left (limit up to 5) or 3 left (longer), 红灯 when past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DueLight {
    /// Time enough.
    Green,
    /// Soon due.
    Yellow,
    /// Overdue.
    Red,
}

/// The light of an open case on a day.
#[must_use]
pub fn light(calendar: &Calendar, now: Instant, due_on: NaiveDate, limit: Option<u32>) -> DueLight {
    let today = local_day(now);
    let warn = if limit.is_some_and(|limit| limit <= 5) { 1 } else { 3 };
    if today > due_on {
        DueLight::Red
    } else if calendar.working_days_between(today, due_on) <= warn {
        DueLight::Yellow
    } else {
        DueLight::Green
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveTime;

    use super::*;
    use crate::{calendar, clock};

    fn official() -> Calendar {
        Calendar::new("test", calendar::parse(&include_bytes!("../../config/calendar/holidays-cn.csv")[..]).unwrap())
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn due_days_follow_the_official_calendar_with_its_make_up_days() {
        for (accepted, days, due) in [
            ("2026-09-30", 3, "2026-10-10"),
            ("2026-09-30", 5, "2026-10-13"),
            ("2026-02-13", 3, "2026-02-25"),
            ("2026-02-13", 15, "2026-03-12"),
            ("2026-09-18", 1, "2026-09-20"),
            ("2026-04-30", 5, "2026-05-11"),
            ("2025-12-31", 3, "2026-01-06"),
        ] {
            let dates = due_dates(&official(), day(accepted), Some(days), None);
            assert_eq!(dates.promised, Some(day(due)), "{accepted} +{days}");
            assert_eq!((dates.statutory, dates.order), (None, day(due)));
        }
    }

    #[test]
    fn no_promised_days_at_all_means_the_same_working_day() {
        assert_eq!(due_dates(&official(), day("2026-11-23"), Some(0), None).promised, Some(day("2026-11-23")));
    }

    #[test]
    fn a_year_without_a_notice_is_marked() {
        assert!(due_dates(&official(), day("2026-12-30"), Some(5), None).provisional);
        assert!(!due_dates(&official(), day("2026-11-23"), Some(5), None).provisional);
    }

    #[test]
    fn silence_accepts_at_the_close_of_the_next_working_day() {
        let friday = clock::instant(day("2026-11-27"), NaiveTime::from_hms_opt(15, 0, 0).unwrap());
        let acts = silence_acts_at(&official(), CaseState::Submitted, friday).unwrap();
        assert_eq!(acts, clock::instant(day("2026-11-30"), NaiveTime::from_hms_opt(17, 0, 0).unwrap()));
        assert_eq!(silence_acts_at(&official(), CaseState::InProgress, friday), None);
    }

    #[test]
    fn lights_turn_with_the_working_days_left() {
        let at = |text: &str| clock::instant(day(text), NaiveTime::from_hms_opt(10, 0, 0).unwrap());
        let lit = |today: &str, limit| light(&official(), at(today), day("2026-11-27"), Some(limit));
        assert_eq!(lit("2026-11-23", 7), DueLight::Green);
        assert_eq!(lit("2026-11-24", 7), DueLight::Yellow);
        assert_eq!(lit("2026-11-25", 5), DueLight::Green);
        assert_eq!(lit("2026-11-26", 5), DueLight::Yellow);
        assert_eq!(lit("2026-11-27", 5), DueLight::Yellow);
        assert_eq!(lit("2026-11-28", 5), DueLight::Red);
    }
}
