//! Settings of a place: what it sets holds below it until a nearer place sets another.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    cases::{actions, filed},
    support::{Actor, TestApp},
};

async fn settings(actor: &Actor, division: &str) -> Value {
    actor.get(&format!("/staff/divisions/{division}/settings")).await.expect(200)
}

async fn set(actor: &Actor, division: &str, body: Value) -> crate::support::Answer {
    actor.put(&format!("/staff/divisions/{division}/settings"), body).await
}

async fn above(app: &TestApp, division: &str) -> String {
    let seen = app.nobody().get(&format!("/divisions/{division}")).await.expect(200);
    seen["parent"].as_str().unwrap().to_owned()
}

both_engines! {
    async fn the_nearest_place_rules(app: TestApp) {
        let (admin, village) = (app.staff("admin").await, app.village().await.to_string());
        let township = above(&app, &village).await;
        set(&admin, &township, json!({"numbers": {"accept_days": 2, "sign_days": 3}})).await.expect(200);
        set(&admin, &village, json!({"numbers": {"sign_days": 2}})).await.expect(200);
        let here = settings(&app.staff("desk").await, &village).await;
        assert_eq!((&here["numbers"]["accept_days"], &here["numbers"]["sign_days"]), (&json!(2), &json!(2)));
        assert_eq!((&here["own"]["numbers"], &here["usual"]["sign_days"]), (&json!({"sign_days": 2}), &json!(1)));
        let next_door = app.staff("neighbour").await;
        let neighbour = next_door.session["staff"]["postings"][0]["division"].as_str().unwrap().to_owned();
        assert_eq!(settings(&next_door, &neighbour).await["numbers"]["sign_days"], 3);
        // What is left out comes from above again.
        set(&admin, &village, json!({})).await.expect(200);
        assert_eq!(settings(&admin, &village).await["numbers"]["sign_days"], 3);
    }

    async fn what_is_set_rules_the_clocks_that_begin_after_it(app: TestApp) {
        let (admin, village) = (app.staff("admin").await, app.village().await.to_string());
        let hours = json!({"opens": "08:30", "closes": "16:30"});
        set(&admin, &village, json!({"numbers": {"accept_days": 2}, "desk_hours": hours})).await.expect(200);
        let case = filed(&app, &app.villager("甲").await).await;
        let desk = app.staff("desk").await;
        let seen = desk.get(&format!("/staff/cases/{}", case["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(seen["step_due_at"], "2026-11-25T08:30:00Z", "16:30 in China, two working days on");
        desk.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        app.advance(TimeDelta::minutes(1));
        app.drain_jobs().await;
    }

    async fn another_server_takes_it_over(app: TestApp) {
        let other = app.second_server().await;
        let (admin, village) = (app.staff("admin").await, app.village().await.to_string());
        set(&admin, &village, json!({"numbers": {"confirm_days": 7}})).await.expect(200);
        shuoshi::settings::refresh(other.app()).await.unwrap();
        assert_eq!(settings(&admin.at(&other), &village).await["numbers"]["confirm_days"], 7);
    }

    async fn what_may_not_be_set_is_named(app: TestApp) {
        let (admin, village) = (app.staff("admin").await, app.village().await.to_string());
        set(&admin, &village, json!({"numbers": {"no_such": 1}})).await.invalid("/numbers/no_such", "unknown");
        set(&admin, &village, json!({"numbers": {"accept_days": 90}})).await.invalid("/numbers/accept_days", "range");
        let hours = json!({"desk_hours": {"opens": "17:00", "closes": "09:00"}});
        set(&admin, &village, hours).await.invalid("/desk_hours/closes", "range");
        let twice = json!({"days": [
            {"date": "2026-12-01", "kind": "holiday", "name": "样例"},
            {"date": "2026-12-01", "kind": "workday", "name": "样例"},
        ]});
        set(&admin, &village, twice).await.invalid("/days/1/date", "duplicate");
        assert_eq!(settings(&admin, &village).await["own"], json!({"numbers": {}, "desk_hours": null, "days": []}));
        app.staff("desk").await.put(&format!("/staff/divisions/{village}/settings"), json!({})).await.problem("not_your_duty");
    }

    async fn a_calendar_that_is_published_moves_what_is_due_and_says_so(app: TestApp) {
        let (villager, admin) = (app.villager("甲").await, app.staff("admin").await);
        let case = filed(&app, &villager).await;
        let desk = app.staff("desk").await;
        let accepted = desk.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        let before = accepted["promised_due_on"].as_str().unwrap().to_owned();
        let known = admin.get("/staff/calendars").await.expect(200);
        assert_eq!((known["items"].as_array().unwrap().len(), &known["items"][0]["current"]), (1, &json!(true)));

        let mut days = json!({"year": 2026, "source": "样例通知", "days": [
            {"date": before, "kind": "holiday", "name": "样例假"},
            {"date": "2027-01-01", "kind": "holiday", "name": "元旦"},
            {"date": before, "kind": "holiday", "name": "样例假"},
        ]});
        admin.post("/staff/calendars", days.clone()).await.invalid("/days/1/date", "range");
        days["days"].as_array_mut().unwrap().remove(1);
        admin.post("/staff/calendars", days.clone()).await.invalid("/days/1/date", "duplicate");
        days["days"].as_array_mut().unwrap().remove(1);
        for who in ["desk", "town", "county"] {
            app.staff(who).await.post("/staff/calendars", days.clone()).await.problem("not_your_duty");
        }
        let published = admin.post_keyed("/staff/calendars", "calendar-2026", days.clone()).await.expect(201);
        assert_eq!((&published["source"], &published["current"]), (&json!("样例通知"), &json!(true)));
        assert_eq!(admin.post_keyed("/staff/calendars", "calendar-2026", days.clone()).await.expect(201), published);
        assert_eq!(admin.post("/staff/calendars", days).await.expect(201)["version"], published["version"]);
        let listed = admin.get("/staff/calendars?limit=1").await.expect(200);
        assert_eq!(listed["items"][0], published);
        let rest = format!("/staff/calendars?limit=1&cursor={}", listed["next_cursor"].as_str().unwrap());
        assert_eq!(admin.get(&rest).await.expect(200)["items"][0]["current"], false);

        app.advance(TimeDelta::minutes(2));
        app.drain_jobs().await;
        let seen = desk.get(&format!("/staff/cases/{}", case["id"].as_str().unwrap())).await.expect(200);
        assert!(seen["promised_due_on"].as_str().unwrap() > before.as_str(), "{seen}");
        let events = desk.get(&format!("/staff/cases/{}/events", case["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(events["items"].as_array().unwrap().last().unwrap()["action"], "recalculate");
        let why = desk.get(&format!("/staff/cases/{}/due-date", case["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(why["calendar_version"], published["version"]);
        assert!(why["days"].to_string().contains("样例假"));
    }

    async fn days_off_give_the_villager_more_days_for_papers(app: TestApp) {
        let (villager, desk, admin) = (app.villager("甲").await, app.staff("desk").await, app.staff("admin").await);
        let case = filed(&app, &villager).await;
        let ask = json!({"action": "request_supplement", "materials": ["户口簿"], "text": "请补"});
        let before = desk.post(&actions(&case), ask).await.expect(200)["until_on"].as_str().unwrap().to_owned();
        let days: Vec<Value> = (26..=27)
            .map(|on| json!({"date": format!("2026-11-{on}"), "kind": "holiday", "name": "样例"}))
            .collect();
        set(&admin, &app.village().await.to_string(), json!({"days": days})).await.expect(200);
        app.advance(TimeDelta::minutes(2));
        app.drain_jobs().await;
        let path = format!("/staff/cases/{}", case["id"].as_str().unwrap());
        let after = desk.get(&path).await.expect(200)["until_on"].as_str().unwrap().to_owned();
        assert_eq!((before.as_str(), after.as_str()), ("2026-12-07", "2026-12-09"));
    }

    async fn two_who_publish_at_once_keep_both_years(app: TestApp) {
        let (one, two) = (app.staff("admin").await, app.staff("admin").await);
        let body = |year: i32| json!({
            "year": year, "source": "样例通知",
            "days": [{"date": format!("{year}-01-01"), "kind": "holiday", "name": "元旦"}],
        });
        let (left, right) =
            futures_util::future::join(one.post("/staff/calendars", body(2027)), two.post("/staff/calendars", body(2028))).await;
        left.expect(201);
        right.expect(201);
        let known = "SELECT count(*) FROM calendar_day d WHERE d.on_date >= '2027-01-01' AND d.version =
                     (SELECT version FROM calendar_version ORDER BY published_at DESC LIMIT 1)";
        assert_eq!(app.number(known).await, 2);
    }
}
