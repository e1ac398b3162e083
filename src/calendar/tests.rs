use proptest::prelude::*;

use super::*;

/// The calendar the product ships, read once.
pub(super) fn calendar() -> Calendar {
    static SHIPPED: std::sync::LazyLock<Calendar> = std::sync::LazyLock::new(|| {
        Calendar::new("cn", parse(include_bytes!("../../config/calendar/holidays-cn.csv").as_slice()).unwrap())
    });
    SHIPPED.clone()
}

pub(super) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn due(from: &str, n: u32) -> String {
    let due = calendar().add_working_days(date(from), n);
    assert!(!due.provisional);
    due.on.to_string()
}

#[test]
fn the_shipped_calendar_is_whole() {
    let calendar = calendar();
    assert_eq!(calendar.years().collect::<Vec<_>>(), (2020..=2026).collect::<Vec<_>>());
    assert_eq!(calendar.days.len(), 254);
    assert_eq!(calendar.version(), "cn");
}

#[test]
fn agreed_vectors() {
    assert_eq!(due("2026-09-30", 3), "2026-10-10");
    assert_eq!(due("2026-09-30", 5), "2026-10-13");
    assert_eq!(due("2026-02-13", 3), "2026-02-25");
    assert_eq!(due("2026-02-13", 15), "2026-03-12");
    assert_eq!(due("2026-09-18", 1), "2026-09-20");
    assert_eq!(due("2026-04-30", 5), "2026-05-11");
    assert_eq!(due("2025-12-31", 3), "2026-01-06");
}

#[test]
fn no_days_is_the_same_working_day_or_the_next() {
    assert_eq!(due("2026-03-02", 0), "2026-03-02");
    assert_eq!(due("2026-03-07", 0), "2026-03-09");
    assert_eq!(due("2026-10-01", 0), "2026-10-08");
    assert_eq!(due("2026-10-10", 0), "2026-10-10");
}

#[test]
fn every_day_has_its_reason() {
    let calendar = calendar();
    let why = |day| calendar.day(date(day));
    assert_eq!(why("2026-03-02"), Day { working: true, why: Why::Weekday });
    assert_eq!(why("2026-03-01"), Day { working: false, why: Why::Weekend });
    assert_eq!(why("2026-10-01"), Day { working: false, why: Why::Holiday { name: "国庆节".into() } });
    assert_eq!(why("2026-10-10"), Day { working: true, why: Why::MakeUp { name: "国庆节".into() } });
}

#[test]
fn a_year_without_a_notice_counts_weekends_only_and_says_so() {
    let calendar = calendar();
    let on = |from, n| calendar.add_working_days(date(from), n);
    assert_eq!(on("2026-12-31", 1), Due { on: date("2027-01-01"), provisional: true });
    assert_eq!(on("2026-12-30", 1), Due { on: date("2026-12-31"), provisional: false });
    // The first day is not counted, so it need not be known.
    assert_eq!(on("2019-12-31", 1), Due { on: date("2020-01-02"), provisional: false });
    assert_eq!(on("2019-12-31", 0), Due { on: date("2019-12-31"), provisional: true });
}

#[test]
fn the_later_row_rules() {
    let row = |kind| CalendarRow { date: date("2026-10-10"), kind, name: "x".into() };
    let calendar = Calendar::new("2", [row(DayKind::Workday), row(DayKind::Holiday)]);
    assert!(!calendar.is_working(date("2026-10-10")));
}

#[test]
fn a_due_day_can_be_explained() {
    let days = calendar().explain(date("2026-09-30"), 3);
    assert_eq!(days.len(), 11);
    assert_eq!(days[0], ExplainedDay { date: date("2026-09-30"), counted: false, why: Why::Weekday });
    assert_eq!(days[1].why, Why::Holiday { name: "国庆节".into() });
    let counted: Vec<_> = days.iter().filter(|day| day.counted).map(|day| day.date.to_string()).collect();
    assert_eq!(counted, ["2026-10-08", "2026-10-09", "2026-10-10"]);
    assert_eq!(days[10].why, Why::MakeUp { name: "国庆节".into() });
    let wire = serde_json::to_value(&days[10]).unwrap();
    let expected =
        serde_json::json!({"date": "2026-10-10", "counted": true, "why": {"kind": "make_up", "name": "国庆节"}});
    assert_eq!(wire, expected);
}

#[test]
fn days_between_leave_out_the_first_and_take_in_the_last() {
    let calendar = calendar();
    let between = |a, b| calendar.working_days_between(date(a), date(b));
    assert_eq!(between("2026-09-30", "2026-10-10"), 3);
    assert_eq!(between("2026-03-02", "2026-03-02"), 0);
    assert_eq!(between("2026-03-03", "2026-03-02"), 0);
    assert_eq!(between("2026-03-06", "2026-03-08"), 0);
    assert_eq!(between("2026-03-06", "2026-03-09"), 1);
}

#[test]
fn the_ends_of_time_and_endless_spans_do_no_harm() {
    let calendar = calendar();
    for from in [NaiveDate::MIN, NaiveDate::MAX, NaiveDate::MAX.pred_opt().unwrap(), date("2026-01-01")] {
        for n in [0, 1, u32::MAX] {
            let due = calendar.add_working_days(from, n);
            assert!(due.on >= from);
            assert!(due.provisional || (n < 2 && calendar.knows(from)));
        }
    }
    assert!(calendar.working_days_between(NaiveDate::MIN, NaiveDate::MAX) > 100_000_000);
    // A calendar that never works must not hold anybody up.
    let days = (0..200).filter_map(|n| date("2026-01-01").checked_add_days(chrono::Days::new(n)));
    let idle = Calendar::new("idle", days.map(|date| CalendarRow { date, kind: DayKind::Holiday, name: "x".into() }));
    assert!(idle.add_working_days(date("2026-01-01"), 1).on > date("2026-07-18"));
}

/// Day by day, as one would count on a wall calendar.
fn naive(calendar: &Calendar, from: NaiveDate, n: u32) -> Due {
    let mut on = from;
    let mut provisional = n == 0 && !calendar.knows(on);
    let mut next = || {
        on = on.succ_opt().unwrap();
        provisional |= !calendar.knows(on);
        calendar.day(on).working
    };
    if n == 0 {
        let _ = calendar.day(from).working || (0..99).any(|_| next());
    }
    for _ in 0..n {
        while !next() {}
    }
    Due { on, provisional }
}

prop_compose! {
    fn any_day()(days in 0_u64..4_000) -> NaiveDate {
        date("2018-06-01").checked_add_days(chrono::Days::new(days)).unwrap()
    }
}

proptest! {
    #[test]
    fn agrees_with_a_wall_calendar(from in any_day(), n in 0_u32..300) {
        let calendar = calendar();
        prop_assert_eq!(calendar.add_working_days(from, n), naive(&calendar, from, n));
    }

    #[test]
    fn adding_and_counting_are_inverse(from in any_day(), n in 0_u32..300) {
        let calendar = calendar();
        let due = calendar.add_working_days(from, n);
        if n > 0 {
            prop_assert_eq!(calendar.working_days_between(from, due.on), n);
        }
        let days = calendar.explain(from, n);
        prop_assert_eq!(days.last().map(|day| day.date), Some(due.on));
        prop_assert_eq!(days.iter().filter(|day| day.counted).count(), n as usize);
    }

    #[test]
    fn counting_agrees_with_a_wall_calendar(a in any_day(), b in any_day()) {
        let calendar = calendar();
        let counted = a.iter_days().skip(1).take_while(|day| *day <= b).filter(|day| calendar.is_working(*day)).count();
        prop_assert_eq!(calendar.working_days_between(a, b) as usize, counted);
    }
}
