//! Lights and supervision by time: on working days, in desk hours, once, whoever runs the sweep and whatever it missed.

use chrono::{DateTime, FixedOffset, TimeDelta};
use entity::case_event;
use sea_orm::{EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use shuoshi::clock::china;

use super::{actions, answer, in_progress, own};
use crate::support::TestApp;

async fn question(app: &TestApp) -> Value {
    let body = json!({
        "kind": "voice", "concern": "question", "division": app.village().await, "text": "低保什么时候发",
        "contact_phone": "13800001234",
    });
    app.villager("甲").await.post("/cases", body).await.expect(201)
}

/// The steps of supervision that were taken: which, and when in China.
async fn alarms(app: &TestApp) -> Vec<(i64, DateTime<FixedOffset>)> {
    let events = case_event::Entity::find()
        .filter(case_event::COLUMN.action.eq("alarm"))
        .order_by_asc(case_event::Column::Seq)
        .all(app.db().read())
        .await
        .unwrap();
    events
        .iter()
        .map(|event| (event.detail.as_ref().unwrap()["step"].as_i64().unwrap(), event.at.with_timezone(&china())))
        .collect()
}

fn times(alarms: &[(i64, DateTime<FixedOffset>)]) -> Vec<String> {
    alarms.iter().map(|(step, at)| format!("{step} {}", at.format("%m-%d %H:%M"))).collect()
}

both_engines! {
    async fn it_climbs_while_nobody_answers_and_a_comment_does_not_put_it_off(app: TestApp) {
        let case = question(&app).await;
        in_progress(&app, &case).await;
        for day in 0..16 {
            for _ in 0..24 {
                app.advance(TimeDelta::hours(1));
                app.drain_jobs().await;
            }
            if day % 2 == 0 {
                let note = json!({"action": "note", "text": "还在办"});
                app.staff("cadre").await.post(&actions(&case), note).await.expect(200);
            }
        }
        // Due on Thursday 2026-11-26; yellow with one working day left.
        assert_eq!(times(&alarms(&app).await), ["1 11-25 09:00", "2 11-27 09:00", "3 12-02 09:00", "4 12-04 09:00"]);
    }

    async fn what_nobody_was_given_climbs_too(app: TestApp) {
        let case = question(&app).await;
        app.staff("desk").await.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
        for _ in 0..16 {
            app.advance(TimeDelta::days(1));
            app.drain_jobs().await;
        }
        assert_eq!(alarms(&app).await.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [1, 2, 3, 4]);
        let listed = app.staff("county").await.get("/staff/cases?view=overdue").await.expect(200);
        assert_eq!((&listed["items"][0]["id"], &listed["items"][0]["alarm_step"]), (&case["id"], &json!(4)));
    }

    async fn a_server_that_was_away_catches_up_in_order_and_in_desk_hours(app: TestApp) {
        let case = question(&app).await;
        in_progress(&app, &case).await;
        // Back at two in the night after ten days.
        app.advance(TimeDelta::days(9) + TimeDelta::hours(16));
        app.drain_jobs().await;
        assert!(alarms(&app).await.is_empty(), "nothing at night");
        app.advance(TimeDelta::hours(7));
        app.drain_jobs().await;
        assert_eq!(times(&alarms(&app).await), ["1 12-03 09:00", "2 12-03 09:00", "3 12-03 09:00"]);
    }

    async fn two_servers_take_each_step_once(app: TestApp) {
        for who in ["甲", "乙", "丙", "丁"] {
            let body = json!({
                "kind": "voice", "concern": "question", "division": app.village().await, "text": "低保什么时候发",
                "contact_phone": "13800001234",
            });
            let case = app.villager(who).await.post("/cases", body).await.expect(201);
            in_progress(&app, &case).await;
        }
        let other = app.second_server().await;
        app.advance(TimeDelta::days(10));
        let (one, two) = (app.app().clone(), other.app().clone());
        let (left, right) = tokio::join!(
            shuoshi::cases::jobs::watch_due_dates(&one),
            shuoshi::cases::jobs::watch_due_dates(&two),
        );
        left.unwrap();
        right.unwrap();
        assert_eq!(alarms(&app).await.len(), 12, "three steps of four cases");
        app.drain_jobs().await;
    }

    async fn an_answer_ends_it(app: TestApp) {
        let case = question(&app).await;
        in_progress(&app, &case).await;
        app.staff("cadre").await.post(&actions(&case), answer()).await.expect(200);
        app.advance(TimeDelta::days(4));
        app.drain_jobs().await;
        assert!(alarms(&app).await.is_empty());
    }

    async fn a_holiday_makes_it_later_and_never_earlier(app: TestApp) {
        let days = json!({"days": [
            {"date": "2026-11-26", "kind": "holiday", "name": "样例 赶集"},
            {"date": "2026-11-28", "kind": "workday", "name": "样例 补班"},
        ]});
        let admin = app.staff("admin").await;
        let village = app.village().await;
        let before = question(&app).await;
        in_progress(&app, &before).await;
        admin.put(&format!("/staff/divisions/{village}/settings"), days).await.expect(200);
        app.drain_jobs().await;
        let seen = app.villager("甲").await.get(&own(&before)).await.expect(200);
        assert_eq!(seen["promised_due_on"], "2026-11-27", "the holiday moved what runs");
        let events = app.villager("甲").await.get(&format!("{}/events", own(&before))).await.expect(200);
        assert!(!events.to_string().contains("recalculate"));
        let events = app.staff("desk").await.get(&format!("/staff{}/events", own(&before))).await.expect(200);
        assert!(events.to_string().contains("recalculate"), "{events}");
        let why = app.villager("甲").await.get(&format!("{}/due-date", own(&before))).await.expect(200);
        assert_eq!(why["days"][3]["why"], json!({"kind": "holiday", "name": "样例 赶集"}));
    }
}
