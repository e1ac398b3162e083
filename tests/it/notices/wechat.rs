//! Subscribe messages: the ledger, every failure, and what happens when nobody knows.

use chrono::TimeDelta;
use serde_json::json;
use shuoshi::notices::About;

use super::{PHONE, PROGRESS, TALK_DAY, agrees, away, deliveries, order, person_of, pushed, sent, tell, write};
use crate::pushes::left;

both_engines! {
    async fn a_message_goes_once_and_the_ledger_knows(app: TestApp) {
        let me = app.villager("甲").await;
        agrees(&app, "甲", TALK_DAY).await;
        tell(&app, &me, "missed_upheld").await;
        pushed(&app, 2).await;
        let messages = sent(&app, "甲").await;
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0]["template_id"], TALK_DAY);
        assert_eq!(messages[0]["data"]["thing1"]["value"], "说事日有变动");
        assert_eq!(messages[0]["data"]["time2"]["value"], "12月15日 09:00");
        assert_eq!(left(&me, TALK_DAY).await, 0);
        let inbox = me.get("/inbox").await.expect(200);
        assert_eq!(inbox["items"][0]["told_by"], "wechat");
        assert_eq!(deliveries(&app).await, ["wechat sent"]);
        // Nothing is left of it, and they use the app: the inbox will do.
        tell(&app, &me, "missed_upheld").await;
        assert_eq!(me.get("/inbox").await.expect(200)["items"][0]["told_by"], json!(null));
        assert_eq!((sent(&app, "甲").await.len(), deliveries(&app).await.len()), (1, 1));
    }

    async fn a_case_opens_its_page_and_quiet_news_stay_in_the_inbox(app: TestApp) {
        let me = app.villager("甲").await;
        agrees(&app, "甲", PROGRESS).await;
        let case = crate::cases::filed(&app, &me).await;
        app.drain_jobs().await;
        assert!(sent(&app, "甲").await.is_empty(), "they filed it themselves");
        app.staff("desk").await.post(&crate::cases::actions(&case), json!({"action": "accept"})).await.expect(200);
        app.drain_jobs().await;
        pushed(&app, 2).await;
        let messages = sent(&app, "甲").await;
        assert_eq!(messages[0]["page"], format!("pages/case?id={}", case["id"].as_str().unwrap()));
        assert_eq!(messages[0]["data"]["character_string1"]["value"], case["number"]);
        assert_eq!(messages[0]["data"]["phrase2"]["value"], "已受理");
    }

    async fn a_lost_answer_is_waited_for_and_not_sent_again(app: TestApp) {
        let me = away(&app, "甲", Some(PHONE)).await;
        agrees(&app, "甲", PROGRESS).await;
        let texts = app.messages_to(PHONE).len();
        order(&app, json!({"cut": "after", "times": 1})).await;
        tell(&app, &me, "case_answered").await;
        pushed(&app, 2).await;
        assert_eq!(deliveries(&app).await, ["wechat sent"]);
        app.advance(TimeDelta::minutes(20));
        app.drain_jobs().await;
        assert_eq!((sent(&app, "甲").await.len(), app.messages_to(PHONE).len()), (1, texts));
    }

    async fn what_never_left_goes_the_next_way_when_no_report_came(app: TestApp) {
        let me = away(&app, "甲", Some(PHONE)).await;
        agrees(&app, "甲", PROGRESS).await;
        let texts = app.messages_to(PHONE).len();
        order(&app, json!({"cut": "before", "times": 1})).await;
        tell(&app, &me, "case_answered").await;
        assert_eq!(deliveries(&app).await, ["wechat unknown"]);
        // A second message to the same person waits: WeChat takes one at a time (43108), and its report must be told apart.
        tell(&app, &me, "case_completed").await;
        assert_eq!(deliveries(&app).await, ["wechat unknown", "wechat waiting"]);
        app.advance(TimeDelta::minutes(16));
        app.drain_jobs().await;
        app.advance(TimeDelta::seconds(10));
        app.drain_jobs().await;
        pushed(&app, 2).await;
        assert_eq!(deliveries(&app).await, ["sms sent", "wechat sent"]);
        assert_eq!((sent(&app, "甲").await.len(), app.messages_to(PHONE).len()), (1, texts + 1));
        assert!(app.messages_to(PHONE).pop().unwrap().contains("SS-7K4M-2Q"));
    }

    async fn refusals_lead_where_they_must(app: TestApp) {
        let me = away(&app, "甲", Some(PHONE)).await;
        for (errcode, kind, expected) in [
            // Nothing left, whatever the ledger says: 0, and a text message.
            (43101, "missed_upheld", "sms sent"),
            (40037, "case_answered", "sms sent"),
            (47003, "case_answered", "sms sent"),
            (43107, "case_answered", "sms sent"),
            (41030, "case_answered", "sms sent"),
            (45168, "case_answered", "sms sent"),
            (40003, "case_answered", "sms sent"),
            // Not today: tomorrow, where it keeps.
            (45009, "case_answered", "wechat waiting"),
            (45009, "case_supplement_reminder", "sms sent"),
            (45011, "case_answered", "wechat waiting"),
        ] {
            let template = if kind == "missed_upheld" { TALK_DAY } else { PROGRESS };
            agrees(&app, "甲", template).await;
            // So that what was told before is no flood.
            app.advance(TimeDelta::minutes(11));
            app.drain_jobs().await;
            let before = deliveries(&app).await.len();
            order(&app, json!({"errcode": errcode, "times": 1})).await;
            write(&app, person_of(&me), kind, About::Oneself).await;
            app.drain_jobs().await;
            assert_eq!(deliveries(&app).await[before..], [expected], "{errcode} {kind}");
            app.execute("UPDATE notice_delivery SET state = 'sent' WHERE state = 'waiting'").await;
        }
        assert_eq!(left(&me, TALK_DAY).await, 0);
        assert!(sent(&app, "甲").await.is_empty());
    }

    async fn what_passes_is_tried_again(app: TestApp) {
        let me = away(&app, "甲", None).await;
        agrees(&app, "甲", PROGRESS).await;
        // Each time the client asks twice by itself.
        for (errcode, times) in [(-1, 2), (43108, 2), (40001, 1)] {
            order(&app, json!({"errcode": errcode, "times": times})).await;
        }
        tell(&app, &me, "case_answered").await;
        assert_eq!(deliveries(&app).await, ["wechat waiting"]);
        for _ in 0..3 {
            app.advance(TimeDelta::seconds(20));
            app.drain_jobs().await;
        }
        pushed(&app, 2).await;
        assert_eq!(deliveries(&app).await, ["wechat sent"]);
        assert_eq!(sent(&app, "甲").await.len(), 1);
    }

    async fn without_a_token_nothing_has_gone(app: TestApp) {
        let me = away(&app, "甲", None).await;
        agrees(&app, "甲", PROGRESS).await;
        tell(&app, &me, "case_accepted").await;
        pushed(&app, 2).await;
        assert_eq!(deliveries(&app).await, ["wechat sent"]);
        // The token is rejected, and there is no other to be had.
        order(&app, json!({"errcode": 40001, "times": 1})).await;
        app.simulator("faults", json!({"path": "/cgi-bin/stable_token", "http": 502, "times": 1})).await;
        tell(&app, &me, "case_answered").await;
        assert_eq!(deliveries(&app).await, ["wechat sent", "wechat waiting"]);
        app.advance(TimeDelta::seconds(20));
        app.drain_jobs().await;
        pushed(&app, 3).await;
        assert_eq!((deliveries(&app).await, sent(&app, "甲").await.len()), (vec!["wechat sent".to_owned(); 2], 2));
    }

    async fn a_worker_that_died_sends_nothing_twice(app: TestApp) {
        let me = away(&app, "甲", Some(PHONE)).await;
        agrees(&app, "甲", PROGRESS).await;
        let texts = app.messages_to(PHONE).len();
        write(&app, person_of(&me), "case_answered", About::Oneself).await;
        // Another server begins, and is gone before its answer comes.
        order(&app, json!({"delay_ms": 4000, "times": 1})).await;
        let other = app.second_server().await;
        let begun = async {
            while deliveries(&app).await != ["wechat sending"] {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            _ = other.drain_jobs() => panic!("it was to be slow"),
            () = begun => {}
        }
        assert_eq!(deliveries(&app).await, ["wechat sending"]);
        app.drain_jobs().await;
        app.advance(TimeDelta::seconds(61));
        app.drain_jobs().await;
        app.advance(TimeDelta::minutes(16));
        app.drain_jobs().await;
        let told = sent(&app, "甲").await.len() + app.messages_to(PHONE).len() - texts;
        assert_eq!(told, 1, "{:?}", deliveries(&app).await);
    }
}
