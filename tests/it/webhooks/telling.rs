//! What receivers are told, and what they never hear.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use futures_util::future::join;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use shuoshi::{
    jobs::{
        self,
        sweeps::{self, Sweep},
    },
    webhooks::signature,
};

use super::{Receiver, deliveries, own, received_by, receiver::Reply, told};
use crate::{
    cases::{actions, answer, answered, becomes_private, filed, in_progress, own as own_case},
    support::{Actor, TestApp},
};

async fn execute(app: &TestApp, sql: String) {
    app.db().transact(async move |tx| Ok(tx.execute_unprepared(&sql).await.map(drop)?)).await.unwrap();
}

/// A voice case of somebody with a name and a phone, who says something.
async fn voiced(app: &TestApp, villager: &Actor) -> Value {
    villager.put("/me", json!({"name": "样例王大山"})).await.expect(200);
    let body = json!({
        "kind": "voice", "concern": "help", "division": app.village().await, "topic": "roads", "title": "样例标题甲",
        "text": "样例王大山家门口的路坏了", "contact_phone": "13800001234", "object": "样例路三号",
    });
    villager.post("/cases", body).await.expect(201)
}

both_engines! {
    async fn a_receiver_is_told_step_by_step_signed_and_without_anybody_s_name(app: TestApp) {
        let receiver = Receiver::start();
        let (webhook, secret) = received_by(&app, &receiver, json!({})).await;
        let villager = app.villager("甲").await;
        let case = voiced(&app, &villager).await;
        told(&app).await;
        answered(&app, &case).await;
        villager.post(&format!("{}/actions", own_case(&case)), json!({"action": "confirm"})).await.expect(200);
        told(&app).await;
        let words: BTreeSet<String> = receiver.words().into_iter().collect();
        let wanted = ["submitted", "accepted", "assigned", "signed", "answered", "completed"];
        assert_eq!(words, wanted.map(str::to_owned).into());
        assert_eq!(receiver.heard().len(), wanted.len(), "each once");
        for heard in receiver.heard() {
            let header = |name: &str| heard.headers[name].clone();
            assert_eq!(header("content-type"), "application/cloudevents+json; charset=utf-8");
            let at: i64 = header("webhook-timestamp").parse().unwrap();
            assert_eq!(at, app.now().timestamp());
            let signed = signature::sign([secret.as_str()], &header("webhook-id"), at, &heard.text).unwrap();
            assert_eq!(header("webhook-signature"), signed);
            assert_eq!(heard.body["id"], header("webhook-id"));
            for secret in ["王大山", "13800001234", "路坏了", "样例标题甲", "样例路三号", "已经办好", "受理单", "经办员", villager.id()] {
                assert!(!heard.text.contains(secret), "{secret}: {}", heard.text);
            }
        }
        let heard = receiver.heard();
        let accepted = heard.iter().find(|heard| heard.body["type"] == "cn.shuoshi.case.accepted").unwrap();
        let village = app.village().await;
        assert_eq!(accepted.body, json!({
            "specversion": "1.0", "id": accepted.body["id"], "source": format!("/api/v1/divisions/{village}"),
            "type": "cn.shuoshi.case.accepted", "subject": case["number"], "time": "2026-11-23T02:00:00Z",
            "datacontenttype": "application/json", "sequence": "0000000002",
            "data": {
                "number": case["number"], "kind": "voice", "topic": "roads", "concern": "help", "item": null,
                "action": "accept", "from": "submitted", "state": "accepted", "auto": false,
                "promised_due_on": "2026-12-02", "statutory_due_on": null, "unit": "石笋村便民服务室",
                "division": village, "division_code": "511702108212",
            },
        }));
        let admin = app.staff("admin").await;
        assert!(deliveries(&admin, &webhook).await.iter().all(|one| one["state"] == "delivered" && one["status"] == 204));
        // Looking again finds nothing.
        told(&app).await;
        assert_eq!(receiver.heard().len(), wanted.len());
        receiver.stop().await;
    }

    async fn it_is_told_of_its_place_and_its_kinds_and_of_nothing_that_was_before(app: TestApp) {
        let (here, county, elsewhere) = (Receiver::start(), Receiver::start(), Receiver::start());
        let villager = app.villager("甲").await;
        let case = filed(&app, &villager).await;
        app.advance(TimeDelta::minutes(1));
        let admin = app.staff("admin").await;
        received_by(&app, &here, json!({"kinds": ["accepted", "assigned"]})).await;
        for (receiver, code) in [(&county, "511702000000"), (&elsewhere, "511702108213")] {
            let path = format!("/staff/divisions/{}/webhooks", app.division(code).await);
            admin.post(&path, json!({"url": receiver.url, "kinds": ["accepted", "signed"]})).await.expect(201);
        }
        app.advance(TimeDelta::seconds(1));
        in_progress(&app, &case).await;
        told(&app).await;
        let sorted = |receiver: &Receiver| receiver.words().into_iter().collect::<BTreeSet<_>>();
        assert_eq!(sorted(&here), ["accepted", "assigned"].map(str::to_owned).into());
        assert_eq!(sorted(&county), ["accepted", "signed"].map(str::to_owned).into());
        assert!(elsewhere.heard().is_empty());
        for receiver in [here, county, elsewhere] {
            receiver.stop().await;
        }
    }

    async fn what_is_confidential_or_private_is_never_told(app: TestApp) {
        let receiver = Receiver::start();
        let (webhook, _) = received_by(&app, &receiver, json!({})).await;
        let (villager, cadre) = (app.villager("甲").await, app.staff("cadre").await);
        let about = json!({
            "kind": "voice", "concern": "complaint", "division": app.village().await, "text": "有事反映", "against": [cadre.id()],
        });
        let complaint = villager.post("/cases", about).await.expect(201);
        app.staff("discipline").await.post(&actions(&complaint), json!({"action": "accept"})).await.expect(200);
        let private = filed(&app, &villager).await;
        becomes_private(&app, &private).await;
        told(&app).await;
        assert!(receiver.heard().is_empty(), "{:?}", receiver.words());
        assert_eq!(app.number("SELECT count(*) FROM webhook_delivery").await, 0);
        // What becomes so while it waits is neither told nor shown.
        let later = filed(&app, &villager).await;
        sweeps::run(app.app(), Sweep::TellReceivers).await.unwrap();
        becomes_private(&app, &later).await;
        let admin = app.staff("admin").await;
        assert_eq!(deliveries(&admin, &webhook).await, Vec::<Value>::new());
        app.drain_jobs().await;
        assert!(receiver.heard().is_empty());
        assert_eq!(app.number("SELECT count(*) FROM webhook_delivery").await, 0);
        receiver.stop().await;
    }

    async fn personal_data_goes_only_to_who_is_entitled_and_as_long_as_they_are(app: TestApp) {
        let (plain, entitled) = (Receiver::start(), Receiver::start());
        received_by(&app, &plain, json!({"kinds": ["submitted"]})).await;
        let ground = json!({"fields": ["contact_name", "contact_phone"], "legal_ground": "样例法 第三条", "until": "2026-11-24"});
        received_by(&app, &entitled, json!({"kinds": ["submitted"], "entitled": ground})).await;
        let villager = app.villager("甲").await;
        let case = voiced(&app, &villager).await;
        told(&app).await;
        let heard = entitled.heard();
        assert_eq!(heard[0].body["data"]["contact"], json!({"name": "样例王大山", "phone": "13800001234"}));
        assert_eq!(plain.heard()[0].body["data"].get("contact"), None);
        let id = case["id"].as_str().unwrap();
        let left = app.staff("admin").await.get(&format!("/staff/audit?action=tell_receiver&object={id}")).await.expect(200);
        assert_eq!(left["items"][0]["fields"], "contact_name,contact_phone", "{left}");
        assert!(left["items"][0]["reason"].as_str().unwrap().ends_with("样例法 第三条"));
        app.advance(TimeDelta::days(2));
        voiced(&app, &villager).await;
        told(&app).await;
        assert_eq!(entitled.heard()[1].body["data"].get("contact"), None);
        for receiver in [plain, entitled] {
            receiver.stop().await;
        }
    }

    async fn of_children_and_of_what_was_before_the_entitlement_no_contact_is_told(app: TestApp) {
        let receiver = Receiver::start();
        let (webhook, _) = received_by(&app, &receiver, json!({"kinds": ["submitted"]})).await;
        let villager = app.villager("甲").await;
        voiced(&app, &villager).await;
        told(&app).await;
        app.advance(TimeDelta::minutes(1));
        let ground = json!({"fields": ["contact_phone"], "legal_ground": "样例法 第三条", "until": "2026-12-31"});
        let admin = app.staff("admin").await;
        let body = json!({"url": receiver.url, "kinds": ["submitted"], "entitled": ground});
        admin.put(&own(&webhook), body).await.expect(200);
        admin.post(&format!("{}/replay", own(&webhook)), json!({"since": "2026-11-23T00:00:00Z"})).await.expect(202);
        let child = crate::people::resident(&app, "样例童", crate::people::CHILD).await;
        let agreed = json!({
            "granted": true, "text_version": "1", "guardian": {"name": "样例母", "phone": "13800000009"},
        });
        let path = format!("/staff/people/{}/consents/guardian", child.id());
        app.staff("desk").await.put(&path, agreed).await.expect(200);
        let body = json!({"kind": "voice", "concern": "question", "text": "何时开学", "contact_phone": "13800001234"});
        child.post("/cases", body).await.expect(201);
        told(&app).await;
        voiced(&app, &villager).await;
        told(&app).await;
        let contacts: Vec<bool> = receiver.heard().iter().map(|heard| heard.body["data"].get("contact").is_some()).collect();
        assert_eq!(contacts, [false, false, true], "the first before it, the second a child's");
        receiver.stop().await;
    }

    async fn what_was_written_late_is_told_all_the_same_and_once(app: TestApp) {
        let receiver = Receiver::start();
        received_by(&app, &receiver, json!({"kinds": ["submitted"]})).await;
        let villager = app.villager("甲").await;
        app.advance(TimeDelta::minutes(20));
        filed(&app, &villager).await;
        told(&app).await;
        app.advance(TimeDelta::minutes(5));
        let late = filed(&app, &villager).await;
        // Its transaction began before the last look and ended after it.
        let at = (app.now() - TimeDelta::minutes(9)).to_rfc3339();
        let id = late["id"].as_str().unwrap();
        let case = if app.db().engine() == "sqlite" { format!("X'{}'", id.replace('-', "")) } else { format!("'{id}'") };
        execute(&app, format!("UPDATE case_event SET at = '{at}' WHERE case_id = {case}")).await;
        for _ in 0..3 {
            told(&app).await;
            app.advance(TimeDelta::seconds(5));
        }
        let numbers: Vec<Value> = receiver.heard().into_iter().map(|heard| heard.body["subject"].clone()).collect();
        assert_eq!(numbers.len(), 2, "{numbers:?}");
        assert!(numbers.contains(&late["number"]));
        receiver.stop().await;
    }

    async fn two_servers_tell_it_once(app: TestApp) {
        let (receiver, other) = (Receiver::start(), app.second_server().await);
        received_by(&app, &receiver, json!({"kinds": ["submitted"]})).await;
        let villager = app.villager("甲").await;
        for _ in 0..12 {
            filed(&app, &villager).await;
        }
        let run = async |app: &TestApp| {
            sweeps::run(app.app(), Sweep::TellReceivers).await.unwrap();
            jobs::run_due(app.app()).await.unwrap();
        };
        join(run(&app), run(&other)).await;
        join(run(&other), run(&app)).await;
        // A receiver has four turns at a time on each server: the rest waits some seconds.
        for _ in 0..4 {
            app.advance(TimeDelta::seconds(20));
            app.drain_jobs().await;
        }
        let ids: BTreeSet<String> = receiver.heard().iter().map(|heard| heard.headers["webhook-id"].clone()).collect();
        assert_eq!((ids.len(), receiver.heard().len()), (12, 12));
        receiver.stop().await;
    }

    async fn whoever_dies_while_telling_has_it_told_again(app: TestApp) {
        let receiver = Receiver::start();
        let (webhook, _) = received_by(&app, &receiver, json!({"kinds": ["submitted"]})).await;
        filed(&app, &app.villager("甲").await).await;
        sweeps::run(app.app(), Sweep::TellReceivers).await.unwrap();
        receiver.replies([Reply { after: std::time::Duration::from_secs(5), ..Reply::of(204) }]);
        // The worker is cut off after the receiver heard it and before it answered.
        let cut = tokio::time::timeout(std::time::Duration::from_secs(1), jobs::run_due(app.app())).await;
        assert!(cut.is_err());
        assert_eq!(receiver.heard().len(), 1);
        app.drain_jobs().await;
        assert_eq!(receiver.heard().len(), 1, "while it is leased nobody else tells it");
        app.advance(TimeDelta::seconds(61));
        app.drain_jobs().await;
        let heard = receiver.heard();
        assert_eq!(heard.len(), 2);
        assert_eq!(heard[0].headers["webhook-id"], heard[1].headers["webhook-id"]);
        let left = deliveries(&app.staff("admin").await, &webhook).await;
        assert_eq!((&left[0]["state"], &left[0]["attempts"]), (&json!("delivered"), &json!(1)));
        receiver.stop().await;
    }

    async fn a_test_tells_nothing_but_that_it_is_one(app: TestApp) {
        let receiver = Receiver::start();
        let (webhook, _) = received_by(&app, &receiver, json!({"kinds": ["archived"]})).await;
        let admin = app.staff("admin").await;
        let made = admin.post(&format!("{}/test", own(&webhook)), json!({})).await.expect(202);
        assert_eq!((&made["kind"], &made["state"]), (&json!("test"), &json!("waiting")));
        app.drain_jobs().await;
        let heard = receiver.heard();
        assert_eq!((heard.len(), heard[0].path.as_str()), (1, "/hook"));
        assert_eq!(heard[0].body, json!({
            "specversion": "1.0", "id": made["event"], "source": format!("/api/v1/divisions/{}", app.village().await),
            "type": "cn.shuoshi.webhook.test", "time": "2026-11-23T02:00:00Z", "datacontenttype": "application/json",
            "data": {},
        }));
        receiver.stop().await;
    }

    async fn an_errand_names_its_item(app: TestApp) {
        let receiver = Receiver::start();
        received_by(&app, &receiver, json!({"kinds": ["answered"]})).await;
        let case = filed(&app, &app.villager("甲").await).await;
        in_progress(&app, &case).await;
        app.staff("cadre").await.post(&actions(&case), answer()).await.expect(200);
        told(&app).await;
        let data = receiver.heard()[0].body["data"].clone();
        assert_eq!((&data["item"], &data["kind"], &data["state"]), (&json!("DZ-MZ-01"), &json!("proxy"), &json!("answered")));
        receiver.stop().await;
    }
}
