//! The rates, as they are defined. Pure: what happened in, shares out.
//!
//! Sources: cases.md (rates), 国办函〔2025〕66号, 北京市接诉即办工作条例. A share is of those for whom the question arose; where
//! nobody was, there is none.

use chrono::NaiveDate;

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

    fn count(&mut self, did: bool) {
        self.n += 1;
        self.part += i64::from(did);
    }
}

/// A round that was answered in the period: its day and the day it was promised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Local day of the answer.
    pub on: NaiveDate,
    /// The promised day, else the statutory; nothing where neither is.
    pub due_on: Option<NaiveDate>,
}

/// How a case was closed in the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The villager confirmed; false: silence closed it.
    pub confirmed: bool,
    /// The answer said that it was done, wholly or in part.
    pub achieved: bool,
}

/// What happened in a place and a period.
#[derive(Clone, Debug, Default)]
pub struct Happened {
    /// First contacts that fell due, and whether they were made in time.
    pub contacts: Vec<bool>,
    /// Rounds answered.
    pub answered: Vec<Answered>,
    /// Cases closed after an answer.
    pub closed: Vec<Closed>,
    /// Answers objected to.
    pub objected: i64,
    /// Call-backs of silent closings that reached somebody, and whether it was solved.
    pub called_back: Vec<bool>,
    /// Stars of reviews that count.
    pub stars: Vec<i32>,
    /// Reviews that an appeal took out.
    pub excluded: i64,
    /// Work given to somebody.
    pub assigned: i64,
    /// Work sent back.
    pub returned: i64,
    /// Cases whose papers were asked for, and whether that was once.
    pub noticed: Vec<bool>,
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
    pub fn of(happened: &Happened, calendar: &Calendar) -> Self {
        let answered = i64::try_from(happened.answered.len()).unwrap_or(i64::MAX);
        let (mut on_time, mut late) = (Share::default(), Vec::new());
        for answered in &happened.answered {
            let Some(due_on) = answered.due_on else { continue };
            on_time.count(answered.on <= due_on);
            if answered.on > due_on {
                late.push(calendar.working_days_between(due_on, answered.on));
            }
        }
        late.sort_unstable();
        let mut solved = Share { part: 0, n: happened.objected };
        for closed in happened.closed.iter().filter(|closed| closed.confirmed) {
            solved.count(closed.achieved);
        }
        for solved_it in &happened.called_back {
            solved.count(*solved_it);
        }
        let share = |all: &[bool]| {
            let mut share = Share::default();
            for did in all {
                share.count(*did);
            }
            share
        };
        let rated = i64::try_from(happened.stars.len()).unwrap_or(i64::MAX);
        let content = happened.stars.iter().filter(|stars| **stars >= 3).count();
        Self {
            first_contact: share(&happened.contacts),
            solved,
            satisfied: Share { part: i64::try_from(content).unwrap_or(i64::MAX), n: rated },
            rated: Share { part: rated, n: answered },
            on_time,
            median_overdue_days: late.get(late.len().saturating_sub(1) / 2).copied(),
            returned: Share { part: happened.returned, n: happened.assigned },
            one_notice: share(&happened.noticed),
            reopened: Share { part: happened.objected, n: answered },
            closed_by_silence: happened
                .closed
                .iter()
                .filter(|closed| !closed.confirmed)
                .count()
                .try_into()
                .unwrap_or(0),
            excluded_reviews: happened.excluded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn silence_is_in_no_numerator() {
        let happened = Happened {
            closed: vec![
                Closed { confirmed: false, achieved: true },
                Closed { confirmed: true, achieved: true },
                Closed { confirmed: true, achieved: false },
            ],
            objected: 1,
            called_back: vec![true, false],
            ..Happened::default()
        };
        let rates = Rates::of(&happened, &Calendar::new("none", []));
        assert_eq!((rates.solved, rates.closed_by_silence), (Share { part: 2, n: 5 }, 1));
        assert_eq!(rates.solved.share(), Some(0.4));
        assert_eq!(rates.satisfied.share(), None, "nobody rated: no rate");
    }

    #[test]
    fn the_median_is_of_what_was_late_in_working_days() {
        let answered = |on: &str| Answered { on: day(on), due_on: Some(day("2026-11-20")) };
        let happened = Happened {
            answered: ["2026-11-19", "2026-11-20", "2026-11-23", "2026-11-24", "2026-11-30"].map(answered).into(),
            ..Happened::default()
        };
        let rates = Rates::of(&happened, &Calendar::new("none", []));
        assert_eq!((rates.on_time, rates.median_overdue_days), (Share { part: 2, n: 5 }, Some(2)));
    }
}
