//! What anybody may read.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{TOWNSHIP, failure, get, in_both, public_case, requests, spark};
use crate::{
    cases::{actions, answer, becomes_private, in_progress, own},
    support::TestApp,
};

async fn desk_accepts(app: &TestApp, case: &Value) {
    app.staff("desk").await.post(&actions(case), json!({"action": "accept"})).await.expect(200);
    // And WeChat looks at its words.
    app.drain_jobs().await;
}

both_engines! {
    async fn the_way_in_and_what_one_may_ask_for(app: TestApp) {
        for path in ["discovery", "v2/discovery"] {
            let discovery = in_both(&app, path, "", "discovery").await;
            let endpoint = &discovery["endpoints"][0];
            assert_eq!(endpoint["url"], format!("{}/open311/v2", app.address));
            assert_eq!(endpoint["specification"], "http://wiki.open311.org/GeoReport_v2");
            assert_eq!(endpoint["formats"], json!(["text/xml", "application/json"]));
            assert_eq!(endpoint["type"], "test");
            for field in ["changeset", "contact", "key_service"] {
                assert!(!discovery[field].as_str().unwrap().is_empty(), "{field}");
            }
        }
        let services = in_both(&app, "v2/services", "", "services").await;
        let topics = app.nobody().get("/lists/topics").await.expect(200)["items"].as_array().unwrap().len();
        assert_eq!(services.as_array().unwrap().len(), topics);
        let roads = services.as_array().unwrap().iter().find(|service| service["service_code"] == "roads").unwrap();
        assert_eq!(*roads, json!({
            "service_code": "roads", "service_name": "道路、路灯", "description": "关于道路、路灯的咨询、求助和建议",
            "metadata": true, "type": "realtime", "keywords": "道路,路灯,Roads and street lamps", "group": "民情诉求",
        }));
        let definition = in_both(&app, "v2/services/roads", "", "service_definition").await;
        assert_eq!(definition, json!({"service_code": "roads", "attributes": [{
            "variable": true, "code": "concern", "datatype": "singlevaluelist", "required": true,
            "datatype_description": null, "order": 1, "description": "您要反映的是哪一类？",
            "values": [
                {"key": "question", "name": "咨询"}, {"key": "help", "name": "求助"},
                {"key": "suggestion", "name": definition["attributes"][0]["values"][2]["name"]},
            ],
        }]}));
    }

    async fn a_matter_is_shown_without_whose_it_is_and_its_words_once_somebody_read_them(app: TestApp) {
        let villager = app.villager("甲").await;
        villager.put("/me", json!({"name": "样例王大山"})).await.expect(200);
        let text = "我是样例王大山，村口的路灯 & 护栏 <坏了>，电话13800001234";
        let (case, id) = public_case(&app, &villager, json!({"text": text, "title": "样例王大山的事"})).await;
        assert_eq!((id.len(), &case["public"]), (12, &json!(true)));
        assert_ne!(json!(id), case["number"], "the number on the receipt opens tracking");
        let path = format!("v2/requests/{id}");
        let fresh = in_both(&app, &path, "", "service_requests").await;
        assert_eq!(fresh, json!([{
            "service_request_id": id, "status": "open", "status_notes": "已提交，待受理", "service_name": "道路、路灯",
            "service_code": "roads", "description": "内容待工作人员受理后公开",
            "agency_responsible": "石笋村便民服务室", "service_notice": null,
            "requested_datetime": "2026-11-23T10:00:00+08:00", "updated_datetime": "2026-11-23T10:00:00+08:00",
            "expected_datetime": null, "address": "石笋村", "address_id": "511702108212", "zipcode": null, "lat": null,
            "long": null, "media_url": null,
        }]));
        desk_accepts(&app, &case).await;
        let accepted = in_both(&app, &path, "", "service_requests").await[0].clone();
        assert_eq!(accepted["description"], "我是样某某，村口的路灯 & 护栏 <坏了>，电话****");
        assert_eq!(accepted["expected_datetime"], "2026-12-02T17:00:00+08:00", "when the desk closes on the promised day");
        assert_eq!(accepted["status_notes"], "已受理");
        for secret in ["大山", "13800001234", case["number"].as_str().unwrap(), case["id"].as_str().unwrap(), villager.id()] {
            assert!(!accepted.to_string().contains(secret), "{secret}");
        }
        for nothing in ["%00", "%E6%B0%B4", "none"] {
            let path = format!("/open311/v2/requests/{nothing}.json");
            let answer = app.nobody().call(reqwest::Method::GET, &path).send().await;
            assert!([400, 404].contains(&answer.status), "{nothing}: {}", answer.text());
        }
        let listed = in_both(&app, "v2/requests", "", "service_requests").await;
        assert_eq!(listed, json!([accepted]));
        let english = app.nobody().with_language("en").call(reqwest::Method::GET, &format!("/open311/{path}.json"));
        let english = english.send().await.expect(200);
        assert_eq!((&english[0]["service_name"], &english[0]["status_notes"]), (&json!("Roads and street lamps"), &json!("Accepted")));
        app.drain_jobs().await;
    }

    async fn silence_is_nobody_s_reading(app: TestApp) {
        let (_, id) = public_case(&app, &app.villager("甲").await, json!({})).await;
        app.advance(TimeDelta::days(3));
        app.drain_jobs().await;
        let shown = get(&app, &format!("v2/requests/{id}.json")).await.expect(200);
        assert_eq!(shown[0]["status_notes"], "已受理", "the clock accepted it");
        assert_eq!(shown[0]["description"], "内容待工作人员受理后公开");
    }

    async fn lists_are_narrowed_as_the_specification_says(app: TestApp) {
        let villager = app.villager("甲").await;
        let (old, old_id) = public_case(&app, &villager, json!({})).await;
        in_progress(&app, &old).await;
        app.staff("cadre").await.post(&actions(&old), answer()).await.expect(200);
        villager.post(&format!("{}/actions", own(&old)), json!({"action": "confirm"})).await.expect(200);
        app.advance(TimeDelta::days(60));
        let (_, new_id) = public_case(&app, &villager, json!({"topic": "water"})).await;
        let ids = async |query: &str| -> Vec<String> {
            let found = requests(&app, query).await;
            found.iter().map(|one| one["service_request_id"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(ids("").await, [new_id.clone(), old_id.clone()], "the newest first");
        assert_eq!(ids("?status=closed").await, std::slice::from_ref(&old_id));
        assert_eq!(ids("?status=open").await, std::slice::from_ref(&new_id));
        assert_eq!(ids("?status=open,closed").await.len(), 2);
        assert_eq!(ids("?service_code=water").await, std::slice::from_ref(&new_id));
        assert_eq!(ids("?service_code=water,roads").await.len(), 2);
        assert_eq!(ids("?start_date=2026-11-23T00:00:00%2B08:00&end_date=2026-11-24T00:00:00Z").await, std::slice::from_ref(&old_id));
        assert_eq!(ids("?start_date=&status=&page_size=10").await.len(), 2, "what is empty or unknown is not there");
        app.advance(TimeDelta::days(40));
        assert_eq!(ids("").await, std::slice::from_ref(&new_id), "ninety days, where nothing is said");
        assert_eq!(ids(&format!("?service_request_id={old_id},{new_id},000000000000")).await.len(), 2);
        let closed = requests(&app, &format!("?service_request_id={old_id}&status=open")).await;
        assert_eq!((&closed[0]["status"], &closed[0]["expected_datetime"]), (&json!("closed"), &Value::Null));
        app.drain_jobs().await;
    }

    async fn a_place_shows_its_own_and_what_lies_below(app: TestApp) {
        let (_, id) = public_case(&app, &app.villager("甲").await, json!({})).await;
        for (code, there) in [(TOWNSHIP, true), ("511702000000", true), ("511702108212", true), ("511702108213", false)] {
            let found = requests(&app, &format!("?jurisdiction_id={code}")).await;
            assert_eq!(found.len(), usize::from(there), "{code}");
            let one = get(&app, &format!("v2/requests/{id}.json?jurisdiction_id={code}")).await;
            assert_eq!(one.status, if there { 200 } else { 404 }, "{code}");
        }
        let none = app.second_server_with(|config| config.open311.jurisdiction.clear()).await;
        let unnamed = none.nobody().call(reqwest::Method::GET, "/open311/v2/services.json").send().await;
        assert_eq!(failure(unnamed, 400), "jurisdiction_id was not provided");
        app.drain_jobs().await;
    }

    async fn what_is_not_public_is_not_there_and_cannot_be_told_from_what_never_was(app: TestApp) {
        let villager = app.villager("甲").await;
        public_case(&app, &villager, json!({"public": false})).await;
        let (secret, secret_id) = public_case(&app, &villager, json!({})).await;
        becomes_private(&app, &secret).await;
        let (withdrawn, withdrawn_id) = public_case(&app, &villager, json!({})).await;
        villager.post(&format!("{}/actions", own(&withdrawn)), json!({"action": "withdraw"})).await.expect(200);
        assert_eq!(requests(&app, "").await, Vec::<Value>::new());
        assert_eq!(requests(&app, &format!("?service_request_id={secret_id},{withdrawn_id}")).await, Vec::<Value>::new());
        let seen = async |id: &str| get(&app, &format!("v2/requests/{id}.json")).await.text();
        assert_eq!(seen(&secret_id).await, seen("000000000000").await);
        assert_eq!(seen(&withdrawn_id).await, seen("000000000000").await);
        assert_eq!(seen(withdrawn["number"].as_str().unwrap()).await, seen("000000000000").await);
        app.drain_jobs().await;
    }

    async fn failures_have_their_shape_in_the_format_that_was_asked_for(app: TestApp) {
        for (path, status, says) in [
            ("v2/services.json?jurisdiction_id=999", 404, "jurisdiction_id provided was not found"),
            ("v2/services/no_such.json", 404, "service_code provided was not found"),
            ("v2/requests/1.json", 404, "service_request_id provided was not found"),
            ("v2/tokens/1.json", 404, "token provided was not found"),
            ("v2/requests.json?status=lost", 400, "status is open or closed"),
            ("v2/requests.json?service_code=no_such", 404, "service_code provided was not found"),
            ("v2/requests.json?start_date=yesterday", 400, "start_date must be"),
            ("v2/requests.json?start_date=2026-01-01T00:00:00Z&end_date=2026-06-01T00:00:00Z", 400, "at most 90 days"),
            ("v2/requests.json?service_code=%00", 400, "control characters"),
        ] {
            let answer = get(&app, path).await;
            assert_eq!(answer.header("content-type"), "application/json; charset=utf-8", "{path}");
            let said = failure(answer, status);
            assert!(said.contains(says), "{path}: {said}");
            let answer = get(&app, &path.replace(".json", ".xml")).await;
            assert_eq!(answer.header("content-type"), "text/xml; charset=utf-8", "{path}");
            assert_eq!(spark(&answer.text()), ("errors".to_owned(), json!([{"code": status.to_string(), "description": said}])));
        }
        let many = vec!["1"; 51].join(",");
        failure(get(&app, &format!("v2/requests.json?service_request_id={many}")).await, 400);
        assert_eq!(get(&app, "v2/services.yaml").await.status, 404);
        let wrong = app.nobody().call(reqwest::Method::DELETE, "/open311/v2/requests.json").send().await;
        assert_eq!(wrong.header("allow"), "GET, POST");
        wrong.problem("method_not_allowed");
    }

    async fn a_token_is_the_request_s_own_id(app: TestApp) {
        let (_, id) = public_case(&app, &app.villager("甲").await, json!({})).await;
        let token = in_both(&app, &format!("v2/tokens/{id}"), "", "service_requests").await;
        assert_eq!(token, json!([{"service_request_id": id, "token": id}]));
        app.drain_jobs().await;
    }
}
