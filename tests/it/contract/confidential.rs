//! A complaint about a cadre does not exist for the village, nor for anybody but the discipline desk.
//!
//! Everything that can be read is read by everybody before and after somebody complains and the discipline desk works on
//! it: not a byte of any answer, nor a header of it, may be another.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use shuoshi::jobs::sweeps::{self, Sweep};

use super::{Operation, operations, things::Village};
use crate::{
    cases::{actions, own},
    support::{Actor, Answer, TestApp},
};

/// What changes whether or not anybody complains: counters of calls, and the audit, which every look at it adds to.
const MOVES_BY_ITSELF: [&str; 3] = ["count_metrics", "readyz", "list_audit"];

/// An answer without what is another each time.
fn seen(answer: &Answer) -> Value {
    let headers: BTreeMap<&str, &str> = answer
        .headers
        .iter()
        // "connection" says whether the server had read the body when it refused.
        .filter(|(name, _)| !["connection", "date", "x-request-id"].contains(&name.as_str()))
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    let mut body = answer.body.clone();
    if let Some(problem) = body.as_object_mut().filter(|body| body.contains_key("request_id")) {
        problem.remove("request_id");
        problem.remove("instance");
    }
    let bytes = if answer.body.is_null() { answer.text() } else { String::new() };
    json!({"status": answer.status, "headers": headers, "body": body, "text": bytes})
}

/// Everybody but the discipline desk and who complains.
async fn everybody(app: &TestApp) -> Vec<Actor> {
    let mut all = vec![app.nobody(), app.villager("旁人").await];
    for name in ["desk", "cadre", "cadre2", "town", "county", "admin", "neighbour"] {
        all.push(app.staff(name).await);
    }
    all
}

/// Addresses of everything that can be read, lists in all their views.
async fn readable(app: &TestApp) -> Vec<String> {
    let village = Village::of(app).await;
    let reads =
        |operation: &Operation| operation.method == Method::GET && !MOVES_BY_ITSELF.contains(&operation.id.as_str());
    let mut paths = Vec::new();
    for operation in operations().into_iter().filter(reads) {
        if operation.path == "/problems/{code}"
            || operation.path.contains("/lists/")
            || operation.path.contains("/catalogue")
        {
            continue;
        }
        for ask in village.asks(&operation).await {
            paths.push(ask.path.clone());
        }
    }
    for view in ["inbox", "mine", "unit", "sent", "overdue", "supervised", "requests", "called_in", "closed"] {
        paths.push(format!("/api/v1/staff/cases?view={view}"));
        paths.push(format!("/api/v1/staff/cases/export?view={view}"));
    }
    // Words of the complaint, one character of it, its phone: 反映村干部, 公, 13800001234.
    for typed in ["%E5%8F%8D%E6%98%A0%E6%9D%91%E5%B9%B2%E9%83%A8", "%E5%85%AC", "13800001234"] {
        paths.push(format!("/api/v1/staff/cases?q={typed}"));
        paths.push(format!("/api/v1/staff/cases/export?q={typed}"));
    }
    for period in ["2026-11", "2026"] {
        paths.push(format!("/api/v1/staff/divisions/{}/overview?period={period}", app.village().await));
    }
    for kind in ["voice", "proxy"] {
        paths.push(format!("/api/v1/staff/cases?kind={kind}&state=submitted"));
    }
    app.drain_jobs().await;
    paths
}

async fn read_all(paths: &[String], readers: &[Actor]) -> BTreeMap<(String, String), Value> {
    let mut all = BTreeMap::new();
    for path in paths {
        for reader in readers {
            let answer = reader.call(Method::GET, path).send().await;
            all.insert((reader.name.clone(), path.clone()), seen(&answer));
        }
    }
    all
}

async fn complained(app: &TestApp, about: &Actor) -> Value {
    let complaint = json!({
        "kind": "voice", "concern": "complaint", "division": app.village().await, "text": "反映村干部办事不公",
        "against": [about.id()], "contact_phone": "13800001234",
    });
    let case = app.villager("反映人").await.post("/cases", complaint).await.expect(201);
    let discipline = app.staff("discipline").await;
    discipline.post(&actions(&case), json!({"action": "accept"})).await.expect(200);
    app.drain_jobs().await;
    sweeps::run(app.app(), Sweep::KeepWords).await.unwrap();
    case
}

both_engines! {
    async fn nothing_that_others_can_read_changes_by_a_complaint(app: TestApp) {
        let (readers, cadre) = (everybody(&app).await, app.staff("cadre").await);
        let paths = readable(&app).await;
        assert!(paths.len() > 30, "{paths:?}");
        let before = read_all(&paths, &readers).await;
        // Reading twice shows what moves by itself; then it is the complaint's doing.
        assert_eq!(read_all(&paths, &readers).await, before);
        complained(&app, &cadre).await;
        for ((who, path), answer) in read_all(&paths, &readers).await {
            assert_eq!(answer, before[&(who.clone(), path.clone())], "{who} {path}");
        }
    }

    async fn its_id_and_number_are_as_good_as_made_up(app: TestApp) {
        let cadre = app.staff("cadre").await;
        let case = complained(&app, &cadre).await;
        let made_up = "01999999-0000-7000-8000-000000000000";
        let id = case["id"].as_str().unwrap();
        for reader in everybody(&app).await {
            for address in ["/api/v1/staff/cases/{}", "/api/v1/staff/cases/{}/events", "/api/v1/cases/{}", "/api/v1/cases/{}/events"] {
                let real = reader.call(Method::GET, &address.replace("{}", id)).header("If-None-Match", "*").send().await;
                let none = reader.call(Method::GET, &address.replace("{}", made_up)).header("If-None-Match", "*").send().await;
                assert!(real.status >= 400, "{} {address}", reader.name);
                assert_eq!(seen(&real), seen(&none), "{} {address}", reader.name);
            }
            for (address, body) in [
                ("/api/v1/staff/cases/{}/actions", json!({"action": "accept", "version": 1})),
                ("/api/v1/staff/cases/{}/reveal", json!({"fields": ["contact_name"], "reason": "核对情况"})),
                ("/api/v1/cases/{}/actions", json!({"action": "withdraw"})),
                ("/api/v1/cases/{}/reviews", json!({"stars": 1, "text": "x"})),
            ] {
                let send = async |id: &str| {
                    reader.call(Method::POST, &address.replace("{}", id)).json(body.clone()).send().await
                };
                let (real, none) = (send(id).await, send(made_up).await);
                assert!(real.status >= 400, "{} {address}", reader.name);
                assert_eq!(seen(&real), seen(&none), "{} {address}", reader.name);
            }
        }
        // By its number neither: not in the search of staff, not in tracking.
        let number = case["number"].as_str().unwrap();
        for name in ["desk", "cadre", "town", "county"] {
            let found = app.staff(name).await.get(&format!("/staff/cases?q={number}")).await.expect(200);
            assert_eq!(found["items"], json!([]), "{name}");
        }
        let tracked = json!({"number": number, "phone_tail": "1234"});
        app.nobody().post("/track", tracked).await.problem("not_found");
        // Who filed it and who must work on it see it.
        app.villager("反映人").await.get(&own(&case)).await.expect(200);
        app.staff("discipline").await.get(&format!("/staff/cases/{id}")).await.expect(200);
    }

    async fn the_auditor_sees_that_the_chain_is_whole_and_not_whom_it_is_about(app: TestApp) {
        let cadre = app.staff("cadre").await;
        let case = complained(&app, &cadre).await;
        app.staff("discipline").await.get(&format!("/staff/cases/{}", case["id"].as_str().unwrap())).await.expect(200);
        let admin = app.staff("admin").await;
        let entries = admin.get("/staff/audit?limit=100").await.expect(200);
        let text = entries.to_string();
        for secret in [case["id"].as_str().unwrap(), case["number"].as_str().unwrap(), "反映"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
}
