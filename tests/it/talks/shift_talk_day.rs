//! Shifting a day: it moves whole, everybody stays in and is told, and its rule does not make the old day again.

use chrono::TimeDelta;
use serde_json::{Value, json};
use shuoshi::jobs::sweeps::{self, Sweep};

use super::{booked, bookings, days, last_told, one_slot, seen, waits, wish, wrong_counts};

fn shift(day: &Value) -> String {
    format!("/staff/talk-days/{}/shift", day["id"].as_str().unwrap())
}

fn to(date: &str) -> Value {
    json!({"date": date, "reason": "下大雪"})
}

both_engines! {
    async fn a_day_moves_whole_and_everybody_stays_in(app: TestApp) {
        let (one, two, desk) = (app.villager("甲").await, app.villager("乙").await, app.staff("desk").await);
        let day = days(&app).await[0].clone();
        let (first, second) = (booked(&one, &day["slots"][1]).await, booked(&two, &day["slots"][2]).await);
        waits(&app, &day["slots"][1], &app.villager("丙").await, false).await;
        app.staff("neighbour").await.post(&shift(&day), to("2026-11-27")).await.problem("not_found");
        let moved = desk.post(&shift(&day), to("2026-11-27")).await.expect(200);
        assert_eq!((&moved["date"], &moved["shifted_from"]), (&json!("2026-11-27"), &json!("2026-11-25")));
        assert_eq!((&moved["starts_at"], &moved["closes_at"]), (&json!("2026-11-27T01:00:00Z"), &json!("2026-11-26T23:00:00Z")));
        assert_eq!(moved["opens_at"], day["opens_at"], "booking that is open stays open");
        let slots = |day: &Value| day["slots"].as_array().unwrap().iter().map(|slot| slot["id"].clone()).collect::<Vec<_>>();
        assert_eq!(slots(&moved), slots(&day), "the same slots in the same order");
        assert_eq!(moved["slots"][1]["starts_at"], "2026-11-27T01:15:00Z");
        for (villager, before, starts) in [(&one, &first, "2026-11-27T01:15:00Z"), (&two, &second, "2026-11-27T01:30:00Z")] {
            let now = villager.get(&format!("/bookings/{}", before["id"].as_str().unwrap())).await.expect(200);
            assert_eq!((&now["state"], &now["number_in_line"]), (&before["state"], &before["number_in_line"]));
            assert_eq!((&now["starts_at"], &now["date"]), (&json!(starts), &json!("2026-11-27")));
        }
        let (kind, text) = last_told(&app, &one).await;
        assert_eq!(kind, "booking_day_shifted");
        assert_eq!(text, "11月25日 09:15 的说事日改到 11月27日 09:15：下大雪。您的位子不变，不便可取消");
        assert_eq!(last_told(&app, &app.villager("丙").await).await.0, "wait_day_shifted");
        assert_eq!(app.number("SELECT count(*) FROM talk_wait WHERE state = 'waiting'").await, 1);
        assert_eq!(wrong_counts(&app).await, 0);
    }

    async fn by_less_than_a_slot_on_the_same_date_and_back(app: TestApp) {
        let desk = app.staff("desk").await;
        let day = days(&app).await[0].clone();
        let at = |starts: &str| json!({"date": "2026-11-25", "starts": starts, "reason": "让路"});
        let later = desk.post(&shift(&day), at("09:15")).await.expect(200);
        assert_eq!((&later["shifted_from"], &later["slots"][0]["starts_at"]), (&json!(null), &json!("2026-11-25T01:15:00Z")));
        let earlier = desk.post(&shift(&day), at("08:59")).await.expect(200);
        assert_eq!(earlier["slots"][9]["ends_at"], "2026-11-25T03:29:00Z");
        desk.post(&shift(&day), to("2026-11-27")).await.expect(200);
        let back = desk.post(&shift(&day), at("09:00")).await.expect(200);
        let whole = |day: &Value| (day["starts_at"].clone(), day["ends_at"].clone(), day["slots"].clone(), day["shifted_from"].clone());
        assert_eq!(whole(&back), whole(&day), "back where it was");
    }

    async fn its_rule_makes_the_old_day_no_second_time(app: TestApp) {
        let desk = app.staff("desk").await;
        let day = days(&app).await[1].clone();
        desk.post(&shift(&day), to("2026-12-08")).await.expect(200);
        sweeps::run(app.app(), Sweep::MaterialiseTalkDays).await.unwrap();
        let dates = async || days(&app).await.iter().map(|day| day["date"].clone()).collect::<Vec<Value>>();
        let once = ["2026-11-25", "2026-12-08", "2026-12-15", "2026-12-25", "2027-01-05", "2027-01-15"];
        assert_eq!(dates().await, once);
        desk.post(&shift(&day), to("2026-12-15")).await.problem("already_exists");
        // Nor when the rule changes: that somebody shifted it was decided.
        let village = app.village().await;
        let rules = desk.get(&format!("/staff/divisions/{village}/talk-rules")).await.expect(200);
        let body = json!({
            "recurrence": {"kind": "monthly_days", "days": [5, 15, 25]}, "starts": "14:00", "ends": "15:00", "place": "村委会",
        });
        desk.put(&format!("/staff/talk-rules/{}", rules["items"][0]["id"].as_str().unwrap()), body).await.expect(200);
        assert_eq!(dates().await, once);
        assert_eq!(seen(&app, &day).await["starts_at"], "2026-12-08T01:00:00Z");
        desk.post(&shift(&day), to("2026-12-05")).await.expect(200);
        sweeps::run(app.app(), Sweep::MaterialiseTalkDays).await.unwrap();
        assert_eq!(dates().await[1], "2026-12-05");
        app.drain_jobs().await;
    }

    async fn who_was_booked_before_may_leave_until_it_starts(app: TestApp) {
        let (early, late, desk) = (app.villager("甲").await, app.villager("乙").await, app.staff("desk").await);
        let day = one_slot(&app, 3).await;
        let before = booked(&early, &day["slots"][0]).await;
        app.advance(TimeDelta::minutes(1));
        desk.post(&shift(&day), json!({"date": "2026-11-24", "starts": "16:00", "reason": "让路"})).await.expect(200);
        app.advance(TimeDelta::hours(1));
        let after = booked(&late, &day["slots"][0]).await;
        // It starts on Tuesday at 16:00; booking closed at 14:00.
        app.advance(TimeDelta::hours(28));
        let (early, late) = (app.villager("甲").await, app.villager("乙").await);
        let cancel = |booking: &Value| format!("/bookings/{}/cancel", booking["id"].as_str().unwrap());
        late.post(&cancel(&after), json!({})).await.problem("too_late");
        early.post(&cancel(&before), json!({"version": 1})).await.problem("stale");
        early.post(&cancel(&before), json!({})).await.expect(200);
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }

    async fn what_cannot_be_is_refused(app: TestApp) {
        let desk = app.staff("desk").await;
        let day = one_slot(&app, 1).await;
        let with = |date: &str, starts: Value| json!({"date": date, "starts": starts, "reason": "让路"});
        for (body, pointer, fault) in [
            (to("2026-11-22"), "/date", "past"),
            (to("2028-01-01"), "/date", "range"),
            (to("2026-11-24"), "/date", "unchanged"),
            (with("2026-11-23", json!("09:00")), "/starts", "past"),
            (with("2026-11-25", json!("23:45")), "/starts", "out_of_range"),
            (json!({"date": "2026-11-26", "reason": " "}), "/reason", "empty"),
            (json!({"date": "2026-11-26", "reason": "问幺三八零零零零零零零零"}), "/reason", "personal"),
            (json!({"date": "2026-11-26", "reason": "x", "colour": 1}), "/colour", "unknown_field"),
        ] {
            desk.post(&shift(&day), body).await.invalid(pointer, fault);
        }
        app.staff("cadre").await.post(&shift(&day), to("2026-11-26")).await.problem("not_your_duty");
        app.advance(TimeDelta::hours(29));
        let desk = app.staff("desk").await;
        desk.post(&shift(&day), to("2026-11-26")).await.problem("transition_not_allowed");
        let off = days(&app).await[1].clone();
        desk.post(&format!("/staff/talk-days/{}/cancel", off["id"].as_str().unwrap()), json!({"reason": "停电"})).await.expect(200);
        desk.post(&shift(&off), to("2026-11-28")).await.problem("transition_not_allowed");
    }

    async fn shifting_and_booking_at_once_loses_no_place(app: TestApp) {
        let day = one_slot(&app, 4).await;
        let mut people = Vec::new();
        for n in 0..8 {
            people.push(app.villager(&format!("村民{n}")).await);
        }
        let (desk, path) = (app.staff("desk").await, bookings(&day["slots"][0]));
        let storm = futures_util::future::join_all(people.iter().map(|one| one.post(&path, wish())));
        let moving = async {
            for date in ["2026-11-26", "2026-11-27", "2026-11-28"] {
                desk.post(&shift(&day), to(date)).await.expect(200);
            }
        };
        let (answers, ()) = tokio::join!(storm, moving);
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 4);
        assert_eq!(app.number("SELECT count(*) FROM booking WHERE live").await, 4);
        assert_eq!(wrong_counts(&app).await, 0);
        app.drain_jobs().await;
    }
}
