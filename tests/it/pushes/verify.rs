//! The address is tried out by WeChat, and signed pushes alone are believed.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use super::{call, pushed, wechat};
use crate::support::{Actor, TestApp};

/// A sealed push as WeChat sends it at `at`.
async fn sealed(app: &TestApp, text: &str, at: i64, token_of: &str) -> crate::support::Answer {
    let inbox = wechat();
    let reply = inbox.reply(shuoshi::wechat::push::Format::Json, text, at, "nonce").unwrap();
    let reply: serde_json::Value = serde_json::from_str(&reply).unwrap();
    let (at, signature) = (at.to_string(), reply["MsgSignature"].as_str().unwrap().replacen('x', token_of, 1));
    let query = [("timestamp", at.as_str()), ("nonce", "nonce"), ("msg_signature", signature.as_str())];
    let body = json!({"ToUserName": "gh", "Encrypt": reply["Encrypt"]}).to_string();
    call(app, Method::POST, &query, &body).await
}

both_engines! {
    async fn the_address_answers_the_test_of_the_console(app: TestApp) {
        let outcome = app.simulator("push/verify", json!({})).await;
        assert_eq!(outcome["verified"], true, "{outcome}");
        let now = app.now().timestamp().to_string();
        let forged = [("signature", "00"), ("timestamp", &now), ("nonce", "n"), ("echostr", "x")];
        call(&app, Method::GET, &forged, "").await.problem("push_refused");
        call(&app, Method::GET, &[], "").await.problem("push_refused");
    }

    async fn what_is_not_signed_is_refused_and_not_stored(app: TestApp) {
        let now = app.now().timestamp();
        for body in ["{}", "", "<xml></xml>", "garbage", r#"{"Encrypt": "AAAA"}"#] {
            call(&app, Method::POST, &[], body).await.problem("push_refused");
            let query = [("signature", "0"), ("msg_signature", "0"), ("timestamp", "1"), ("nonce", "n")];
            call(&app, Method::POST, &query, body).await.problem("push_refused");
        }
        // A key is configured: what is not sealed is vouched for by nobody.
        let outcome = pushed(&app, "plain", "json", json!({"MsgType": "text"})).await;
        assert_eq!((&outcome["delivered"], &outcome["status"], &outcome["attempts"]), (&json!(false), &json!(403), &json!(3)));
        sealed(&app, "{}", now - 601, "x").await.problem("push_refused");
        sealed(&app, "{}", now + 601, "x").await.problem("push_refused");
        assert_eq!(app.number("SELECT count(*) FROM wechat_push").await, 0);
        assert_eq!(sealed(&app, r#"{"MsgType": "text", "MsgId": 1}"#, now - 599, "x").await.text(), "success");
        assert_eq!(app.number("SELECT count(*) FROM wechat_push").await, 1);
        let huge = format!("{{\"a\": \"{}\"}}", "x".repeat(128 * 1024));
        call(&app, Method::POST, &[], &huge).await.problem("too_large");
        app.drain_jobs().await;
    }

    async fn plain_mode_is_understood_where_no_key_is_configured(app: TestApp) {
        let plain = app.second_server_with(|config| config.wechat.push_aes_key = "".into()).await;
        let now = app.now().timestamp().to_string();
        let signature = {
            let outcome = app.simulator("push/verify", json!({})).await;
            assert_eq!(outcome["verified"], true);
            sign(&now)
        };
        let query = [("signature", signature.as_str()), ("timestamp", &now), ("nonce", "n")];
        let nobody: Actor = app.nobody().at(&plain);
        for body in [r#"{"MsgType": "text", "MsgId": 1}"#, "<xml><MsgType>text</MsgType><MsgId>2</MsgId></xml>", "hm", ""] {
            let path = format!("/wechat/push?{}", query.map(|(name, value)| format!("{name}={value}")).join("&"));
            let answer = nobody.call(Method::POST, &path).body("text/xml", body.to_owned()).send().await;
            assert_eq!((answer.status, answer.text().as_str()), (200, "success"), "{body}");
        }
        assert_eq!(app.number("SELECT count(*) FROM wechat_push").await, 2);
        app.drain_jobs().await;
        assert_eq!(app.number("SELECT count(*) FROM wechat_push WHERE state = 'not_understood'").await, 2);
    }

    async fn without_a_token_there_is_no_such_address(app: TestApp) {
        let bare = app.second_server_with(|config| {
            config.wechat.push_token = "".into();
            config.wechat.push_aes_key = "".into();
        });
        let nobody = app.nobody().at(&bare.await);
        for method in [Method::GET, Method::POST] {
            nobody.call(method, "/wechat/push").send().await.problem("not_found");
        }
    }

    async fn a_flood_of_forgeries_is_told_to_wait(app: TestApp) {
        let strict = app.second_server_with(|config| {
            config.auth.throttle.spare_loopback = false;
            config.auth.throttle.bad_pushes_per_minute = 2;
        });
        let nobody = app.nobody().at(&strict.await);
        for _ in 0..2 {
            nobody.call(Method::POST, "/wechat/push").send().await.problem("push_refused");
        }
        let answer = nobody.call(Method::POST, "/wechat/push").send().await;
        assert_ne!(answer.header("retry-after"), "");
        answer.problem("too_many_requests");
    }

    async fn pushes_are_kept_for_thirty_days_and_sealed(app: TestApp) {
        let openid = { app.villager("甲").await; app.openid("甲") };
        let message = json!({"MsgType": "text", "MsgId": "1", "FromUserName": openid, "Content": "我家的灯不亮"});
        assert_eq!(pushed(&app, "safe", "xml", message).await["delivered"], true);
        app.drain_jobs().await;
        for told in [openid.as_str(), "灯不亮"] {
            let sql = format!("SELECT count(*) FROM wechat_push WHERE body LIKE '%{told}%' OR sender LIKE '%{told}%' OR key LIKE '%{told}%'");
            assert_eq!(app.number(&sql).await, 0);
        }
        app.advance(TimeDelta::days(29));
        app.drain_jobs().await;
        assert_eq!(app.number("SELECT count(*) FROM wechat_push").await, 1);
        app.advance(TimeDelta::days(2));
        app.drain_jobs().await;
        assert_eq!(app.number("SELECT count(*) FROM wechat_push").await, 0);
    }
}

/// `signature` of a plain push of now.
fn sign(now: &str) -> String {
    use sha1::{Digest, Sha1};
    let mut parts = ["shuoshidemo", now, "n"];
    parts.sort_unstable();
    shuoshi::crypto::hex(&Sha1::digest(parts.concat()))
}
