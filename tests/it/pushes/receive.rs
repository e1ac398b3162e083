//! A push is stored once, in any mode and format, and has its effect in its order.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{LONG_TERM, ONE_TIME, event, popup, pushed};
use crate::support::Actor;

/// What the ledger says of a template.
pub async fn left(who: &Actor, template: &str) -> Value {
    let page = who.get("/subscriptions/templates").await.expect(200);
    let items = page["items"].as_array().unwrap();
    items.iter().find(|item| item["template_id"] == template).unwrap()["left"].clone()
}

both_engines! {
    async fn a_popup_counts_in_every_mode_and_format(app: TestApp) {
        let villager = app.villager("甲").await;
        let openid = app.openid("甲");
        let mut expected = 0;
        for mode in ["safe", "compatible"] {
            for format in ["json", "xml"] {
                app.advance(TimeDelta::minutes(10));
                let outcome = pushed(&app, mode, format, popup(&openid, ONE_TIME, "accept", app.now().timestamp())).await;
                assert_eq!(outcome["answer"], "success", "{mode} {format} {outcome}");
                app.drain_jobs().await;
                expected += 1;
                assert_eq!(left(&villager, ONE_TIME).await, expected, "{mode} {format}");
            }
        }
    }

    async fn a_list_of_several_and_the_nesting_of_xml_are_understood(app: TestApp) {
        let villager = app.villager("甲").await;
        let one = |template: &str| json!({"TemplateId": template, "SubscribeStatusString": "accept", "PopupScene": 0});
        let message = json!({
            "FromUserName": app.openid("甲"), "MsgType": "event", "Event": "subscribe_msg_popup_event",
            "SubscribeMsgPopupEvent": {"List": [one(ONE_TIME), one(LONG_TERM), one("unknown")]},
        });
        assert_eq!(pushed(&app, "safe", "xml", message).await["delivered"], true);
        app.drain_jobs().await;
        assert_eq!((left(&villager, ONE_TIME).await, left(&villager, LONG_TERM).await), (json!(1), json!(1)));
    }

    async fn a_repeated_push_is_answered_and_counts_once(app: TestApp) {
        let villager = app.villager("甲").await;
        let message = popup(&app.openid("甲"), ONE_TIME, "accept", app.now().timestamp());
        for _ in 0..3 {
            event(&app, message.clone()).await;
        }
        assert_eq!(left(&villager, ONE_TIME).await, 1);
        assert_eq!(app.number("SELECT count(*) FROM wechat_push").await, 1);
    }

    async fn pushes_of_one_user_have_their_effect_in_their_order(app: TestApp) {
        let villager = app.villager("甲").await;
        let (openid, now) = (app.openid("甲"), app.now().timestamp());
        let off = json!({
            "FromUserName": openid, "MsgType": "event", "Event": "subscribe_msg_change_event",
            "CreateTime": (now - 5).to_string(), "List": {"TemplateId": ONE_TIME, "SubscribeStatusString": "reject"},
        });
        // Stored one after the other before any job ran.
        for message in [popup(&openid, ONE_TIME, "accept", now - 9), off, popup(&openid, ONE_TIME, "accept", now - 1)] {
            assert_eq!(pushed(&app, "safe", "json", message).await["delivered"], true);
        }
        assert_eq!(left(&villager, ONE_TIME).await, 0, "nothing happens before the job");
        app.drain_jobs().await;
        assert_eq!(left(&villager, ONE_TIME).await, 1);
    }

    async fn what_nobody_understands_is_kept_and_answered(app: TestApp) {
        app.villager("甲").await;
        let messages = [
            json!({"MsgType": "text", "Content": "你好", "MsgId": "12345678901234567"}),
            json!({"MsgType": "event", "Event": "user_enter_tempsession"}),
            json!({"MsgType": "event", "Event": "subscribe_msg_popup_event", "List": "x"}),
            json!({"MsgType": "event", "Event": "wxa_media_check", "trace_id": "nobody-asked", "result": {"suggest": "pass"}}),
            json!({"FromUserName": "a-stranger", "MsgType": "event", "Event": "subscribe_msg_popup_event",
                "List": {"TemplateId": ONE_TIME, "SubscribeStatusString": "accept"}}),
        ];
        for message in messages {
            for format in ["json", "xml"] {
                let outcome = pushed(&app, "safe", format, message.clone()).await;
                assert_eq!(outcome["delivered"], true, "{message} {outcome}");
            }
        }
        app.drain_jobs().await;
        assert_eq!(app.number("SELECT count(*) FROM wechat_push WHERE state <> 'not_understood'").await, 0);
    }

    async fn who_is_forgotten_leaves_no_push_and_no_ledger(app: TestApp) {
        let villager = app.villager("甲").await;
        event(&app, popup(&app.openid("甲"), ONE_TIME, "accept", app.now().timestamp())).await;
        villager.delete("/me").await;
        app.drain_jobs().await;
        assert_eq!(app.number("SELECT count(*) FROM wechat_push").await, 0);
        assert_eq!(app.number("SELECT count(*) FROM subscription").await, 0);
    }
}
