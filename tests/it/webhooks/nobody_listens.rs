//! When nobody listens: again with growing pauses, dead letters, replays, and receivers that are switched off.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use shuoshi::jobs;

use super::{Receiver, deliveries, own, received_by, receiver::Reply, told};
use crate::{cases::filed, support::Actor};

async fn one(admin: &Actor, webhook: &Value) -> Value {
    let all = deliveries(admin, webhook).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

/// Waits as long as the schedule says, to the second, and ten percent more.
const PAUSES_S: [i64; 9] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];

both_engines! {
    async fn it_is_tried_again_until_it_is_taken(app: TestApp) {
        let receiver = Receiver::start();
        receiver.replies([Reply { body: "样例 不行".into(), ..Reply::of(500) }, Reply::of(404)]);
        let (webhook, _) = received_by(&app, &receiver, json!({"kinds": ["submitted"]})).await;
        let admin = app.staff("admin").await;
        filed(&app, &app.villager("甲").await).await;
        told(&app).await;
        let failed = one(&admin, &webhook).await;
        assert_eq!((&failed["state"], &failed["status"], &failed["error"]), (&json!("waiting"), &json!(500), &json!("status")));
        assert_eq!(failed["answer"], "样例 不行");
        assert_ne!(admin.get(&own(&webhook)).await.expect(200)["failing_since"], Value::Null);
        app.advance(TimeDelta::seconds(4));
        app.drain_jobs().await;
        assert_eq!(receiver.heard().len(), 1, "not before its time");
        app.advance(TimeDelta::seconds(2));
        app.drain_jobs().await;
        app.advance(TimeDelta::seconds(331));
        app.drain_jobs().await;
        let heard = receiver.heard();
        assert_eq!(heard.len(), 3);
        assert!(heard.iter().all(|one| one.text == heard[0].text && one.headers["webhook-id"] == heard[0].headers["webhook-id"]));
        assert_ne!(heard[0].headers["webhook-timestamp"], heard[2].headers["webhook-timestamp"]);
        let taken = one(&admin, &webhook).await;
        assert_eq!((&taken["state"], &taken["attempts"], &taken["error"]), (&json!("delivered"), &json!(3), &Value::Null));
        assert_eq!(admin.get(&own(&webhook)).await.expect(200)["failing_since"], Value::Null);
        receiver.stop().await;
    }

    async fn what_nobody_takes_is_a_dead_letter_that_can_be_replayed(app: TestApp) {
        let receiver = Receiver::start();
        receiver.always(Reply { body: "x".repeat(5000), ..Reply::of(500) });
        let (webhook, _) = received_by(&app, &receiver, json!({"kinds": ["submitted"]})).await;
        filed(&app, &app.villager("甲").await).await;
        told(&app).await;
        for (tried, pause) in PAUSES_S.into_iter().enumerate() {
            assert_eq!(receiver.heard().len(), tried + 1);
            app.advance(TimeDelta::seconds(pause + pause / 10 + 1));
            app.drain_jobs().await;
        }
        assert_eq!(receiver.heard().len(), 10);
        app.advance(TimeDelta::days(1));
        app.drain_jobs().await;
        assert_eq!(receiver.heard().len(), 10, "that was the last");
        let admin = app.staff("admin").await;
        let dead = one(&admin, &webhook).await;
        assert_eq!((&dead["state"], &dead["attempts"], &dead["next_at"]), (&json!("dead"), &json!(10), &Value::Null));
        assert_eq!(dead["answer"].as_str().unwrap().len(), 1024);
        let page = admin.get(&format!("{}/deliveries?state=dead", own(&webhook))).await.expect(200);
        assert_eq!(page["items"], json!([dead]));
        let none = admin.get(&format!("{}/deliveries?state=delivered", own(&webhook))).await.expect(200);
        assert_eq!(none["items"], json!([]));
        receiver.always(Reply::of(200));
        let path = format!("/staff/deliveries/{}/replay", dead["id"].as_str().unwrap());
        let again = admin.post(&path, json!({})).await.expect(202);
        assert_eq!((&again["state"], &again["round"]), (&json!("waiting"), &json!(2)));
        app.drain_jobs().await;
        let heard = receiver.heard();
        assert_eq!((heard.len(), &heard[10].text), (11, &heard[0].text));
        assert_eq!(one(&admin, &webhook).await["state"], "delivered");
        receiver.stop().await;
    }

    async fn whoever_is_gone_is_switched_off_and_what_was_missed_can_be_told(app: TestApp) {
        let receiver = Receiver::start();
        receiver.replies([Reply::of(410)]);
        let (webhook, _) = received_by(&app, &receiver, json!({"kinds": ["submitted"]})).await;
        let (admin, villager) = (app.staff("admin").await, app.villager("甲").await);
        let before = app.now();
        filed(&app, &villager).await;
        told(&app).await;
        let seen = admin.get(&own(&webhook)).await.expect(200);
        assert_eq!((&seen["state"], &seen["off_reason"]), (&json!("off"), &json!("gone")));
        let off = admin.get("/staff/audit?action=switch_webhook_off").await.expect(200);
        assert_eq!((&off["items"][0]["actor"]["kind"], &off["items"][0]["reason"]), (&json!("clock"), &json!("gone")), "{off}");
        filed(&app, &villager).await;
        told(&app).await;
        assert_eq!(receiver.heard().len(), 1, "who is off is told nothing");
        app.advance(TimeDelta::hours(1));
        let on = admin.put(&own(&webhook), json!({"url": receiver.url, "kinds": ["submitted"]})).await.expect(200);
        assert_eq!((&on["state"], &on["off_reason"], &on["failing_since"]), (&json!("active"), &Value::Null, &Value::Null));
        told(&app).await;
        assert_eq!(receiver.heard().len(), 1, "from now on, not what was missed");
        let replay = format!("{}/replay", own(&webhook));
        let said = admin.post(&replay, json!({"since": before})).await.expect(202);
        assert_eq!(said, json!({"replayed": 1, "more": false}));
        told(&app).await;
        assert_eq!(receiver.heard().len(), 3, "the dead one and the one that was never told");
        assert!(deliveries(&admin, &webhook).await.iter().all(|one| one["state"] == "delivered"));
        let too_far = before - TimeDelta::days(15);
        admin.post(&replay, json!({"since": too_far})).await.invalid("/since", "range");
        admin.post(&replay, json!({"since": app.now() + TimeDelta::hours(1)})).await.invalid("/since", "range");
        receiver.stop().await;
    }

    async fn whoever_asks_for_time_is_given_it(app: TestApp) {
        let receiver = Receiver::start();
        receiver.replies([Reply { header: Some(("retry-after", "3600".into())), ..Reply::of(503) }]);
        received_by(&app, &receiver, json!({"kinds": ["submitted"]})).await;
        filed(&app, &app.villager("甲").await).await;
        told(&app).await;
        app.advance(TimeDelta::seconds(3599));
        app.drain_jobs().await;
        assert_eq!(receiver.heard().len(), 1);
        app.advance(TimeDelta::seconds(362));
        app.drain_jobs().await;
        assert_eq!(receiver.heard().len(), 2);
        receiver.stop().await;
    }

    async fn whoever_takes_nothing_for_five_days_is_switched_off(app: TestApp) {
        let receiver = Receiver::start();
        receiver.always(Reply::of(500));
        let (webhook, _) = received_by(&app, &receiver, json!({"kinds": ["submitted"]})).await;
        let villager = app.villager("甲").await;
        filed(&app, &villager).await;
        told(&app).await;
        app.advance(TimeDelta::days(5));
        app.drain_jobs().await;
        let admin = app.staff("admin").await;
        let seen = admin.get(&own(&webhook)).await.expect(200);
        assert_eq!((&seen["state"], &seen["off_reason"]), (&json!("off"), &json!("failing")));
        // What still waited is a dead letter, not lost.
        app.advance(TimeDelta::days(1));
        app.drain_jobs().await;
        let left = one(&admin, &webhook).await;
        assert_eq!((&left["state"], &left["error"]), (&json!("dead"), &json!("receiver_off")));
        receiver.stop().await;
    }

    async fn a_slow_receiver_holds_up_neither_the_house_nor_others(app: TestApp) {
        let (slow, fast) = (Receiver::start(), Receiver::start());
        slow.always(Reply { after: Duration::from_secs(30), ..Reply::of(204) });
        let server = app.second_server_with(|config| config.webhooks.answer_within_ms = 6_000).await;
        let (webhook, _) = received_by(&app, &slow, json!({"kinds": ["submitted"]})).await;
        received_by(&app, &fast, json!({"kinds": ["submitted"]})).await;
        let villager = app.villager("甲").await;
        for _ in 0..10 {
            filed(&app, &villager).await;
        }
        let working = jobs::work(server.app());
        let looking = async {
            for _ in 0..50 {
                tokio::time::sleep(Duration::from_millis(100)).await;
                // Of ten the fast one is told eight at first: the clock stands, and the rest waits for its turn.
                let noticed = app.number("SELECT count(*) FROM notice WHERE delivered_at IS NULL").await == 0;
                if fast.heard().len() >= 8 && slow.heard().len() == 8 && noticed {
                    return true;
                }
            }
            false
        };
        let seen = tokio::select! { () = working => false, seen = looking => seen };
        assert!(seen, "fast {}, slow {}", fast.heard().len(), slow.heard().len());
        let strict = app.second_server_with(|config| config.webhooks.answer_within_ms = 200).await;
        app.advance(TimeDelta::seconds(61));
        strict.drain_jobs().await;
        let timed_out = deliveries(&app.staff("admin").await, &webhook).await;
        assert!(timed_out.iter().any(|one| one["error"] == "timeout"), "{timed_out:?}");
        slow.always(Reply::of(204));
        for _ in 0..12 {
            app.advance(TimeDelta::seconds(30));
            strict.drain_jobs().await;
        }
        assert!(deliveries(&app.staff("admin").await, &webhook).await.iter().all(|one| one["state"] == "delivered"));
        for receiver in [slow, fast] {
            receiver.stop().await;
        }
    }
}
