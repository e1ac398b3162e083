//! The ledger of subscribe messages.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::{
    pushes::{LONG_TERM, ONE_TIME, event, left, popup},
    support::Actor,
};

async fn says(who: &Actor, template: &str, answer: &str) -> Value {
    let page = who.post("/subscriptions", json!({"answers": {template: answer}})).await.expect(200);
    let items = page["items"].as_array().unwrap();
    items.iter().find(|item| item["template_id"] == template).unwrap().clone()
}

both_engines! {
    async fn the_configured_templates_are_listed(app: TestApp) {
        let villager = app.villager("甲").await;
        let page = villager.get("/subscriptions/templates").await.expect(200);
        let fresh = |id: &str, purpose: &str, long_term: bool| {
            json!({"template_id": id, "purpose": purpose, "long_term": long_term, "left": 0, "answer": null})
        };
        let expected = json!([fresh(LONG_TERM, "progress", true), fresh(ONE_TIME, "talk_day", false)]);
        assert_eq!(page, json!({"items": expected, "next_cursor": null}));
    }

    async fn an_accept_counts_once_though_page_and_event_tell_it(app: TestApp) {
        let villager = app.villager("甲").await;
        let openid = app.openid("甲");
        assert_eq!(says(&villager, ONE_TIME, "accept").await["left"], 1);
        app.advance(TimeDelta::seconds(3));
        event(&app, popup(&openid, ONE_TIME, "accept", app.now().timestamp())).await;
        assert_eq!(left(&villager, ONE_TIME).await, 1);
        // The event first, the page half a minute later.
        app.advance(TimeDelta::minutes(6));
        event(&app, popup(&openid, ONE_TIME, "accept", app.now().timestamp())).await;
        assert_eq!(left(&villager, ONE_TIME).await, 2);
        app.advance(TimeDelta::seconds(30));
        assert_eq!(says(&villager, ONE_TIME, "accept").await["left"], 2);
        // Two at a run are two.
        app.advance(TimeDelta::minutes(6));
        assert_eq!(says(&villager, ONE_TIME, "accept").await["left"], 3);
        app.advance(TimeDelta::seconds(2));
        assert_eq!(says(&villager, ONE_TIME, "accept").await["left"], 4);
        for back in [2, 0] {
            event(&app, popup(&openid, ONE_TIME, "accept", app.now().timestamp() - back)).await;
        }
        assert_eq!(left(&villager, ONE_TIME).await, 4);
    }

    async fn a_refusal_takes_nothing_a_ban_and_switching_off_take_all(app: TestApp) {
        let villager = app.villager("甲").await;
        says(&villager, ONE_TIME, "accept").await;
        let said = says(&villager, ONE_TIME, "reject").await;
        assert_eq!((&said["left"], &said["answer"]), (&json!(1), &json!("reject")));
        assert_eq!(says(&villager, ONE_TIME, "filter").await["left"], 1);
        let said = says(&villager, ONE_TIME, "ban").await;
        assert_eq!((&said["left"], &said["answer"]), (&json!(0), &json!("ban")));
        says(&villager, LONG_TERM, "accept").await;
        says(&villager, LONG_TERM, "accept").await;
        assert_eq!(left(&villager, LONG_TERM).await, 1);
        let off = json!({
            "FromUserName": app.openid("甲"), "MsgType": "event", "Event": "subscribe_msg_change_event",
            "List": {"TemplateId": LONG_TERM, "SubscribeStatusString": "reject"},
        });
        event(&app, off).await;
        assert_eq!(left(&villager, LONG_TERM).await, 0);
    }

    async fn an_answer_to_an_unknown_template_is_refused_whole(app: TestApp) {
        let villager = app.villager("甲").await;
        let said = json!({"answers": {ONE_TIME: "accept", "no/such": "accept"}});
        villager.post("/subscriptions", said).await.invalid("/answers/no~1such", "unknown");
        assert_eq!(left(&villager, ONE_TIME).await, 0);
        villager.post("/subscriptions", json!({"answers": {}})).await.invalid("/answers", "length");
        villager.post("/subscriptions", json!({"answers": {ONE_TIME: "perhaps"}})).await.problem("invalid");
        let key = "popup-0001";
        for _ in 0..2 {
            let said = json!({"answers": {ONE_TIME: "accept"}});
            villager.post_keyed("/subscriptions", key, said).await.expect(200);
        }
        assert_eq!(left(&villager, ONE_TIME).await, 1, "one tap over a bad line");
    }

    async fn messages_that_went_and_refusals_of_wechat_are_reckoned(app: TestApp) {
        let villager = app.villager("甲").await;
        let (openid, now) = (app.openid("甲"), app.now());
        for template in [ONE_TIME, LONG_TERM] {
            says(&villager, template, "accept").await;
        }
        let theirs = openid.clone();
        app.db().transact(async move |tx| {
            for template in [ONE_TIME, LONG_TERM] {
                shuoshi::subscriptions::spent(tx, &theirs, template, now).await?;
            }
            Ok(())
        }).await.unwrap();
        assert_eq!((left(&villager, ONE_TIME).await, left(&villager, LONG_TERM).await), (json!(0), json!(1)));
        says(&villager, ONE_TIME, "accept").await;
        app.db().transact(async move |tx| {
            for template in [ONE_TIME, LONG_TERM, "unknown"] {
                shuoshi::subscriptions::exhausted(tx, &openid, template, now, now).await?;
            }
            Ok(())
        }).await.unwrap();
        assert_eq!((left(&villager, ONE_TIME).await, left(&villager, LONG_TERM).await), (json!(0), json!(0)));
    }
}
