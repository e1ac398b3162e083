//! Twelve months of a township on a clock of ours: three thousand cases, two villages, absences, a year's calendar that
//! is published late, nine days without any server, two months with one. In the end every step of supervision came once,
//! in order, in desk hours, on the day that another reckoning says; every rate is what its events come to.

mod naive;
mod people;
mod town;

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use entity::{call_back, case, case_event, id::CaseId, review};
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::json;
use shuoshi::{
    clock::{china, local_day},
    jobs::sweeps::{self, Sweep},
};

use crate::support::TestApp;

/// Cases that are filed on a working day; over the year three thousand.
const A_DAY: usize = 12;

/// What runs by the clock here; everything else once a week.
const CLOCKS: [Sweep; 4] = [Sweep::CoverAbsences, Sweep::CaseClocks, Sweep::RecalculateDueDates, Sweep::WatchDueDates];

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(day: NaiveDate, hour: u32, minute: u32) -> DateTime<Utc> {
    day.and_time(NaiveTime::from_hms_opt(hour, minute, 0).unwrap()).and_local_timezone(china()).unwrap().to_utc()
}

/// A year as it goes by.
struct Year {
    app: TestApp,
    other: TestApp,
    town: town::Town,
    calendars: naive::Calendars,
    /// When the servers looked what time brings.
    ticks: Vec<DateTime<Utc>>,
}

impl Year {
    fn to(&self, moment: DateTime<Utc>) {
        let span = moment - self.app.now();
        if span > TimeDelta::zero() {
            self.app.advance(span);
        }
    }

    /// Both servers look at the same moment, or the one that is up.
    async fn tick(&mut self, moment: DateTime<Utc>, both: bool) {
        self.to(moment);
        let look = async |app: &TestApp| {
            for sweep in CLOCKS {
                sweeps::run(app.app(), sweep).await.unwrap();
            }
        };
        if both {
            tokio::join!(look(&self.app), look(&self.other));
        } else {
            look(&self.app).await;
        }
        self.ticks.push(moment);
    }

    async fn one_day(&mut self, today: NaiveDate) {
        let off = day("2027-05-03") <= today && today <= day("2027-05-11");
        if off {
            return;
        }
        let both = !(day("2027-07-01") <= today && today <= day("2027-08-31"));
        self.tick(at(today, 3, 0), both).await;
        self.tick(at(today, 9, 5), both).await;
        if today == day("2026-12-16") {
            self.to(at(today, 9, 30));
            self.town.publish_calendar(&self.app, naive::NEXT_YEAR, &naive::next_year()).await;
            self.calendars.published(self.app.now());
            self.tick(at(today, 9, 40), both).await;
        }
        if self.calendars.at(at(today, 10, 0)).is_working(today) {
            self.to(at(today, 10, 0));
            self.town.works(&self.app, today, A_DAY).await;
        }
        self.tick(at(today, 12, 0).max(self.app.now()), both).await;
        self.tick(at(today, 17, 10), both).await;
        self.tick(at(today, 22, 0), both).await;
        if today.weekday().number_from_monday() == 7 {
            self.app.drain_jobs().await;
        }
    }
}

/// What is in the database in the end.
struct Lives {
    cases: Vec<case::Model>,
    events: BTreeMap<CaseId, Vec<case_event::Model>>,
    reviews: Vec<review::Model>,
    call_backs: Vec<call_back::Model>,
}

impl Lives {
    async fn of(app: &TestApp) -> Self {
        let db = app.db().read();
        let mut events = BTreeMap::<CaseId, Vec<case_event::Model>>::new();
        for event in case_event::Entity::find().order_by_asc(case_event::Column::Seq).all(db).await.unwrap() {
            events.entry(event.case_id).or_default().push(event);
        }
        Self {
            cases: case::Entity::find().all(db).await.unwrap(),
            events,
            reviews: review::Entity::find().all(db).await.unwrap(),
            call_backs: call_back::Entity::find().all(db).await.unwrap(),
        }
    }
}

/// Every step of supervision, as it came and as it should have.
fn check_supervision(lives: &Lives, year: &Year) {
    let mut steps = BTreeMap::<i64, usize>::new();
    for case in &lives.cases {
        let events = &lives.events[&case.id];
        let came: Vec<(i64, DateTime<Utc>)> = events
            .iter()
            .filter(|event| event.action == "alarm")
            .map(|event| (event.detail.as_ref().unwrap()["step"].as_i64().unwrap(), event.at))
            .collect();
        let expected = naive::supervision(case, events, &year.ticks, &year.calendars);
        let said: Vec<String> = events
            .iter()
            .map(|event| format!("{} {} {:?} {:?}", event.at, event.action, event.to_state, event.promised_due_on))
            .collect();
        assert_eq!(came, expected, "{} {said:#?}", case.number);
        for (step, moment) in came {
            *steps.entry(step).or_default() += 1;
            let local = moment.with_timezone(&china());
            let working = year.calendars.at(moment).is_working(local.date_naive());
            assert!(working && (9..17).contains(&chrono::Timelike::hour(&local)), "{} at {local}", case.number);
        }
    }
    // The year was not so quiet that there was nothing to see.
    assert!(steps[&1] > 300 && steps[&2] > 100 && steps[&3] > 20 && steps[&4] > 10, "{steps:?}");
}

/// Every rate of every month, quarter and of the year, for both villages and the township.
async fn check_rates(lives: &Lives, year: &mut Year, first: NaiveDate, last: NaiveDate) {
    let (town, village, neighbour) =
        (year.town.who(&year.app, "town").await, year.app.village().await, year.town.neighbour_village());
    let township = lives.cases[0].township_id;
    let mut periods: Vec<String> = Vec::new();
    let mut month = first.with_day(1).unwrap();
    while month <= last {
        periods.push(month.format("%Y-%m").to_string());
        month = month.checked_add_months(chrono::Months::new(1)).unwrap();
    }
    periods.extend(["2027-Q1", "2027-Q2", "2027-Q3", "2026", "2027", "2026-11..2027-11"].map(str::to_owned));
    let mut rated = 0;
    for place in [village, neighbour, township] {
        for period in &periods {
            let path = format!("/staff/divisions/{place}/overview?period={period}");
            let seen = town.get(&path).await.expect(200);
            let (from, to): (NaiveDate, NaiveDate) = (
                serde_json::from_value(seen["from"].clone()).unwrap(),
                serde_json::from_value(seen["to"].clone()).unwrap(),
            );
            let naive = naive::rates(lives, place, (from, to), &year.calendars, year.app.now());
            assert_eq!(seen["rates"], naive, "{place} in {period}");
            let filed = lives.cases.iter().filter(|case| naive::counts(case, place));
            let filed = filed.filter(|case| (from..=to).contains(&local_day(case.created_at))).count();
            assert_eq!(seen["filed"], json!(filed), "{place} in {period}");
            rated += usize::from(seen["rates"]["satisfied"]["share"].is_number());
        }
    }
    assert!(rated > 20, "most periods have enough ratings to tell: {rated}");
}

fn check_timelines(lives: &Lives) {
    for case in &lives.cases {
        let events = &lives.events[&case.id];
        for (at, event) in events.iter().enumerate() {
            assert_eq!(usize::try_from(event.seq).unwrap(), at + 1, "{} has every version once", case.number);
        }
        assert!(events.windows(2).all(|pair| pair[0].at <= pair[1].at), "{} in order", case.number);
    }
}

both_engines! {
    async fn twelve_months_of_a_township(app: TestApp) {
        let other = app.second_server().await;
        let (first, last) = (day("2026-11-23"), day("2027-11-22"));
        let town = town::Town::new(&app, first).await;
        let mut year = Year { app: app.clone(), other, town, calendars: naive::Calendars::new(), ticks: vec![] };
        let mut today = first;
        while today <= last {
            year.one_day(today).await;
            today = today.checked_add_days(Days::new(1)).unwrap();
        }
        year.to(at(today, 2, 0));
        let lives = Lives::of(&app).await;
        assert!(lives.cases.len() >= 2_900, "{} cases", lives.cases.len());
        year.town.says_that_enough_happened();
        check_timelines(&lives);
        check_supervision(&lives, &year);
        check_rates(&lives, &mut year, first, last).await;
        app.drain_jobs().await;
    }
}
