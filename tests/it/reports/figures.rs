//! Figures: what a naive reader of the timelines comes to, and what the overview said when the month ended.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};
use shuoshi::clock::local_day;

use super::{at, busy_month, draw, drawn, lines, next_month, question, reports_of};
use crate::{
    cases::{answered, own},
    support::TestApp,
};

/// The timelines of these cases up to the end of November, as staff read them.
async fn timelines(app: &TestApp, cases: &[Value]) -> Vec<Vec<Value>> {
    let town = app.staff("town").await;
    let end: DateTime<Utc> = "2026-11-30T16:00:00Z".parse().unwrap();
    let mut all = Vec::new();
    for case in cases {
        let path = format!("/staff/cases/{}/events", case["id"].as_str().unwrap());
        let events = town.get(&path).await.expect(200)["items"].as_array().unwrap().clone();
        let in_time = |event: &Value| event["at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap() < end;
        all.push(events.into_iter().filter(in_time).collect());
    }
    all
}

fn count(timelines: &[Vec<Value>], is: impl Fn(&Value) -> bool) -> i64 {
    i64::try_from(timelines.iter().flatten().filter(|event| is(event)).count()).unwrap()
}

fn of(action: &'static str) -> impl Fn(&Value) -> bool {
    move |event| event["action"] == action
}

fn in_time(event: &Value) -> Option<bool> {
    let due = event["promised_due_on"].as_str().or(event["statutory_due_on"].as_str())?;
    let on = local_day(event["at"].as_str().unwrap().parse().unwrap());
    Some(on <= due.parse::<NaiveDate>().unwrap())
}

both_engines! {
    async fn rates_are_what_a_naive_reader_of_the_timelines_counts(app: TestApp) {
        let cases = busy_month(&app).await;
        next_month(&app).await;
        let desk = app.staff("desk").await;
        let report = drawn(&app, &desk, "monthly_list", "2026-11").await;
        let content = desk.get(&at(&report, "")).await.expect(200)["content"].clone();
        let said = timelines(&app, &cases).await;
        let (counts, rates) = (&content["counts"], &content["rates"]);
        assert_eq!(counts["filed"], cases.len());
        for (figure, action) in [
            ("answered", "answer"), ("returned", "return"), ("escalated", "escalate"), ("supervised", "supervise"),
            ("rejected", "reject"), ("withdrawn", "withdraw"), ("reopened", "reopen"),
        ] {
            assert_eq!(counts[figure], count(&said, of(action)), "{figure}: {content}");
            assert_ne!(counts[figure], 0, "{figure} is tried");
        }
        let answers = || said.iter().flatten().filter(|event| event["action"] == "answer").filter_map(in_time);
        let on_time = answers().filter(|in_time| *in_time).count();
        assert_eq!(rates["on_time"], json!({"part": on_time, "n": answers().count()}));
        let given = ["assign", "transfer", "escalate"].map(|action| count(&said, of(action))).iter().sum::<i64>();
        assert_eq!(rates["returned"], json!({"part": count(&said, of("return")), "n": given}));
        assert_eq!(rates["reopened"], json!({"part": count(&said, of("reopen")), "n": count(&said, of("answer"))}));
        let confirmed = count(&said, |event| event["action"] == "confirm" && event["by"]["kind"] == "villager");
        let silent = count(&said, |event| event["action"] == "confirm" && event["by"]["kind"] == "clock");
        assert_eq!((&counts["confirmed"], &counts["silent"]), (&json!(confirmed), &json!(silent)));
        assert_eq!((confirmed, silent), (1, 1));
        assert_eq!(rates["solved"], json!({"part": confirmed, "n": confirmed + count(&said, of("reopen"))}));
        assert_eq!(rates["one_notice"], json!({"part": 1, "n": 1}));
        assert_eq!(rates["satisfied"], json!({"part": null, "n": null}), "one rating is not told");
        let closed = ["rejected", "withdrawn", "completed"];
        let open = said.iter().filter(|events| !closed.contains(&events.last().unwrap()["to"].as_str().unwrap()));
        assert_eq!(counts["open_at_end"], open.count());
    }

    async fn rates_are_those_of_the_overview_when_the_month_ended(app: TestApp) {
        busy_month(&app).await;
        next_month(&app).await;
        let town = app.staff("town").await;
        let township = app.division("511702108000").await;
        let overview = town.get(&format!("/staff/divisions/{township}/overview?period=2026-11")).await.expect(200);
        let path = format!("/staff/divisions/{township}/reports");
        let report = town.post(&path, json!({"kind": "monthly_list", "period": "2026-11"})).await.expect(201);
        let content = town.get(&at(&report, "")).await.expect(200)["content"].clone();
        for rate in ["first_contact", "solved", "on_time", "returned", "one_notice", "reopened"] {
            let (frozen, seen) = (&content["rates"][rate], &overview["rates"][rate]);
            assert_eq!(frozen["n"], seen["n"], "{rate}: {content} {overview}");
            let share = |part: f64, n: f64| (part / n * 100.0).round() / 100.0;
            let share = share(frozen["part"].as_f64().unwrap(), frozen["n"].as_f64().unwrap());
            assert_eq!(json!(share), seen["share"], "{rate}");
        }
        assert_eq!(content["counts"]["filed"], overview["filed"]);
        assert_eq!(content["counts"]["silent"], overview["rates"]["closed_by_silence"]);
        assert_eq!(content["rates"]["median_overdue_days"], overview["rates"]["median_overdue_days"]);
    }

    async fn a_list_says_where_each_case_stood_when_the_month_ended(app: TestApp) {
        let cases = busy_month(&app).await;
        next_month(&app).await;
        let desk = app.staff("desk").await;
        let report = drawn(&app, &desk, "monthly_list", "2026-11").await;
        let all = lines(&desk, &report).await;
        assert_eq!(report["lines"], all.len());
        assert_eq!(all.len(), cases.len());
        let of = |case: &Value| all.iter().find(|line| line["number"] == case["number"]).unwrap();
        // Whoever objected gave three working days more; they were over on the 26th.
        let objected = of(&cases[2]);
        assert_eq!((&objected["state"], &objected["light"]), (&json!("in_progress"), &json!("red")));
        assert_eq!((&objected["promised_due_on"], &objected["overdue_days"]), (&json!("2026-11-26"), &json!(2)));
        // By the clock it was closed on the 30th, unconfirmed.
        let silent = of(&cases[1]);
        assert_eq!((&silent["state"], &silent["confirmed"]), (&json!("completed"), &json!(false)));
        assert_eq!((&silent["closed_on"], &silent["light"]), (&json!("2026-11-30"), &json!(null)));
        assert_eq!(of(&cases[5])["state"], "rejected");
        assert_eq!(of(&cases[0])["topic"], "roads");
        // No person, and no word of one.
        let text = json!(all).to_string();
        for secret in ["什么时候修", "13800001234", "138****", "打过电话", cases[0]["id"].as_str().unwrap()] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        // The lines are pages.
        let first = desk.get(&at(&report, "/lines?limit=3")).await.expect(200);
        assert_eq!(first["items"], json!(all[..3]));
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = desk.get(&at(&report, &format!("/lines?limit=100&cursor={cursor}"))).await.expect(200);
        assert_eq!(second["items"], json!(all[3..]));
    }

    async fn a_quarter_is_compared_with_the_one_before(app: TestApp) {
        // The first case is answered in November and confirmed in January.
        let old = question(&app, "甲", "roads").await;
        answered(&app, &old).await;
        app.villager("甲").await.post(&format!("{}/actions", own(&old)), json!({"action": "confirm"})).await.expect(200);
        app.advance(chrono::TimeDelta::days(45));
        app.drain_jobs().await;
        let (one, two) = (question(&app, "乙", "roads").await, question(&app, "丙", "water").await);
        answered(&app, &one).await;
        for days in [20, 70] {
            app.advance(chrono::TimeDelta::days(days));
            app.drain_jobs().await;
        }
        let desk = app.staff("desk").await;
        draw(&app, &desk, "quarterly_report", "2027-01..2027-04").await.invalid("/period", "range");
        let report = drawn(&app, &desk, "quarterly_report", "2027-01..2027-03").await;
        assert_eq!(report["period"], "2027-Q1");
        let content = desk.get(&at(&report, "")).await.expect(200)["content"].clone();
        assert_eq!(content["counts"]["filed"], 2, "{content}");
        assert_eq!(content["counts"]["answered"], 1);
        assert_eq!(content["before"]["period"], "2026-Q4");
        assert_eq!(content["before"]["counts"]["filed"], 1);
        assert_eq!(content["before"]["counts"]["confirmed"], 1);
        assert_eq!(content["before"]["rates"]["solved"], json!({"part": 1, "n": 1}));
        assert_eq!(content["counts"]["silent"], 1, "{content}");
        assert_eq!(content["lines"], 0);
        let topics: Vec<&Value> = content["topics"].as_array().unwrap().iter().map(|topic| &topic["topic"]).collect();
        assert_eq!(topics, ["roads", "water"]);
        let check = desk.get(&at(&report, "/check")).await.expect(200);
        assert_eq!(check["same"], true, "{check}");
        assert!(two["number"].is_string());
        // A year holds both.
        app.advance(chrono::TimeDelta::days(300));
        app.drain_jobs().await;
        let desk = app.staff("desk").await;
        let year = desk.post(&reports_of(&app).await, json!({"kind": "yearly_report", "period": "2027"})).await.expect(201);
        let content = desk.get(&at(&year, "")).await.expect(200)["content"].clone();
        assert_eq!((&content["counts"]["filed"], &content["before"]["counts"]["filed"]), (&json!(2), &json!(1)));
    }
}
