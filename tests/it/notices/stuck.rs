//! What is stuck goes on, whose report is whose, and what of a private matter leaves the house.

use chrono::TimeDelta;
use entity::id::BookingId;
use serde_json::json;
use shuoshi::notices::{self, About, SentReport};

use super::{PHONE, PROGRESS, about, agrees, away, deliveries, order, person_of, sent, tell, write};
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

    async fn servers_that_stand_still_by_day_pile_up_no_jobs(app: TestApp) {
        let me = away(&app, "甲", Some(PHONE)).await;
        // Ten in the evening, every evening: nothing leaves then, and in the morning nobody is there.
        app.advance(TimeDelta::hours(12));
        write(&app, person_of(&me), "case_answered", About::Oneself).await;
        app.drain_jobs().await;
        for _ in 0..5 {
            app.advance(TimeDelta::days(1));
            app.drain_jobs().await;
        }
        let living = "SELECT count(*) FROM job WHERE kind = 'send_notice' AND done_at IS NULL";
        assert!(app.number(living).await <= 2, "its own, and one beside it");
        assert_eq!(deliveries(&app).await, ["sms waiting"]);
        app.advance(TimeDelta::hours(11));
        app.drain_jobs().await;
        assert_eq!(deliveries(&app).await, ["sms sent"]);
        // The one beside it looks once more when the sending must be over.
        app.advance(TimeDelta::minutes(2));
        app.drain_jobs().await;
        assert_eq!(app.number(living).await, 0);
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
        // A report of something much older is not one on this; that on this lets the next go at once, by whichever clock.
        let openid = app.openid("甲");
        let (before, after) =
            (["wechat unknown", "sms sent", "wechat waiting"], ["wechat sent", "sms sent", "wechat sent"]);
        for (seconds, expected) in [(-720, before), (-540, after)] {
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

    async fn a_text_whose_sender_died_goes_again_where_repeats_are_dropped(app: TestApp) {
        let me = away(&app, "甲", Some(PHONE)).await;
        let texts = app.messages_to(PHONE).len();
        tell(&app, &me, "case_answered").await;
        assert_eq!((deliveries(&app).await, app.messages_to(PHONE).len()), (vec!["sms sent".to_owned()], texts + 1));
        // As a worker leaves it that was killed after the gateway took the text and before the answer was written down.
        let died = "UPDATE notice_delivery SET state = 'sending', told_at = NULL";
        app.execute(died).await;
        app.execute("DELETE FROM job").await;
        for _ in 0..4 {
            app.advance(TimeDelta::minutes(3));
            app.drain_jobs().await;
        }
        assert_eq!((deliveries(&app).await, app.messages_to(PHONE).len()), (vec!["sms sent".to_owned()], texts + 1));
        // A gateway that would send it twice is not asked again: what must be heard, somebody says.
        let gateway = app.second_server_with(|config| {
            config.sms.provider = shuoshi::config::SmsProvider::Http;
            config.sms.url = "http://127.0.0.1:9/".to_owned();
        }).await;
        app.execute(died).await;
        app.advance(TimeDelta::minutes(7));
        gateway.drain_jobs().await;
        assert_eq!((deliveries(&app).await, app.messages_to(PHONE).len()), (vec!["desk to_call".to_owned()], texts + 1));
    }

    async fn a_phone_that_was_given_for_one_case_hears_of_that_one_alone(app: TestApp) {
        let me = app.villager("甲").await;
        let phones = ["13900002222", "13900003333"];
        let mut cases = Vec::new();
        for phone in phones {
            let body = json!({
                "kind": "proxy", "item": "DZ-MZ-01", "division": app.village().await, "contact_phone": phone,
            });
            cases.push(me.post("/cases", body).await.expect(201));
        }
        app.advance(TimeDelta::days(15));
        app.drain_jobs().await;
        app.execute("DELETE FROM notice_delivery").await;
        let counts = || phones.map(|phone| app.messages_to(phone).len());
        let night = async |hours: i64| {
            app.advance(TimeDelta::hours(hours));
            for case in &cases {
                write(&app, person_of(&me), "case_answered", about(case)).await;
            }
            app.drain_jobs().await;
            app.advance(TimeDelta::hours(11));
            app.drain_jobs().await;
            app.drain_jobs().await;
        };
        let before = counts();
        night(12).await;
        assert_eq!(counts(), before.map(|count| count + 1), "{:?}", deliveries(&app).await);
        for phone in phones {
            let text = app.messages_to(phone).pop().unwrap();
            assert!(text.contains("SS-7K4M-2Q") && !text.contains("2 条"), "{text}");
        }
        // Gathered for WeChat, which does not take them: then the phone of one case hears of no case.
        agrees(&app, "甲", PROGRESS).await;
        order(&app, json!({"errcode": 43101, "times": 1})).await;
        night(13).await;
        let after = counts();
        let told: usize = after.iter().sum::<usize>() - before.iter().sum::<usize>() - phones.len();
        assert_eq!(told, 1, "{:?}", deliveries(&app).await);
        let at = usize::from(after[0] == before[0] + 1);
        let text = app.messages_to(phones[at]).pop().unwrap();
        assert!(!text.contains("SS-7K4M-2Q") && !text.contains("办件"), "{text}");
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
