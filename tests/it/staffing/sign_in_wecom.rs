//! Signing in by `WeCom`, below the call: who is bound to a member, and what the session then counts for.

use serde_json::json;
use shuoshi::{auth::ops, problem::Code};

use super::{TOWNSHIP, account, made, posting};
use crate::support::{Actor, TestApp};

async fn by_wecom(app: &TestApp, userid: &str) -> Result<Actor, Code> {
    let signed = ops::sign_in_wecom(app.app(), userid).await.map_err(|problem| problem.code())?;
    let session = json!({"access_token": signed.access_token, "staff": {"id": signed.who.0.id}});
    Ok(app.nobody().signed_in("by WeCom", session))
}

both_engines! {
    async fn the_member_who_is_bound_is_in_with_two_factors(app: TestApp) {
        let admin = app.staff("admin").await;
        let officer = made(&admin, "officer", &[posting(app.division(TOWNSHIP).await, &["accept_cases"])]).await;
        assert_eq!(by_wecom(&app, "LiSi").await.unwrap_err(), Code::WecomNotBound);
        admin.put(&account(&officer["id"]), json!({"wecom_userid": "lisi"})).await.expect(200);
        let signed = by_wecom(&app, "LiSi").await.unwrap();
        assert_eq!(signed.id(), officer["id"].as_str().unwrap());
        signed.get("/staff/cases").await.expect(200);
        let me = signed.get("/staff/me").await.expect(200);
        assert_eq!((&me["second_factor"], &me["wecom"]), (&json!("wecom"), &json!(true)));
        assert_eq!(by_wecom(&app, "lisi2").await.unwrap_err(), Code::WecomNotBound);
        assert_eq!(by_wecom(&app, " ").await.unwrap_err(), Code::WecomNotBound);
    }

    async fn who_was_unbound_or_dismissed_is_not(app: TestApp) {
        let admin = app.staff("admin").await;
        let clerk = made(&admin, "clerk", &[posting(app.village().await, &["handle_cases"])]).await;
        let path = account(&clerk["id"]);
        admin.put(&path, json!({"wecom_userid": "lisi"})).await.expect(200);
        let signed = by_wecom(&app, "lisi").await.unwrap();
        admin.put(&path, json!({"wecom_userid": null})).await.expect(200);
        signed.get("/staff/me").await.problem("session_ended");
        assert_eq!(by_wecom(&app, "lisi").await.unwrap_err(), Code::WecomNotBound);
        admin.put(&path, json!({"wecom_userid": "lisi"})).await.expect(200);
        admin.delete(&path).await.expect(204);
        assert_eq!(by_wecom(&app, "lisi").await.unwrap_err(), Code::WecomNotBound);
    }
}
