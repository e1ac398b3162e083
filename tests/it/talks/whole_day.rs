//! A whole talk day over HTTP: from the rule to what became of it on the next.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{bookings, hearing::lives_here, of_booking, of_day, walk_in, wrong_counts};
use crate::{
    cases, content,
    support::{Actor, TestApp},
};

/// Who booked, and who just came.
const BOOKED: usize = 40;
const WALKED_IN: usize = 10;

/// The day that a new rule of the village makes: next Thursday, twelve slots of five places.
async fn day_of_a_rule(app: &TestApp, desk: &Actor, host: &Actor) -> Value {
    let village = app.village().await;
    let rule = json!({
        "recurrence": {"kind": "weekly", "weekdays": [4]}, "starts": "09:00", "ends": "12:00", "slot_minutes": 15,
        "capacity": 5, "walk_in_share": 0.3, "place": "村文化院坝", "hosts": [host.id()],
    });
    desk.post(&format!("/staff/divisions/{village}/talk-rules"), rule).await.expect(201);
    let days = app.nobody().get(&format!("/divisions/{village}/talk-days")).await.expect(200);
    let day = days["items"].as_array().unwrap().iter().find(|day| day["date"] == "2026-11-26").unwrap().clone();
    let free: i64 = day["slots"].as_array().unwrap().iter().map(|slot| slot["free"].as_i64().unwrap()).sum();
    assert_eq!(free, 42, "of sixty places eighteen are kept");
    day
}

/// Forty villagers book one after the other, five a slot; every tenth matter is private.
async fn collect(app: &TestApp, day: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    for n in 0..BOOKED {
        let villager = app.villager(&format!("样例{n}")).await;
        let privacy = if n % 10 == 9 { "private" } else { "public" };
        let wish = json!({"topic": "roads", "summary": format!("第{n}件事"), "privacy": privacy});
        let slot = &day["slots"][n / 5];
        all.push(villager.post_keyed(&bookings(slot), &format!("whole-day-{n:04}"), wish).await.expect(201));
    }
    all
}

/// What is said of somebody's matter: three cases, one for the council, the others answered on the spot.
fn said(number: i64) -> Value {
    match number {
        1..=3 => json!({"record": "现场办不了，转办", "outcome": "case"}),
        4 => json!({"record": "要大家商量", "outcome": "council", "council_title": "修村口的桥"}),
        _ => json!({"record": "当面说清了", "outcome": "answered"}),
    }
}

/// Calls everybody and writes down what was said; number 5 is not there. Who was heard, by number.
async fn hear_everybody(app: &TestApp, day: &Value) -> Vec<(i64, Value)> {
    let mut heard = Vec::new();
    loop {
        let (desk, host) = (app.staff("desk").await, app.staff("cadre").await);
        let called = desk.post(&of_day(day, "call-next"), json!({})).await;
        if called.status == 409 {
            called.problem("line_empty");
            return heard;
        }
        let entry = called.expect(200);
        let number = entry["number_in_line"].as_i64().unwrap();
        if number == 5 {
            desk.post(&of_booking(&entry, "recall"), json!({})).await.expect(200);
            desk.post(&of_booking(&entry, "missed"), json!({})).await.expect(200);
            continue;
        }
        app.advance(TimeDelta::minutes(3));
        let concluded = host.post(&of_booking(&entry, "conclude"), said(number)).await.expect(200);
        heard.push((number, concluded));
    }
}

/// The host compiles, the desk is the witness.
async fn sign_and_publish(app: &TestApp, day: &Value) {
    let (host, desk) = (app.staff("cadre").await, app.staff("desk").await);
    let path = of_day(day, "minutes");
    let minutes = host.post(&path, json!({})).await.expect(200);
    assert_eq!((&minutes["due_on"], &minutes["late"]), (&json!("2026-12-01"), &json!(false)), "three working days");
    for (name, phone) in [("样例甲", "13800000021"), ("样例乙", "13800000022")] {
        lives_here(app, name, phone).await;
        let body = json!({"name": name, "phone": phone, "mark": "fingerprint", "digest": minutes["digest"]});
        desk.post(&format!("{path}/signatures"), body).await.expect(201);
    }
    host.post(&format!("{path}/publish"), json!({})).await.expect(200);
    app.drain_jobs().await;
    // Nobody of whom the minutes tell was in the app lately: another than who wrote them looks.
    content::show_all(app, &desk).await;
}

both_engines! {
    async fn a_whole_day_from_the_rule_to_what_became_of_it(app: TestApp) {
        let (desk, host) = (app.staff("desk").await, app.staff("cadre").await);
        let day = day_of_a_rule(&app, &desk, &host).await;
        let public = |what: &str| format!("/talk-days/{}/{what}", day["id"].as_str().unwrap());
        let all = collect(&app, &day).await;
        for (booking, title) in [(&all[0], "村口的路灯"), (&all[5], "三组的水渠")] {
            let body = json!({"as": "public", "title": title});
            host.post(&of_booking(booking, "screen"), body).await.expect(200);
        }
        app.drain_jobs().await;
        content::show_all(&app, &desk).await;

        app.advance(TimeDelta::hours(38));
        app.drain_jobs().await;
        let agenda = app.nobody().get(&public("agenda")).await.expect(200);
        assert_eq!((&agenda["final"], agenda["items"].as_array().unwrap().len()), (&json!(true), 2));
        app.drain_jobs().await;

        // Thursday, ten to nine: the first people are there.
        app.advance(TimeDelta::minutes(32 * 60 + 50));
        let desk = app.staff("desk").await;
        for booking in &all {
            let found = desk.post(&of_day(&day, "find"), json!({"code": booking["code"]})).await.expect(200);
            assert_eq!(found["items"][0]["booking"], booking["id"]);
            desk.post(&of_booking(booking, "check-in"), json!({})).await.expect(200);
        }
        for (n, letter) in "甲乙丙丁戊己庚辛壬癸".chars().enumerate() {
            let entry = desk.post(&of_day(&day, "walk-ins"), walk_in(&format!("样例{letter}"))).await.expect(201);
            assert_eq!(entry["number_in_line"], 61 + n);
        }
        let heard = hear_everybody(&app, &day).await;
        assert_eq!(heard.len(), BOOKED + WALKED_IN - 1);
        let cases: Vec<&Value> = heard.iter().map(|(_, one)| &one["case"]).filter(|case| !case.is_null()).collect();
        assert_eq!(cases.len(), 3);
        assert_eq!(wrong_counts(&app).await, 0);

        // The matter goes on as a case of the same person, and its timeline begins with the booking.
        let first = &heard.iter().find(|(number, _)| *number == 1).unwrap().1;
        let villager = app.villager("样例0").await;
        let case = villager.get(&cases::own(&json!({"id": first["case"]}))).await.expect(200);
        assert_eq!((&case["booking"], &case["kind"]), (&first["booking"], &json!("talk")));
        let events = villager.get(&format!("{}/events", cases::own(&case))).await.expect(200);
        let actions: Vec<&str> = events["items"].as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap()).collect();
        for step in ["check_in", "call", "conclude", "submit"] {
            assert!(actions.contains(&step), "{actions:?}");
        }

        app.advance(TimeDelta::hours(3));
        let desk = app.staff("desk").await;
        sign_and_publish(&app, &day).await;
        let minutes = app.nobody().get(&public("minutes")).await.expect(200);
        assert!(!minutes.to_string().contains("第9件事"), "a private matter is counted and not told");
        let villager = app.villager("样例7").await;
        villager.post(&public("ratings"), json!({"stars": 5})).await.expect(201);
        let path = format!("/staff/divisions/{}/talk-numbers?period=2026-11", app.village().await);
        let numbers = desk.get(&path).await.expect(200);
        let totals = &numbers["total"];
        assert_eq!((&totals["matters"], &totals["cases"], &totals["council"]), (&json!(49), &json!(3), &json!(1)), "{numbers}");
        assert_eq!((&totals["answered"], &totals["ratings"]["n"]), (&json!(45), &Value::Null), "one rating is nobody's business");

        // A week later the day opens with what became of it.
        let days = app.nobody().get(&format!("/divisions/{}/talk-days", app.village().await)).await.expect(200);
        let next = days["items"].as_array().unwrap().iter().find(|day| day["date"] == "2026-12-03").unwrap().clone();
        let agenda = app.nobody().get(&format!("/talk-days/{}/agenda", next["id"].as_str().unwrap())).await.expect(200);
        let lamp = agenda["opening"].as_array().unwrap().iter().find(|one| one["title"] == "村口的路灯").unwrap().clone();
        assert_eq!((&lamp["outcome"], &lamp["case_state"]), (&json!("case"), &case["state"]));
        assert!(!agenda.to_string().contains("第9件事"));
        app.drain_jobs().await;
    }
}
