//! What stands out (亮点与短板): the rates in which a village differs from the villages of its class. Pure.
//!
//! A point says in what and by how much, never who is first: villages are not put in an order by any of it.

use super::content::ReportPoint;
use crate::cases::rates::{FEWEST, Happened, Rates, Share};

/// Hundredths by which a rate stands out.
const FAR: i64 = 10;

/// The points of a village among those of its class, itself included.
pub(super) fn of(village: &Happened, class: &Happened) -> Vec<ReportPoint> {
    let shares = |happened: &Happened| {
        let rates = Rates::of(happened);
        // With whether more of it is better.
        [
            ("first_contact", rates.first_contact, true),
            ("solved", rates.solved, true),
            ("on_time", rates.on_time, true),
            ("returned", rates.returned, false),
            ("one_notice", rates.one_notice, true),
            ("reopened", rates.reopened, false),
        ]
    };
    let pairs = shares(village).into_iter().zip(shares(class));
    let point = |((rate, own, more_is_better), (_, of_class, _)): ((&str, Share, bool), (&str, Share, bool))| {
        let more = own.part * of_class.n - of_class.part * own.n;
        let told = own.n >= FEWEST && of_class.n > own.n;
        let far = more.abs() * 100 >= FAR * own.n * of_class.n;
        (told && far).then(|| ReportPoint {
            rate: rate.to_owned(),
            better: (more > 0) == more_is_better,
            share: own.into(),
            of_class: of_class.into(),
        })
    };
    pairs.filter_map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_hundredths_of_ten_cases_stand_out_and_less_does_not() {
        let of = |part, n| Happened { on_time: Share { part, n }, ..Happened::default() };
        let said = |village: &Happened, class: &Happened| {
            super::of(village, class).iter().map(|point| (point.rate.clone(), point.better)).collect::<Vec<_>>()
        };
        assert_eq!(said(&of(5, 10), &of(24, 40)), [("on_time".to_owned(), false)]);
        assert_eq!(said(&of(10, 10), &of(30, 40)), [("on_time".to_owned(), true)]);
        assert!(said(&of(6, 10), &of(27, 40)).is_empty(), "less than ten hundredths");
        assert!(said(&of(0, 9), &of(30, 40)).is_empty(), "of nine cases");
        assert!(said(&of(5, 10), &of(5, 10)).is_empty(), "the only one of its class");
        let sent_back = |part, n| Happened { returned: part, assigned: n, ..Happened::default() };
        assert_eq!(said(&sent_back(5, 10), &sent_back(6, 40)), [("returned".to_owned(), false)]);
    }
}
