//! Signing in by `WeCom`: who is bound to a member, and what the session then counts for.

use serde_json::{Value, json};

use super::{TOWNSHIP, account, made, posting};
use crate::support::{Answer, TestApp};

/// What WeCom gives the app for this member, or for somebody who is none.
async fn code(app: &TestApp, userid: Option<&str>, kind: &str) -> Value {
    if let Some(userid) = userid {
        app.simulator("members", json!({"userid": userid})).await;
    }
    let code = app.simulator("members/codes", json!({"userid": userid, "kind": kind})).await;
    json!({"code": code["code"], "kind": kind})
}

async fn by_wecom(app: &TestApp, userid: &str) -> Answer {
    app.nobody().post("/auth/wecom", code(app, Some(userid), "oauth").await).await
}

both_engines! {
    async fn the_member_who_is_bound_is_in_with_two_factors(app: TestApp) {
        let admin = app.staff("admin").await;
        let officer = made(&admin, "officer", &[posting(app.division(TOWNSHIP).await, &["accept_cases"])]).await;
        by_wecom(&app, "LiSi").await.problem("wecom_not_bound");
        admin.put(&account(&officer["id"]), json!({"wecom_userid": "lisi"})).await.expect(200);
        let signed = app.nobody().signed_in("by WeCom", by_wecom(&app, "LiSi").await.expect(200));
        assert_eq!(signed.id(), officer["id"].as_str().unwrap());
        signed.get("/staff/cases").await.expect(200);
        let me = signed.get("/staff/me").await.expect(200);
        assert_eq!((&me["second_factor"], &me["wecom"]), (&json!("wecom"), &json!(true)));
        by_wecom(&app, "lisi2").await.problem("wecom_not_bound");
        let mini = code(&app, Some("LiSi"), "mini_program").await;
        let again = app.nobody().post("/auth/wecom", mini.clone()).await.expect(200);
        assert_eq!(again["staff"]["id"], officer["id"]);
        // A code is good once, and somebody of another organisation is nobody here.
        app.nobody().post("/auth/wecom", mini).await.problem("wecom_code_invalid");
        app.nobody().post("/auth/wecom", code(&app, None, "oauth").await).await.problem("wecom_not_bound");
    }

    async fn who_was_unbound_or_dismissed_is_not(app: TestApp) {
        let admin = app.staff("admin").await;
        let clerk = made(&admin, "clerk", &[posting(app.village().await, &["handle_cases"])]).await;
        let path = account(&clerk["id"]);
        admin.put(&path, json!({"wecom_userid": "lisi"})).await.expect(200);
        let signed = app.nobody().signed_in("by WeCom", by_wecom(&app, "lisi").await.expect(200));
        admin.put(&path, json!({"wecom_userid": null})).await.expect(200);
        signed.get("/staff/me").await.problem("session_ended");
        by_wecom(&app, "lisi").await.problem("wecom_not_bound");
        admin.put(&path, json!({"wecom_userid": "lisi"})).await.expect(200);
        admin.delete(&path).await.expect(204);
        by_wecom(&app, "lisi").await.problem("wecom_not_bound");
    }

    async fn wecom_that_is_away_is_said_to_be(app: TestApp) {
        let body = code(&app, Some("lisi"), "oauth").await;
        app.simulator("faults", json!({"path": "/cgi-bin/auth/getuserinfo", "http": 502, "times": 5, "delay_ms": 0})).await;
        app.nobody().post("/auth/wecom", body).await.problem("wecom_unavailable");
    }
}
