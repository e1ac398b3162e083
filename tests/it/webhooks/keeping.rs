//! Keeping receivers: who may, secrets that are shown once, and what the audit knows.

use chrono::TimeDelta;
use serde_json::{Value, json};
use shuoshi::webhooks::signature;

use super::{Receiver, of_the_village, own, received_by, told};
use crate::{cases::filed, staffing::officer, support::TestApp};

const TOWNSHIP: &str = "511702108000";

async fn number_of(app: &TestApp, action: &str) -> usize {
    let page = app.staff("admin").await.get(&format!("/staff/audit?action={action}")).await.expect(200);
    page["items"].as_array().unwrap().len()
}

both_engines! {
    async fn a_receiver_is_made_changed_and_taken_away(app: TestApp) {
        let (admin, path) = (app.staff("admin").await, of_the_village(&app).await);
        let body = json!({"url": "http://localhost:9/hook", "kinds": ["accepted"]});
        let made = admin.post_keyed(&path, "making-0001", body.clone()).await.expect(201);
        let again = admin.post_keyed(&path, "making-0001", body).await.expect(201);
        assert_eq!(made, again, "a retry is told the same secret");
        let secret = made["secret"].as_str().unwrap();
        assert!(secret.starts_with("whsec_"));
        let listed = admin.get(&path).await.expect(200);
        assert_eq!(listed["items"], json!([made["webhook"]]));
        assert!(!listed.to_string().contains("whsec_"));
        let stored = app.number("SELECT count(*) FROM webhook WHERE secret LIKE '%whsec_%'").await;
        assert_eq!(stored, 0, "it lies sealed");
        let webhook = &made["webhook"];
        assert_eq!((&webhook["kinds"], &webhook["version"], &webhook["state"]), (&json!(["accepted"]), &json!(1), &json!("active")));
        let change = json!({"url": "http://localhost:9/other", "state": "off", "version": 1});
        let changed = admin.put(&own(webhook), change.clone()).await.expect(200);
        assert_eq!((&changed["off_reason"], &changed["version"]), (&json!("by_hand"), &json!(2)));
        assert!(changed["kinds"].as_array().unwrap().len() > 20, "left out: all");
        admin.put(&own(webhook), change).await.problem("stale");
        admin.put(&own(webhook), json!({"url": "http://localhost:9/", "kinds": ["no_such"]})).await.invalid("/kinds", "unknown");
        assert_eq!(admin.get(&own(webhook)).await.expect(200), changed);
        admin.delete(&own(webhook)).await.expect(204);
        admin.get(&own(webhook)).await.problem("not_found");
        for action in ["make_webhook", "change_webhook", "remove_webhook"] {
            assert_eq!(number_of(&app, action).await, 1, "{action}");
        }
    }

    async fn lists_come_in_pages(app: TestApp) {
        let (admin, path) = (app.staff("admin").await, of_the_village(&app).await);
        for _ in 0..3 {
            admin.post(&path, json!({"url": "http://localhost:9/hook"})).await.expect(201);
        }
        let first = admin.get(&format!("{path}?limit=2")).await.expect(200);
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = admin.get(&format!("{path}?limit=2&cursor={cursor}")).await.expect(200);
        assert_eq!((first["items"].as_array().unwrap().len(), second["items"].as_array().unwrap().len()), (2, 1));
        assert_eq!(second["next_cursor"], Value::Null);
        let webhook = &first["items"][0];
        for _ in 0..3 {
            admin.post(&format!("{}/test", own(webhook)), json!({})).await.expect(202);
        }
        app.drain_jobs().await;
        let told = admin.get(&format!("{}/deliveries?limit=2", own(webhook))).await.expect(200);
        let cursor = told["next_cursor"].as_str().unwrap();
        let rest = admin.get(&format!("{}/deliveries?limit=2&cursor={cursor}", own(webhook))).await.expect(200);
        assert_eq!(rest["items"].as_array().unwrap().len(), 1);
        assert_eq!(told["items"][0]["error"], "connect");
    }

    async fn a_new_secret_and_the_old_one_sign_together_for_a_while(app: TestApp) {
        let receiver = Receiver::start();
        let (webhook, old) = received_by(&app, &receiver, json!({"kinds": ["submitted"]})).await;
        let admin = app.staff("admin").await;
        let rotated = admin.post(&format!("{}/rotate-secret", own(&webhook)), json!({"overlap_hours": 2})).await.expect(200);
        let new = rotated["secret"].as_str().unwrap().to_owned();
        assert_ne!(new, old);
        assert_eq!(rotated["webhook"]["former_secret_until"], "2026-11-23T04:00:00Z");
        let villager = app.villager("甲").await;
        filed(&app, &villager).await;
        told(&app).await;
        app.advance(TimeDelta::hours(2));
        filed(&app, &villager).await;
        told(&app).await;
        for (heard, secrets) in receiver.heard().iter().zip([vec![&new, &old], vec![&new]]) {
            let at = heard.headers["webhook-timestamp"].parse().unwrap();
            let secrets = secrets.into_iter().map(String::as_str);
            let signed = signature::sign(secrets, &heard.headers["webhook-id"], at, &heard.text).unwrap();
            assert_eq!(heard.headers["webhook-signature"], signed);
        }
        assert_eq!(receiver.heard().len(), 2);
        assert_eq!(number_of(&app, "rotate_webhook_secret").await, 1);
        receiver.stop().await;
    }

    async fn only_the_county_lets_personal_data_out(app: TestApp) {
        let keeper = officer(&app, "keeper", TOWNSHIP, &["manage_receivers"]).await;
        let path = of_the_village(&app).await;
        let entitled = json!({"fields": ["contact_phone"], "legal_ground": "样例法 第三条", "until": "2026-12-31"});
        let url = "http://localhost:9/hook";
        keeper.post(&path, json!({"url": url, "entitled": entitled})).await.problem("not_your_duty");
        keeper.post(&path, json!({"url": url})).await.expect(201);
        let admin = app.staff("admin").await;
        let made = admin.post(&path, json!({"url": url, "entitled": entitled})).await.expect(201);
        assert_eq!(made["webhook"]["entitled"], entitled);
        // Nor may the township lead it elsewhere.
        let elsewhere = json!({"url": "http://localhost:8/hook"});
        keeper.put(&own(&made["webhook"]), elsewhere.clone()).await.problem("not_your_duty");
        admin.put(&own(&made["webhook"]), elsewhere).await.expect(200);
        for (until, fields, pointer, fault) in [
            ("2026-11-22", json!(["contact_phone"]), "/entitled/until", "range"),
            ("2028-01-01", json!(["contact_phone"]), "/entitled/until", "range"),
            ("2026-12-31", json!(["contact_phone", "contact_phone"]), "/entitled/fields", "duplicate"),
            ("2026-12-31", json!([]), "/entitled/fields", "length"),
        ] {
            let wrong = json!({"url": url, "entitled": {"fields": fields, "legal_ground": "样例法", "until": until}});
            admin.post(&path, wrong).await.invalid(pointer, fault);
        }
    }

    async fn whoever_has_not_the_duty_or_the_place_has_no_receivers(app: TestApp) {
        let receiver = Receiver::start();
        let (webhook, _) = received_by(&app, &receiver, json!({})).await;
        for name in ["desk", "county", "town"] {
            let actor = app.staff(name).await;
            actor.get(&of_the_village(&app).await).await.problem("not_your_duty");
            actor.get(&own(&webhook)).await.problem("not_your_duty");
        }
        let elsewhere = officer(&app, "elsewhere", "511702108213", &["manage_receivers"]).await;
        elsewhere.get(&of_the_village(&app).await).await.problem("not_found");
        elsewhere.get(&own(&webhook)).await.problem("not_found");
        elsewhere.post(&format!("{}/test", own(&webhook)), json!({})).await.problem("not_found");
        receiver.stop().await;
    }
}
