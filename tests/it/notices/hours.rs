//! Nothing at night, one message in the morning, and no floods.

use chrono::TimeDelta;
use entity::notice_delivery;
use sea_orm::EntityTrait;
use shuoshi::notices::About;

use super::{PHONE, PROGRESS, agrees, away, deliveries, person_of, pushed, sent, tell, write};

both_engines! {
    async fn the_night_is_quiet_and_the_morning_brings_one_message(app: TestApp) {
        let me = away(&app, "甲", Some(PHONE)).await;
        agrees(&app, "甲", PROGRESS).await;
        // Ten in the evening.
        app.advance(TimeDelta::hours(12));
        app.drain_jobs().await;
        for kind in ["case_accepted", "case_supplement_reminder", "case_answered"] {
            tell(&app, &me, kind).await;
            app.advance(TimeDelta::hours(2));
            app.drain_jobs().await;
        }
        assert!(sent(&app, "甲").await.is_empty());
        assert_eq!(deliveries(&app).await, ["wechat waiting"; 3]);
        let due = notice_delivery::Entity::find().all(app.db().read()).await.unwrap();
        let seven = "2026-12-09T07:00:00+08:00".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        assert!(due.iter().all(|row| row.due_at >= seven && row.due_at < seven + TimeDelta::minutes(30)));
        app.advance(TimeDelta::minutes(210));
        app.drain_jobs().await;
        pushed(&app, 2).await;
        let messages = sent(&app, "甲").await;
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0]["data"]["thing3"]["value"], "您有 3 条新消息");
        let mut states = deliveries(&app).await;
        states.sort();
        assert_eq!(states, ["wechat merged", "wechat merged", "wechat sent"]);
        let inbox = me.get("/inbox").await.expect(200);
        assert!(inbox["items"].as_array().unwrap().iter().take(3).all(|one| one["told_by"] == "wechat"), "{inbox}");
    }

    async fn a_flood_becomes_one_message(app: TestApp) {
        let me = away(&app, "甲", Some(PHONE)).await;
        let texts = app.messages_to(PHONE).len();
        for kind in ["case_accepted", "case_paused", "case_resumed", "case_milestone", "case_extended", "case_answered"] {
            tell(&app, &me, kind).await;
        }
        assert_eq!(app.messages_to(PHONE).len(), texts + 3);
        app.advance(TimeDelta::minutes(11));
        app.drain_jobs().await;
        let all = app.messages_to(PHONE);
        assert_eq!(all.len(), texts + 4);
        let last = all.last().unwrap();
        assert!(last.contains("3 条") && last.contains("有答复了") && last.contains("有新进展"), "{last}");
        // What comes at once is one from the beginning.
        app.advance(TimeDelta::minutes(11));
        for kind in ["case_accepted", "case_paused", "case_resumed", "case_answered"] {
            write(&app, person_of(&me), kind, About::Oneself).await;
        }
        app.drain_jobs().await;
        assert_eq!(app.messages_to(PHONE).len(), texts + 5);
    }
}
