//! What is stuck goes on, whose report is whose, and what of a private matter leaves the house.

use chrono::TimeDelta;
use entity::id::BookingId;
use serde_json::json;
use shuoshi::notices::{self, About, SentReport};

use super::{PHONE, PROGRESS, agrees, away, deliveries, order, person_of, sent, tell, write};
use crate::{
    support::TestApp,
    talks::{hearing::matter, one_slot},
};

async fn given_up(app: &TestApp, kind: &str) {
    app.execute(&format!("UPDATE job SET dead_at = created_at WHERE kind = '{kind}' AND done_at IS NULL")).await;
}

both_engines! {
    async fn a_notice_whose_job_was_given_up_is_brought_all_the_same(app: TestApp) {
        let me = away(&app, "甲", Some(PHONE)).await;
        let texts = app.messages_to(PHONE).len();
        write(&app, person_of(&me), "case_answered", About::Oneself).await;
        given_up(&app, "deliver_notices").await;
        app.drain_jobs().await;
        assert!(deliveries(&app).await.is_empty());
        app.advance(TimeDelta::minutes(7));
        app.drain_jobs().await;
        assert_eq!((deliveries(&app).await, app.messages_to(PHONE).len()), (vec!["sms sent".to_owned()], texts + 1));
        // Ten in the evening: it waits for the morning, and its job does not live to see it.
        app.advance(TimeDelta::hours(12));
        app.drain_jobs().await;
        tell(&app, &me, "case_completed").await;
        assert_eq!(deliveries(&app).await, ["sms sent", "sms waiting"]);
        given_up(&app, "send_notice").await;
        app.advance(TimeDelta::hours(11));
        app.drain_jobs().await;
        assert_eq!((deliveries(&app).await, app.messages_to(PHONE).len()), (vec!["sms sent".to_owned(); 2], texts + 2));
        for _ in 0..3 {
            app.advance(TimeDelta::minutes(7));
            app.drain_jobs().await;
        }
        assert_eq!(app.messages_to(PHONE).len(), texts + 2);
        // Those given up stay for people to see.
        app.execute("DELETE FROM job WHERE dead_at IS NOT NULL").await;
    }

    async fn what_does_not_keep_waits_for_no_report_on_another(app: TestApp) {
        let me = away(&app, "甲", Some(PHONE)).await;
        agrees(&app, "甲", PROGRESS).await;
        let texts = app.messages_to(PHONE).len();
        order(&app, json!({"cut": "before", "times": 1})).await;
        tell(&app, &me, "case_completed").await;
        tell(&app, &me, "case_supplement_reminder").await;
        tell(&app, &me, "case_milestone").await;
        assert_eq!(deliveries(&app).await, ["wechat unknown", "sms sent", "wechat waiting"]);
        assert_eq!((sent(&app, "甲").await.len(), app.messages_to(PHONE).len()), (0, texts + 1));
        // A report of something older is not one on this; that on this lets the next go at once.
        let openid = app.openid("甲");
        let (before, after) =
            (["wechat unknown", "sms sent", "wechat waiting"], ["wechat sent", "sms sent", "wechat sent"]);
        for (seconds, expected) in [(-60, before), (1, after)] {
            let (shared, openid, now) = (app.app().clone(), openid.clone(), app.now());
            app.db().transact(async move |tx| {
                let at = now + TimeDelta::seconds(seconds);
                let report = SentReport { openid: &openid, template: PROGRESS, msgid: "7", ok: true, at };
                notices::sent_event(tx, &shared, report, now).await
            }).await.unwrap();
            app.drain_jobs().await;
            assert_eq!(deliveries(&app).await, expected);
        }
    }

    async fn of_a_private_booking_only_the_app_speaks(app: TestApp) {
        let me = app.villager_with_phone("甲", PHONE).await;
        let day = one_slot(&app, 3).await;
        let booking = matter(&me, &day, "private", "和邻居的事").await;
        app.drain_jobs().await;
        let booking = BookingId(booking["id"].as_str().unwrap().parse().unwrap());
        write(&app, person_of(&me), "booking_day_shifted", About::Booking(booking)).await;
        app.drain_jobs().await;
        let text = app.messages_to(PHONE).pop().unwrap();
        assert_eq!(text, "您有一条新消息，请打开小程序查看");
    }
}
