//! What is decided about reviews. Pure.

use chrono::{Datelike, NaiveDate};
use entity::{Instant, review};

use crate::clock::local_day;

/// Whether it is one of the two lowest levels.
#[must_use]
pub fn is_bad(stars: i32) -> bool {
    stars <= 2
}

/// A tag that goes to the discipline desk and nowhere else.
pub const MONEY_ASKED: &str = "money_asked";

/// Whether a review says that money was asked.
#[must_use]
pub fn says_money_was_asked(review: &review::Model) -> bool {
    review.tags.as_array().is_some_and(|tags| tags.iter().any(|tag| tag == MONEY_ASKED))
}

/// Whether a closed case is called back: its lot, of a keyed hash, falls into the share.
///
/// Whoever holds the key can draw the same lots again; whoever works on the case cannot know them before.
#[must_use]
pub fn is_drawn(lot: &str, percent: u32) -> bool {
    let number = lot.get(..8).and_then(|start| u32::from_str_radix(start, 16).ok());
    number.is_some_and(|number| number % 100 < percent)
}

/// Reviews that a handler is shown together: all of a month that is over, and in this month as many as make whole bundles.
///
/// One alone is shown only once its month is over, so that nobody can tell by when it comes whose it is.
#[must_use]
pub fn bundles(reviews: Vec<review::Model>, today: NaiveDate, size: u32) -> Vec<(NaiveDate, Vec<review::Model>)> {
    let mut months: Vec<(NaiveDate, Vec<review::Model>)> = Vec::new();
    for review in reviews {
        let month = month_of(review.created_at);
        match months.last_mut() {
            Some((last, bundle)) if *last == month => bundle.push(review),
            _ => months.push((month, vec![review])),
        }
    }
    let this_month = today.with_day(1).unwrap_or(today);
    for (month, bundle) in &mut months {
        if *month == this_month {
            let size = usize::try_from(size.max(1)).unwrap_or(usize::MAX);
            bundle.truncate(bundle.len() / size * size);
        }
        // By what was said, not by when.
        bundle.sort_by(|one, other| other.stars.cmp(&one.stars).then_with(|| one.text.cmp(&other.text)));
    }
    months.retain(|(_, bundle)| !bundle.is_empty());
    months
}

fn month_of(at: Instant) -> NaiveDate {
    let day = local_day(at);
    day.with_day(1).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use entity::id::{CaseId, PersonId, ReviewId};
    use serde_json::json;

    use super::*;

    fn review(day: &str, stars: i32) -> review::Model {
        review::Model {
            id: ReviewId::fresh(),
            case_id: CaseId::fresh(),
            round: 1,
            person_id: PersonId::fresh(),
            stars,
            tags: json!([]),
            text: None,
            created_at: format!("{day}T04:00:00Z").parse().unwrap(),
            handler_id: None,
            addition: None,
            added_at: None,
            second_stars: None,
            rerated_at: None,
            excluded_at: None,
        }
    }

    #[test]
    fn this_month_is_shown_in_whole_bundles_and_earlier_months_whole() {
        let today: NaiveDate = "2026-11-23".parse().unwrap();
        let mut all = vec![review("2026-10-03", 5)];
        all.extend((1..=7).map(|day| review(&format!("2026-11-0{day}"), day % 5 + 1)));
        let shown = bundles(all, today, 5);
        let sizes: Vec<usize> = shown.iter().map(|(_, bundle)| bundle.len()).collect();
        assert_eq!(sizes, [1, 5]);
        let stars: Vec<i32> = shown[1].1.iter().map(|review| review.stars).collect();
        assert!(stars.is_sorted_by(|one, other| one >= other), "{stars:?}");
    }

    #[test]
    fn fewer_than_a_bundle_of_this_month_are_not_shown() {
        let today: NaiveDate = "2026-11-23".parse().unwrap();
        assert!(bundles(vec![review("2026-11-02", 1); 4], today, 5).is_empty());
    }

    #[test]
    fn a_fifth_of_all_lots_is_drawn() {
        let drawn = (0..1_000_u32).filter(|n| is_drawn(&format!("{:08x}", n.wrapping_mul(2_654_435_761)), 20)).count();
        assert!((150..250).contains(&drawn), "{drawn}");
        assert!(!is_drawn("no number", 100));
        assert!(is_drawn("00000000", 1));
    }
}
