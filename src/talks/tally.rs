//! What the counts of a period come to: shares with the number they are of, medians, an average where enough rated.
//!
//! Pure. Next: [`super::ops`] `numbers`, which counts.

use std::collections::BTreeMap;

/// Of fewer ratings than these neither the average nor how many there are is told: in a village it would be somebody's.
pub const FEWEST_RATINGS: i64 = 10;

/// Days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// Set for the period, those called off included.
    pub planned: i64,
    /// Somebody was heard.
    pub held: i64,
    /// Called off.
    pub cancelled: i64,
}

/// Counts of a place in a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Days.
    pub days: Days,
    /// Different people who were heard.
    pub people: i64,
    /// Matters that were heard.
    pub matters: i64,
    /// Answered on the spot.
    pub answered: i64,
    /// Became cases.
    pub cases: i64,
    /// On the council's list.
    pub council: i64,
    /// Cases whose villager confirmed that they are done.
    pub confirmed: i64,
    /// Booked and did not come.
    pub missed: i64,
    /// Booked, and came or not.
    pub expected: i64,
    /// Whole minutes of waiting, and how many waited so long.
    pub waited: BTreeMap<i64, i64>,
    /// Sum of the stars.
    pub stars: i64,
    /// Ratings.
    pub ratings: i64,
}

impl Tally {
    /// Matters that are settled: answered on the spot, or a case that was confirmed as done.
    #[must_use]
    pub fn solved(&self) -> Option<f64> {
        share(self.answered + self.confirmed, self.matters)
    }

    /// Who booked and did not come.
    #[must_use]
    pub fn no_show(&self) -> Option<f64> {
        share(self.missed, self.expected)
    }

    /// How many waited.
    #[must_use]
    pub fn who_waited(&self) -> i64 {
        self.waited.values().sum()
    }

    /// The shortest wait that so many percent did not wait longer than (nearest rank).
    #[must_use]
    pub fn waited_at_most(&self, percent: i64) -> Option<i64> {
        let rank = (self.who_waited() * percent + 99) / 100;
        let mut seen = 0;
        self.waited.iter().find_map(|(minutes, people)| {
            seen += people;
            (seen >= rank.max(1)).then_some(*minutes)
        })
    }

    /// How many rated, when they are enough.
    #[must_use]
    pub fn enough_ratings(&self) -> Option<i64> {
        (self.ratings >= FEWEST_RATINGS).then_some(self.ratings)
    }

    /// The average of the stars, of enough ratings.
    #[must_use]
    pub fn average(&self) -> Option<f64> {
        self.enough_ratings().and_then(|ratings| quotient(self.stars, ratings))
    }
}

fn share(of: i64, all: i64) -> Option<f64> {
    if all == 0 { None } else { quotient(of, all) }
}

/// To the hundredth.
fn quotient(of: i64, by: i64) -> Option<f64> {
    let (of, by) = (f64::from(i32::try_from(of).ok()?), f64::from(i32::try_from(by).ok()?));
    Some((of / by * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_of_people_and_not_of_minutes() {
        let waited = |waits: &[(i64, i64)]| Tally { waited: waits.iter().copied().collect(), ..Tally::default() };
        let some = waited(&[(0, 1), (3, 5), (10, 3), (60, 1)]);
        assert_eq!((some.waited_at_most(50), some.waited_at_most(90), some.who_waited()), (Some(3), Some(10), 10));
        assert_eq!(waited(&[(7, 1)]).waited_at_most(50), Some(7));
        assert_eq!(waited(&[]).waited_at_most(50), None);
    }

    #[test]
    fn shares_are_of_something_and_few_ratings_have_no_average() {
        let tally = Tally { matters: 3, answered: 1, confirmed: 1, stars: 36, ratings: 9, ..Tally::default() };
        assert_eq!((tally.solved(), tally.no_show(), tally.average()), (Some(0.67), None, None));
        assert_eq!(tally.enough_ratings(), None);
        let enough = Tally { ratings: 10, ..tally };
        assert_eq!((enough.average(), enough.enough_ratings()), (Some(3.6), Some(10)));
    }
}
