//! The reckoning, without database or clock.
//!
//! One accept is reported twice: by the page that asked, and by an event; either may come first, may be late, or may never
//! come. A report waits for its other half for five minutes by the time at which it happened: the first counts, the half
//! that fits it does not. Two accepts in a row are two of each. Next: [`super::ops`].

use chrono::TimeDelta;
use entity::{
    Instant,
    subscription::{self, SubscriptionAnswer},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How far the two reports of one accept may lie apart.
const WINDOW: TimeDelta = TimeDelta::minutes(5);
/// Reports that wait at most: nobody is asked more often in five minutes.
const WAITING: usize = 20;
/// More is not worth counting.
const MOST: i32 = 10_000;

/// Who reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Teller {
    /// The page that asked.
    Page,
    /// The event that WeChat pushed.
    Event,
}

/// What an event reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// One more.
    Accepted,
    /// Not this time; what was accepted before stays.
    Refused,
}

/// Accepts of late: told by one side, whose other half has not come, and by both.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Unpaired {
    page: Vec<Instant>,
    event: Vec<Instant>,
    paired: Vec<Instant>,
}

impl Unpaired {
    fn of(row: &subscription::Model) -> Self {
        serde_json::from_value(row.unpaired.clone()).unwrap_or_default()
    }

    /// What waits from before everything was gone waits for nothing.
    fn drop_before(&mut self, at: Instant) {
        for side in [&mut self.page, &mut self.event, &mut self.paired] {
            side.retain(|waiting| *waiting >= at);
        }
    }

    /// Accepts after this that are known of.
    fn since(&self, at: Instant) -> i32 {
        let waiting = self.page.iter().chain(&self.event).chain(&self.paired).filter(|waiting| **waiting > at);
        i32::try_from(waiting.count()).unwrap_or(MOST)
    }

    /// Whether the other half is there; then it is taken, else this one waits.
    fn pairs(&mut self, teller: Teller, at: Instant) -> bool {
        let (own, other) = match teller {
            Teller::Page => (&mut self.page, &mut self.event),
            Teller::Event => (&mut self.event, &mut self.page),
        };
        let fits = other.iter().position(|other| (*other - at).abs() <= WINDOW);
        if let Some(fits) = fits {
            let before = other.remove(fits);
            self.paired.push(before.min(at));
            return true;
        }
        own.push(at);
        false
    }

    /// What waits too long waits for nothing.
    fn tidy(&mut self, now: Instant) -> Value {
        for side in [&mut self.page, &mut self.event, &mut self.paired] {
            // An event may come late, and tells when it happened.
            side.retain(|at| now - *at <= WINDOW * 3);
            let much = side.len().saturating_sub(WAITING);
            side.drain(..much);
        }
        json!(self)
    }
}

/// A row of somebody who has said nothing yet.
pub(super) fn fresh(openid: &str, template_id: &str, long_term: bool, now: Instant) -> subscription::Model {
    subscription::Model {
        openid: openid.to_owned(),
        template_id: template_id.to_owned(),
        remaining: 0,
        long_term,
        answer: None,
        accepted: 0,
        spent: 0,
        unpaired: json!({}),
        emptied_at: None,
        changed_at: now,
    }
}

/// One accept, happened at `at`. One from before everything was gone is gone too, and is no half of a later one.
pub(super) fn accepted(row: &mut subscription::Model, teller: Teller, at: Instant, now: Instant) {
    row.changed_at = now;
    let mut unpaired = Unpaired::of(row);
    if let Some(emptied) = row.emptied_at {
        if at < emptied {
            return;
        }
        unpaired.drop_before(emptied);
    }
    let told_before = unpaired.pairs(teller, at);
    row.unpaired = unpaired.tidy(now);
    row.answer = Some(SubscriptionAnswer::Accept);
    if told_before {
        return;
    }
    row.accepted = row.accepted.saturating_add(1);
    row.remaining = if row.long_term { 1 } else { row.remaining.saturating_add(1).min(MOST) };
}

/// Another answer of the page. A ban is WeChat's, and nothing can be sent; the rest leaves what there was.
pub(super) fn answered(row: &mut subscription::Model, answer: SubscriptionAnswer, now: Instant) {
    if answer == SubscriptionAnswer::Ban {
        row.remaining = 0;
    }
    if answer != SubscriptionAnswer::Filter {
        row.answer = Some(answer);
    }
    row.changed_at = now;
}

/// A message went.
pub(super) fn spent(row: &mut subscription::Model, now: Instant) {
    row.spent = row.spent.saturating_add(1);
    if !row.long_term {
        row.remaining = (row.remaining - 1).max(0);
    }
    row.changed_at = now;
}

/// Nothing was left at `at`; what was accepted since, and is known of, stays.
pub(super) fn emptied(row: &mut subscription::Model, at: Instant, now: Instant) {
    row.remaining = row.remaining.min(Unpaired::of(row).since(at));
    row.emptied_at = Some(row.emptied_at.map_or(at, |before| before.max(at)));
    row.changed_at = now;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(n: i64) -> Instant {
        Instant::UNIX_EPOCH + TimeDelta::minutes(n)
    }

    fn row(long_term: bool) -> subscription::Model {
        fresh("o", "t", long_term, minute(0))
    }

    fn after(reports: &[(Teller, i64)]) -> i32 {
        let mut row = row(false);
        for (teller, at) in reports {
            accepted(&mut row, *teller, minute(*at), minute(*at));
        }
        row.remaining
    }

    #[test]
    fn an_accept_counts_once_whoever_tells_it_first() {
        assert_eq!(after(&[(Teller::Page, 0)]), 1);
        assert_eq!(after(&[(Teller::Event, 0)]), 1);
        assert_eq!(after(&[(Teller::Page, 0), (Teller::Event, 5)]), 1);
        assert_eq!(after(&[(Teller::Event, 0), (Teller::Page, 5)]), 1);
        assert_eq!(after(&[(Teller::Page, 0), (Teller::Event, 6)]), 2, "too far apart to be one");
    }

    #[test]
    fn two_accepts_in_a_row_are_two() {
        use Teller::{Event, Page};
        assert_eq!(after(&[(Page, 0), (Page, 1), (Event, 1), (Event, 2)]), 2);
        assert_eq!(after(&[(Page, 0), (Event, 0), (Page, 1), (Event, 1)]), 2);
        assert_eq!(after(&[(Event, 0), (Page, 0), (Page, 1), (Event, 1)]), 2);
        assert_eq!(after(&[(Event, 0), (Event, 1), (Page, 1), (Page, 1)]), 2);
    }

    #[test]
    fn what_was_accepted_before_it_was_emptied_counts_for_nothing() {
        let mut row = row(false);
        accepted(&mut row, Teller::Page, minute(0), minute(0));
        emptied(&mut row, minute(3), minute(3));
        accepted(&mut row, Teller::Event, minute(0), minute(4));
        assert_eq!(row.remaining, 0, "the late half of what is gone");
        accepted(&mut row, Teller::Event, minute(1), minute(4));
        assert_eq!(row.remaining, 0, "older than the end");
        accepted(&mut row, Teller::Event, minute(5), minute(6));
        assert_eq!(row.remaining, 1);
    }

    #[test]
    fn a_late_word_of_what_is_gone_is_no_half_of_what_came_after() {
        let mut row = row(false);
        emptied(&mut row, minute(3), minute(3));
        accepted(&mut row, Teller::Page, minute(4), minute(4));
        accepted(&mut row, Teller::Event, minute(2), minute(5));
        assert_eq!(row.remaining, 1);
        accepted(&mut row, Teller::Event, minute(4), minute(5));
        assert_eq!(row.remaining, 1, "the other half of what the page told");
    }

    #[test]
    fn what_is_accepted_while_a_refusal_is_on_its_way_stays() {
        let mut row = row(false);
        accepted(&mut row, Teller::Page, minute(0), minute(0));
        accepted(&mut row, Teller::Page, minute(2), minute(2));
        // The message of the first minute was refused, and its answer came in the third.
        emptied(&mut row, minute(1), minute(3));
        assert_eq!((row.remaining, row.emptied_at), (1, Some(minute(1))));
        accepted(&mut row, Teller::Event, minute(2), minute(4));
        assert_eq!(row.remaining, 1);
        emptied(&mut row, minute(5), minute(5));
        assert_eq!(row.remaining, 0);
    }

    #[test]
    fn a_long_term_template_is_accepted_or_not() {
        let mut row = row(true);
        for at in 0..3 {
            accepted(&mut row, Teller::Page, minute(at * 10), minute(at * 10));
            spent(&mut row, minute(at * 10));
        }
        assert_eq!((row.remaining, row.spent, row.accepted), (1, 3, 3));
        emptied(&mut row, minute(40), minute(40));
        assert_eq!(row.remaining, 0);
    }

    #[test]
    fn a_refusal_takes_nothing_and_a_ban_takes_all() {
        let mut row = row(false);
        accepted(&mut row, Teller::Page, minute(0), minute(0));
        answered(&mut row, SubscriptionAnswer::Reject, minute(1));
        answered(&mut row, SubscriptionAnswer::Filter, minute(1));
        assert_eq!((row.remaining, row.answer), (1, Some(SubscriptionAnswer::Reject)));
        answered(&mut row, SubscriptionAnswer::Ban, minute(2));
        assert_eq!((row.remaining, row.answer), (0, Some(SubscriptionAnswer::Ban)));
        spent(&mut row, minute(3));
        assert_eq!(row.remaining, 0, "never less than nothing");
    }
}
