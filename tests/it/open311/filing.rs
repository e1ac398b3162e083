//! What a key may file.

use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{failure, get, spark};
use crate::support::{Answer, TestApp};

const FORM: &str = "application/x-www-form-urlencoded";

async fn key(app: &TestApp, code: &str) -> String {
    let path = format!("/staff/divisions/{}/api-keys", app.division(code).await);
    let made = app.staff("admin").await.post(&path, json!({"name": "样例 热线平台"})).await.expect(201);
    made["key"].as_str().unwrap().to_owned()
}

/// A form as a program sends it; a value of null leaves the field out.
fn form(key: &str, more: &Value) -> String {
    let mut fields = json!({
        "api_key": key, "service_code": "roads", "attribute[concern]": "help", "address_id": "511702108212",
        "description": "村口的路灯不亮 & 很黑", "last_name": "样例王", "first_name": "大山", "phone": "13800001234",
        "email": "sample@example.org", "lat": "31.2", "long": "107.5",
    });
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    let fields = fields.as_object().unwrap().iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    fields.map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect::<Vec<_>>().join("&")
}

async fn post(app: &TestApp, body: String) -> Answer {
    app.nobody().call(Method::POST, "/open311/v2/requests.json").body(FORM, body).send().await
}

async fn cases(app: &TestApp) -> i64 {
    app.number("SELECT count(*) FROM cases").await
}

both_engines! {
    async fn a_matter_is_filed_for_somebody_and_shown_without_them(app: TestApp) {
        let key = key(&app, "511702000000").await;
        let filed = post(&app, form(&key, &json!({}))).await.expect(200);
        let id = filed[0]["service_request_id"].as_str().unwrap();
        assert_eq!((&filed[0]["account_id"], id.len()), (&Value::Null, 12));
        let shown = get(&app, &format!("v2/requests/{id}.json")).await.expect(200);
        assert_eq!((&shown[0]["service_code"], &shown[0]["address_id"]), (&json!("roads"), &json!("511702108212")));
        let desk = app.staff("desk").await;
        let inbox = desk.get("/staff/cases").await.expect(200);
        let case = &inbox["items"][0];
        assert_eq!((&case["channel"], &case["concern"], &case["public"]), (&json!("open311"), &json!("help"), &json!(true)));
        assert_eq!((&case["contact_name"], &case["contact_phone"]), (&json!("样***山"), &json!("138****1234")));
        assert_eq!(case["text"], "村口的路灯不亮 & 很黑");
        let notice = filed[0]["service_notice"].as_str().unwrap();
        assert!(notice.contains(case["number"].as_str().unwrap()), "{notice}");
        let events = desk.get(&format!("/staff/cases/{}/events", case["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(events["items"][0]["note"], "Open311: 样例 热线平台");
        // Whose it is can follow it with the number and the phone.
        app.nobody().post("/track", json!({"number": case["number"], "phone_tail": "1234"})).await.expect(200);
        // The same in XML, and danger first.
        let danger = form(&key, &json!({"description": "着火了快来"}));
        let answer = app.nobody().call(Method::POST, "/open311/v2/requests.xml").body(FORM, danger).send().await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/xml; charset=utf-8"));
        let (root, value) = spark(&answer.text());
        assert_eq!(root, "service_requests");
        assert!(value[0]["service_notice"].as_str().unwrap().starts_with("着火或被困请马上拨打119"), "{value}");
        app.drain_jobs().await;
    }

    async fn a_repeat_files_nothing_a_second_time(app: TestApp) {
        let key = key(&app, "511702000000").await;
        let body = form(&key, &json!({}));
        let first = post(&app, body.clone()).await.expect(200);
        app.advance(TimeDelta::minutes(9));
        assert_eq!(post(&app, body.clone()).await.expect(200), first, "the same form, minutes later");
        assert_eq!(cases(&app).await, 1);
        app.advance(TimeDelta::minutes(21));
        let later = post(&app, body.clone()).await.expect(200);
        assert_ne!(later, first, "half an hour later it is another matter");
        let keyed = async |word: &str, body: String| {
            let call = app.nobody().call(Method::POST, "/open311/v2/requests.json").header("Idempotency-Key", word);
            call.body(FORM, body).send().await
        };
        let one = keyed("platform-0001", body.clone()).await.expect(200);
        app.advance(TimeDelta::hours(20));
        assert_eq!(keyed("platform-0001", body.clone()).await.expect(200), one);
        let other = form(&key, &json!({"description": "另一件事"}));
        failure(keyed("platform-0001", other).await, 422);
        failure(keyed("short", body.clone()).await, 400);
        assert_eq!(cases(&app).await, 3);
        let crowd = join_all((0..8).map(|_| keyed("platform-0002", body.clone()))).await;
        let ids: std::collections::BTreeSet<String> =
            crowd.into_iter().map(|answer| answer.expect(200)[0]["service_request_id"].to_string()).collect();
        assert_eq!((ids.len(), cases(&app).await), (1, 4));
        app.drain_jobs().await;
    }

    async fn what_is_wrong_is_named_and_files_nothing(app: TestApp) {
        let key = key(&app, "511702000000").await;
        for (more, status, says) in [
            (json!({"phone": null}), 400, "phone was not provided: somebody must be there to be answered"),
            (json!({"phone": "12"}), 400, "phone is not"),
            (json!({"first_name": null, "last_name": ""}), 400, "last_name or first_name was not provided"),
            (json!({"service_code": null}), 400, "service_code was not provided"),
            (json!({"service_code": "no_such"}), 404, "service_code provided was not found"),
            (json!({"attribute[concern]": null}), 400, "attribute[concern] was not provided"),
            (json!({"attribute[concern]": "report"}), 400, "attribute[concern] is question"),
            (json!({"description": " "}), 400, "description was not provided"),
            (json!({"description": "字".repeat(4001)}), 400, "more than 4000"),
            (json!({"address_id": null}), 400, "no location"),
            (json!({"address_id": "511702000000"}), 400, "address_id is not"),
            (json!({"address_id": null, "address_string": "某地"}), 400, "address_string names no village"),
            (json!({"jurisdiction_id": "999"}), 404, "jurisdiction_id provided was not found"),
            (json!({"api_key": null}), 403, "api_key was not provided"),
            (json!({"api_key": "o311_wrong"}), 403, "api_key was not provided or is not valid"),
            (json!({"description": "\u{202e}x"}), 400, "control characters"),
        ] {
            let said = failure(post(&app, form(&key, &more)).await, status);
            assert!(said.contains(says), "{more}: {said}");
        }
        let json_body = app.nobody().call(Method::POST, "/open311/v2/requests.json").json(json!({"api_key": key}));
        failure(json_body.send().await, 415);
        failure(post(&app, form(&key, &json!({"description": "x".repeat(100_000)}))).await, 413);
        let yaml = app.nobody().call(Method::POST, "/open311/v2/requests.yaml").body(FORM, form(&key, &json!({})));
        assert_eq!(yaml.send().await.status, 404);
        assert_eq!(cases(&app).await, 0);
    }

    async fn an_address_may_name_the_village(app: TestApp) {
        let key = key(&app, "511702000000").await;
        let named = json!({"address_id": null, "address_string": "达州市通川区碑庙镇石笋村3组"});
        let filed = post(&app, form(&key, &named)).await.expect(200);
        let shown = get(&app, &format!("v2/requests/{}.json", filed[0]["service_request_id"].as_str().unwrap())).await;
        assert_eq!(shown.expect(200)[0]["address_id"], "511702108212");
        let village = json!({"address_id": null, "jurisdiction_id": "511702108212", "description": "又一件"});
        post(&app, form(&key, &village)).await.expect(200);
        app.drain_jobs().await;
    }

    async fn a_key_files_in_its_place_and_not_too_fast(app: TestApp) {
        let elsewhere = key(&app, "511702108213").await;
        let said = failure(post(&app, form(&elsewhere, &json!({}))).await, 403);
        assert_eq!(said, "api_key is not valid for this place");
        let hasty = app.second_server_with(|config| config.open311.filings_per_minute = 2).await;
        let key = key(&app, "511702000000").await;
        for (number, status) in [(1, 200), (2, 200), (3, 429)] {
            let body = form(&key, &json!({"description": format!("第{number}件")}));
            let answer = hasty.nobody().call(Method::POST, "/open311/v2/requests.json").body(FORM, body).send().await;
            assert_eq!(answer.status, status, "{}", answer.text());
            assert_eq!(answer.header("retry-after").is_empty(), status != 429);
        }
        assert_eq!(cases(&app).await, 2);
        let guessing = app.second_server_with(|config| config.auth.throttle.spare_loopback = false).await;
        let guess = async || {
            let body = form("o311_guess", &json!({}));
            guessing.nobody().call(Method::POST, "/open311/v2/requests.json").body(FORM, body).send().await.status
        };
        for _ in 0..20 {
            assert_eq!(guess().await, 403);
        }
        assert_eq!(guess().await, 429);
        app.drain_jobs().await;
    }
}
