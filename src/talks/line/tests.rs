//! The order of the line against what people may expect of it.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// Minutes after nine.
fn at(minutes: i64) -> Instant {
    "2026-11-25T01:00:00Z".parse::<Instant>().unwrap() + TimeDelta::minutes(minutes)
}

fn here(number: i32, promised: Option<i64>, arrived: i64) -> Placed {
    Placed {
        id: BookingId::fresh(),
        number,
        state: BookingState::CheckedIn,
        promised: promised.map(at),
        arrived_at: Some(at(arrived)),
        called_at: None,
        ended_at: None,
    }
}

fn heard(number: i32, promised: Option<i64>, called: i64, ended: i64) -> Placed {
    let row = here(number, promised, called.min(promised.unwrap_or(called)));
    Placed { state: BookingState::Concluded, called_at: Some(at(called)), ended_at: Some(at(ended)), ..row }
}

fn one_desk(now: i64) -> Pace {
    Pace { each: TimeDelta::minutes(5), free_at: vec![at(now)] }
}

fn numbers(rows: &[Placed], shares: Shares, now: i64) -> Vec<i32> {
    order(rows, shares, &one_desk(now), at(now)).iter().map(|turn| turn.number).collect()
}

#[test]
fn seven_to_three_means_two_and_one_by_turns() {
    let mut rows: Vec<Placed> = (1..=7).map(|n| here(n, Some(0), 0)).collect();
    rows.extend((11..=13).map(|n| here(n, None, 0)));
    assert_eq!(numbers(&rows, Shares::of(49, 21), 0), [1, 11, 2, 3, 12, 4, 5, 13, 6, 7]);
}

#[test]
fn who_booked_one_by_one_does_not_keep_walk_ins_waiting_for_ever() {
    // One desk, a slot for each talk: as soon as one is heard the next is due.
    let mut rows: Vec<Placed> = (1..=6).map(|n| here(n, Some(i64::from(n - 1) * 10), 0)).collect();
    rows.extend((11..=13).map(|n| here(n, None, 0)));
    let pace = Pace { each: TimeDelta::minutes(10), free_at: vec![at(0)] };
    let order: Vec<i32> = order(&rows, Shares::of(10, 5), &pace, at(0)).iter().map(|turn| turn.number).collect();
    assert_eq!(order, [1, 11, 2, 3, 12, 4, 5, 13, 6]);
}

#[test]
fn who_booked_waits_for_their_slot_and_lets_walk_ins_pass() {
    let rows = [here(1, Some(60), 0), here(11, None, 5), here(12, None, 6)];
    assert_eq!(numbers(&rows, Shares::of(7, 3), 10), [11, 12, 1]);
    assert_eq!(numbers(&rows, Shares::of(7, 3), 60), [1, 11, 12]);
    let turns = order(&rows, Shares::of(7, 3), &one_desk(10), at(10));
    let estimated: Vec<Instant> = turns.iter().map(|turn| turn.estimated_at).collect();
    assert_eq!(estimated, [at(10), at(15), at(60)], "never before their slot");
}

#[test]
fn a_latecomer_counts_from_arrival() {
    let rows = [here(1, Some(0), 40), here(2, Some(30), 10), here(3, Some(45), 20)];
    assert_eq!(numbers(&rows, Shares::of(7, 3), 50), [2, 1, 3]);
}

#[test]
fn turns_are_not_saved_up_while_nobody_is_there_to_take_them() {
    let mut rows: Vec<Placed> = (1..=6).map(|n| heard(n, Some(0), i64::from(n) * 5, i64::from(n) * 5 + 5)).collect();
    rows.extend((7..=9).map(|n| here(n, Some(0), 0)));
    rows.extend((11..=15).map(|n| here(n, None, 36)));
    assert_eq!(numbers(&rows, Shares::of(7, 3), 36), [11, 7, 8, 12, 9, 13, 14, 15]);
}

#[test]
fn what_was_called_while_both_waited_counts() {
    let mut rows = vec![here(3, Some(0), 0), here(11, None, 0), here(12, None, 0)];
    rows.push(heard(1, Some(0), 1, 3));
    assert_eq!(numbers(&rows, Shares::of(7, 3), 3), [11, 3, 12]);
    rows.push(Placed { state: BookingState::Called, called_at: Some(at(3)), ..rows[1].clone() });
    rows.remove(1);
    assert_eq!(numbers(&rows, Shares::of(7, 3), 6), [3, 12]);
}

#[test]
fn a_day_that_keeps_no_place_still_hears_one_walk_in_of_ten() {
    let mut rows: Vec<Placed> = (1..=20).map(|n| here(n, Some(0), 0)).collect();
    rows.push(here(31, None, 0));
    let order = numbers(&rows, Shares::of(20, 0), 0);
    assert!(order.iter().position(|number| *number == 31).unwrap() <= 10, "{order:?}");
}

#[test]
fn the_pace_is_what_people_really_took() {
    let planned = TimeDelta::minutes(15);
    let mut rows = vec![heard(1, Some(0), 0, 4), heard(2, Some(0), 4, 10)];
    assert_eq!(pace(&rows, planned, at(12)), Pace { each: planned, free_at: vec![at(12)] });
    rows.push(heard(3, Some(0), 5, 40));
    let both = pace(&rows, planned, at(40));
    assert_eq!((both.each, both.free_at), (TimeDelta::minutes(6), vec![at(40), at(40)]), "two were heard at once");
    rows.push(Placed { state: BookingState::Called, ended_at: None, ..heard(4, None, 40, 0) });
    assert_eq!(pace(&rows, planned, at(40)).free_at, [at(40), at(46)]);
    assert_eq!(pace(&rows, planned, at(90)).free_at, [at(90)], "that two listened was long ago");
}

fn anybody() -> impl Strategy<Value = (bool, i64, i64)> {
    (any::<bool>(), 0_i64..240, 0_i64..120)
}

fn line_of(people: &[(bool, i64, i64)]) -> Vec<Placed> {
    people
        .iter()
        .zip(1..)
        .map(|((booked, slot, arrived), number)| here(number, booked.then_some(*slot), *arrived))
        .collect()
}

proptest! {
    #[test]
    fn everybody_has_one_turn_and_the_order_of_rows_does_not_matter(people in prop::collection::vec(anybody(), 0..40)) {
        let rows = line_of(&people);
        let order = numbers(&rows, Shares::of(7, 3), 240);
        prop_assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), rows.len());
        let backwards: Vec<Placed> = rows.iter().rev().cloned().collect();
        prop_assert_eq!(numbers(&backwards, Shares::of(7, 3), 240), order);
    }

    #[test]
    fn neither_kind_starves(
        people in prop::collection::vec(anybody(), 0..40), public in 1_u32..50, kept in 0_u32..50,
    ) {
        let rows = line_of(&people);
        let shares = Shares::of(public, kept);
        let booked = |number: &i32| rows.iter().any(|row| row.number == *number && row.promised.is_some());
        let order = numbers(&rows, shares, 240);
        // While somebody of the one kind is still to come, at most nine (plus the ninth's rest) of the other pass.
        for kind in [true, false] {
            let last = order.iter().rposition(|number| booked(number) == kind).unwrap_or(0);
            let mut passed = 0;
            for number in &order[..last] {
                passed = if booked(number) == kind { 0 } else { passed + 1 };
                prop_assert!(passed <= 10, "{:?} {:?}", shares, order);
            }
        }
    }

    #[test]
    fn what_was_foretold_comes_true_when_nothing_else_happens(
        people in prop::collection::vec(anybody(), 0..25), public in 1_u32..20, kept in 0_u32..20,
    ) {
        let (mut rows, shares) = (line_of(&people), Shares::of(public, kept));
        let foretold = order(&rows, shares, &one_desk(120), at(120));
        for turn in &foretold {
            let now = turn.estimated_at;
            let next = order(&rows, shares, &Pace { free_at: vec![now], ..one_desk(120) }, now);
            prop_assert_eq!(&next[0], turn);
            let row = rows.iter_mut().find(|row| row.id == turn.id).unwrap();
            row.state = BookingState::Concluded;
            row.called_at = Some(now);
            row.ended_at = Some(now + TimeDelta::minutes(5));
        }
    }
}
