//! The rates, as they are defined. Pure: what happened in, shares out.
//!
//! Sources: cases.md (rates), 国办函〔2025〕66号, 北京市接诉即办工作条例. A share is of those for whom the question arose; where
//! nobody was, there is none.

use std::{collections::BTreeMap, ops::AddAssign};

use chrono::NaiveDate;
use entity::case::CaseResult;

use crate::calendar::Calendar;

/// Fewer ratings than these are not told: whose they are could be guessed.
pub const FEWEST: i64 = 10;

/// So many of so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Those that did.
    pub part: i64,
    /// Those that could have.
    pub n: i64,
}

impl Share {
    /// 0 to 1, to the hundredth; none of none.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        #[allow(clippy::cast_precision_loss, reason = "counts of a period are far below 2^52")]
        let share = |part: i64, n: i64| (part as f64 / n as f64 * 100.0).round() / 100.0;
        (self.n > 0).then(|| share(self.part, self.n))
    }

    /// One more, who did or did not.
    pub fn count(&mut self, did: bool) {
        self.n += 1;
        self.part += i64::from(did);
    }
}

/// Whether an answer says that it was done, wholly or in part.
#[must_use]
pub fn achieved(result: CaseResult) -> bool {
    matches!(result, CaseResult::Done | CaseResult::Partly)
}

/// Whether so many stars are content.
#[must_use]
pub fn content(stars: i32) -> bool {
    stars >= 3
}

/// Whether who was called back said that it was solved, wholly or in part; none where nobody was reached.
#[must_use]
pub fn said_solved(result: &str) -> Option<bool> {
    (result != "unreachable").then_some(result == "solved" || result == "partly")
}

/// What happened in a place and a period, counted; what happened in several adds up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Happened {
    /// First contacts that fell due, and how many were made in time.
    pub contacts: Share,
    /// Rounds answered.
    pub answered: i64,
    /// Of those that had a due day, how many by that day.
    pub on_time: Share,
    /// Working days by which answers were late, and how many were so late.
    pub late: BTreeMap<u32, i64>,
    /// Closed by the villager's word, and how many of them done, wholly or in part.
    pub confirmed: Share,
    /// Closed by silence.
    pub silent: i64,
    /// Answers objected to.
    pub objected: i64,
    /// Call-backs of silent closings that reached somebody, and how often it was solved.
    pub called_back: Share,
    /// Reviews that count, and how many of three to five stars.
    pub stars: Share,
    /// Reviews that an appeal took out.
    pub excluded: i64,
    /// Work given to somebody.
    pub assigned: i64,
    /// Work sent back.
    pub returned: i64,
    /// Cases whose papers were asked for, and how many of them once.
    pub noticed: Share,
}

impl Happened {
    /// A round was answered on a day; `due_on` is the promised day, else the statutory, as it stood then.
    pub fn answer(&mut self, on: NaiveDate, due_on: Option<NaiveDate>, calendar: &Calendar) {
        self.answered += 1;
        let Some(due_on) = due_on else { return };
        self.on_time.count(on <= due_on);
        if on > due_on {
            *self.late.entry(calendar.working_days_between(due_on, on)).or_default() += 1;
        }
    }

    /// Answers that came late.
    #[must_use]
    pub fn late(&self) -> i64 {
        self.late.values().sum()
    }

    /// Working days by which half of what was late was later; none of none.
    #[must_use]
    pub fn median_overdue_days(&self) -> Option<u32> {
        let half = (self.late() + 1) / 2;
        let mut seen = 0;
        self.late.iter().find_map(|(days, many)| {
            seen += many;
            (seen >= half).then_some(*days)
        })
    }
}

impl AddAssign<&Self> for Happened {
    fn add_assign(&mut self, other: &Self) {
        for (share, more) in [
            (&mut self.contacts, other.contacts),
            (&mut self.on_time, other.on_time),
            (&mut self.confirmed, other.confirmed),
            (&mut self.called_back, other.called_back),
            (&mut self.stars, other.stars),
            (&mut self.noticed, other.noticed),
        ] {
            share.part += more.part;
            share.n += more.n;
        }
        for (count, more) in [
            (&mut self.answered, other.answered),
            (&mut self.silent, other.silent),
            (&mut self.objected, other.objected),
            (&mut self.excluded, other.excluded),
            (&mut self.assigned, other.assigned),
            (&mut self.returned, other.returned),
        ] {
            *count += more;
        }
        for (days, many) in &other.late {
            *self.late.entry(*days).or_default() += many;
        }
    }
}

/// The rates of a place and a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates {
    /// 首次联系及时率.
    pub first_contact: Share,
    /// 解决率: done or in part by the villager's own word, at the phone of a second person too; of all who said anything.
    pub solved: Share,
    /// 满意率: three to five stars, of those who rated.
    pub satisfied: Share,
    /// 参评率: rated, of all rounds answered.
    pub rated: Share,
    /// 按时办结率.
    pub on_time: Share,
    /// Working days by which half of what was late was later; none of none.
    pub median_overdue_days: Option<u32>,
    /// 退回率, of all work given.
    pub returned: Share,
    /// 一次性告知率: asked for papers once, of all who were asked.
    pub one_notice: Share,
    /// 重办率, of all rounds answered.
    pub reopened: Share,
    /// Closed by silence: in no numerator.
    pub closed_by_silence: i64,
    /// Reviews that an appeal took out.
    pub excluded_reviews: i64,
}

impl Rates {
    /// Of what happened.
    #[must_use]
    pub fn of(happened: &Happened) -> Self {
        let answered = happened.answered;
        let solved = Share {
            part: happened.confirmed.part + happened.called_back.part,
            n: happened.confirmed.n + happened.objected + happened.called_back.n,
        };
        Self {
            first_contact: happened.contacts,
            solved,
            satisfied: happened.stars,
            rated: Share { part: happened.stars.n, n: answered },
            on_time: happened.on_time,
            median_overdue_days: happened.median_overdue_days(),
            returned: Share { part: happened.returned, n: happened.assigned },
            one_notice: happened.noticed,
            reopened: Share { part: happened.objected, n: answered },
            closed_by_silence: happened.silent,
            excluded_reviews: happened.excluded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_in_no_numerator() {
        let happened = Happened {
            confirmed: Share { part: 1, n: 2 },
            silent: 1,
            objected: 1,
            called_back: Share { part: 1, n: 2 },
            ..Happened::default()
        };
        let rates = Rates::of(&happened);
        assert_eq!((rates.solved, rates.closed_by_silence), (Share { part: 2, n: 5 }, 1));
        assert_eq!(rates.solved.share(), Some(0.4));
        assert_eq!(rates.satisfied.share(), None, "nobody rated: no rate");
    }

    #[test]
    fn the_median_is_of_what_was_late_in_working_days() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let calendar = Calendar::new("none", []);
        let mut happened = Happened::default();
        for on in ["2026-11-19", "2026-11-20", "2026-11-23", "2026-11-24", "2026-11-30"] {
            happened.answer(day(on), Some(day("2026-11-20")), &calendar);
        }
        happened.answer(day("2026-11-30"), None, &calendar);
        let rates = Rates::of(&happened);
        assert_eq!((rates.on_time, rates.median_overdue_days), (Share { part: 2, n: 5 }, Some(2)));
        let mut twice = happened.clone();
        twice += &happened;
        assert_eq!((twice.answered, twice.late(), twice.median_overdue_days()), (12, 6, Some(2)));
    }
}
