//! Rules become dated days: each once, whoever makes them, and nothing booked ever moves.

use chrono::{Datelike, NaiveDate, TimeDelta};
use serde_json::{Value, json};
use shuoshi::jobs::sweeps::{self, Sweep};

use super::{booked, days};
use crate::support::Engine;

fn rule() -> Value {
    json!({
        "recurrence": {"kind": "weekly", "weekdays": [6]}, "starts": "19:00", "ends": "20:00", "place": "村委会",
        "capacity": 2, "opens_days_before": 14,
    })
}

both_engines! {
    async fn the_demonstration_village_talks_on_the_5th_15th_and_25th(app: TestApp) {
        let dates: Vec<Value> = days(&app).await.iter().map(|day| day["date"].clone()).collect();
        assert_eq!(dates, ["2026-11-25", "2026-12-05", "2026-12-15", "2026-12-25", "2027-01-05", "2027-01-15"]);
        let day = &days(&app).await[0];
        assert_eq!(day["starts_at"], "2026-11-25T01:00:00Z");
        assert_eq!(day["opens_at"], "2026-11-10T16:00:00Z", "local midnight, fourteen days before");
    }

    async fn a_rule_makes_its_days_at_once_and_eight_weeks_ahead(app: TestApp) {
        let (desk, village) = (app.staff("desk").await, app.village().await);
        let made = desk.post(&format!("/staff/divisions/{village}/talk-rules"), rule()).await.expect(201);
        let saturdays: Vec<NaiveDate> = days(&app)
            .await
            .iter()
            .map(|day| day["date"].as_str().unwrap().parse::<NaiveDate>().unwrap())
            .filter(|date| date.weekday() == chrono::Weekday::Sat && date.day() != 5)
            .collect();
        assert_eq!(saturdays.len(), 7, "{saturdays:?}");
        let listed = desk.get(&format!("/staff/divisions/{village}/talk-rules")).await.expect(200);
        assert!(listed["items"].as_array().unwrap().iter().any(|one| one["id"] == made["id"]));
        app.staff("neighbour").await.post(&format!("/staff/divisions/{village}/talk-rules"), rule()).await.problem("not_found");
        app.staff("cadre").await.post(&format!("/staff/divisions/{village}/talk-rules"), rule()).await.problem("not_your_duty");
    }

    async fn a_rule_is_checked_field_by_field(app: TestApp) {
        let (desk, village) = (app.staff("desk").await, app.village().await);
        let neighbour = app.staff("neighbour").await;
        for (field, value, pointer) in [
            ("recurrence", json!({"kind": "monthly_days", "days": [32]}), "/recurrence/days/0"),
            ("recurrence", json!({"kind": "weekly", "weekdays": []}), "/recurrence/weekdays"),
            ("ends", json!("18:00"), "/ends"),
            ("slot_minutes", json!(0), "/slot_minutes"),
            ("walk_in_share", json!(0.95), "/walk_in_share"),
            ("hosts", json!([uuid::Uuid::now_v7()]), "/hosts/0"),
            ("hosts", json!([desk.id(), neighbour.id()]), "/hosts/1"),
        ] {
            let mut body = rule();
            body[field] = value;
            let told = desk.post(&format!("/staff/divisions/{village}/talk-rules"), body).await.problem("invalid");
            assert_eq!(told["errors"][0]["pointer"], pointer, "{told}");
        }
    }

    async fn making_the_days_again_makes_nothing_twice(app: TestApp) {
        let before = (app.number("SELECT count(*) FROM talk_day").await, app.number("SELECT count(*) FROM slot").await);
        for _ in 0..3 {
            sweeps::run(app.app(), Sweep::MaterialiseTalkDays).await.unwrap();
        }
        assert_eq!(before, (app.number("SELECT count(*) FROM talk_day").await, app.number("SELECT count(*) FROM slot").await));
        app.advance(TimeDelta::days(30));
        app.drain_jobs().await;
        let after = app.number("SELECT count(*) FROM talk_day").await;
        assert!(after > before.0, "a month later there are further days");
    }

    async fn two_servers_make_each_day_once(app: TestApp) {
        app.advance(TimeDelta::days(40));
        if app.engine() == Engine::Postgres {
            let other = app.second_server().await;
            let sweep = Sweep::MaterialiseTalkDays;
            let (one, two) = tokio::join!(sweeps::run(app.app(), sweep), sweeps::run(other.app(), sweep));
            assert!(one.is_ok() && two.is_ok());
        }
        app.drain_jobs().await;
        assert_eq!(app.number("SELECT count(*) - count(DISTINCT on_date) FROM talk_day").await, 0);
        let a_day = "SELECT count(*) FROM talk_day d WHERE (SELECT count(*) FROM slot s WHERE s.talk_day_id = d.id) <> 10";
        assert_eq!(app.number(a_day).await, 0, "ten quarters of an hour from 9:00 to 11:30");
    }

    async fn a_changed_rule_moves_nobody_who_is_booked(app: TestApp) {
        let (desk, village, villager) = (app.staff("desk").await, app.village().await, app.villager("甲").await);
        let first = days(&app).await[0].clone();
        let booking = booked(&villager, &first["slots"][0]).await;
        let rules = desk.get(&format!("/staff/divisions/{village}/talk-rules")).await.expect(200);
        let id = rules["items"][0]["id"].as_str().unwrap().to_owned();
        desk.put(&format!("/staff/talk-rules/{id}"), rule()).await.expect(200);
        let now = villager.get(&format!("/bookings/{}", booking["id"].as_str().unwrap())).await.expect(200);
        assert_eq!((&now["state"], &now["starts_at"]), (&booking["state"], &booking["starts_at"]));
        let dates: Vec<Value> = days(&app).await.iter().map(|day| day["date"].clone()).collect();
        assert_eq!(dates[0], "2026-11-25", "the booked day stays");
        assert!(!dates.contains(&json!("2026-12-15")), "an empty day of the old rule goes: {dates:?}");
        assert!(dates.contains(&json!("2026-11-28")), "{dates:?}");
        assert_eq!(desk.delete(&format!("/staff/talk-rules/{id}")).await.status, 204);
        let left: Vec<Value> = days(&app).await.iter().map(|day| day["date"].clone()).collect();
        assert_eq!(left, ["2026-11-25"]);
        app.drain_jobs().await;
        assert_eq!(days(&app).await.len(), 1, "an ended rule makes no more days");
    }
}
