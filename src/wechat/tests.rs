//! The client against the simulator, over a real connection.

use std::time::Duration;

use chrono::TimeDelta;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::*;
use crate::wechat_sim::{
    signature,
    tests::{APP_ID, LOGIN, SECRET, STABLE_TOKEN, Sim},
};

fn client(sim: &Sim) -> Client {
    client_of(sim, APP_ID, SECRET, ANSWER_WITHIN)
}

fn client_of(sim: &Sim, app_id: &str, secret: &str, limit: Duration) -> Client {
    let settings =
        Settings { base_url: format!("http://{}/", sim.at), app_id: app_id.to_owned(), secret: secret.into() };
    Client::answering_within(limit, settings, sim.clock.clone()).unwrap()
}

fn errcode(error: &WechatError) -> Option<i64> {
    error.refusal().map(|refusal| refusal.errcode)
}

#[actix_web::test]
async fn a_fresh_code_signs_its_user_in() {
    let sim = Sim::start();
    let (openid, unionid, code) = sim.user_with_code().await;
    let session = client(&sim).code_to_session(&code).await.unwrap();
    assert_eq!((session.openid.as_str(), session.unionid.as_deref()), (openid.as_str(), Some(unionid.as_str())));
    assert_eq!(session.session_key.expose_secret().len(), 24);
    assert_eq!(format!("{session:?}"), "Session { .. }");
}

#[actix_web::test]
async fn a_used_an_expired_and_an_unknown_code_are_bad() {
    let sim = Sim::start();
    let client = client(&sim);
    let (_, _, used) = sim.user_with_code().await;
    client.code_to_session(&used).await.unwrap();
    let error = client.code_to_session(&used).await.unwrap_err();
    assert!(matches!(&error, WechatError::BadCode(Refusal { errcode: 40163, rid: Some(_) })), "{error:?}");

    let (_, _, late) = sim.user_with_code().await;
    sim.control("clock", json!({ "advance_s": 300 })).await;
    for code in [late.as_str(), "0123456789abcdefghijklmnopqrstuv", "说事&secret=x"] {
        let error = client.code_to_session(code).await.unwrap_err();
        assert!(matches!(&error, WechatError::BadCode(Refusal { errcode: 40029, rid: Some(_) })), "{error:?}");
        assert!(!format!("{error} {error:?}").contains(code));
    }
}

#[actix_web::test]
async fn wrong_credentials_are_a_matter_of_configuration() {
    let sim = Sim::start();
    let (_, _, code) = sim.user_with_code().await;
    for (app_id, secret, expected) in [("wx0", SECRET, 40013), (APP_ID, "hunter2", 40125), ("", "", 41002)] {
        let client = client_of(&sim, app_id, secret, ANSWER_WITHIN);
        for error in [client.code_to_session(&code).await.unwrap_err(), client.reachable().await.unwrap_err()] {
            assert!(matches!(error, WechatError::Configuration(_)), "{error:?}");
            assert_eq!(errcode(&error), Some(expected));
        }
        assert!(!format!("{client:?}").contains("hunter2"));
    }
    client(&sim).code_to_session(&code).await.expect("refused attempts do not use the code up");
}

#[actix_web::test]
async fn a_busy_wechat_is_asked_once_more() {
    let sim = Sim::start();
    let (_, _, code) = sim.user_with_code().await;
    sim.fault(LOGIN, ("errcode", -1), 1).await;
    client(&sim).code_to_session(&code).await.unwrap();
    assert_eq!(sim.asked(LOGIN).await, 2);

    sim.fault(LOGIN, ("errcode", -1), 100).await;
    let error = client(&sim).code_to_session(&code).await.unwrap_err();
    assert!(matches!(error, WechatError::Busy(_)), "{error:?}");
    assert_eq!(sim.asked(LOGIN).await, 4);
}

#[actix_web::test]
async fn what_is_no_answer_of_wechat_is_told_apart() {
    let sim = Sim::start();
    let client = client(&sim);
    sim.fault(LOGIN, ("http", 502), 1).await;
    assert_eq!(client.code_to_session("x").await.unwrap_err(), WechatError::Transport(Outage::Status(502)));
    sim.fault(LOGIN, ("http", 200), 1).await;
    assert_eq!(client.code_to_session("x").await.unwrap_err(), WechatError::Unreadable);
    sim.fault(LOGIN, ("delay_ms", 2000), 1).await;
    let hurried = client_of(&sim, APP_ID, SECRET, Duration::from_millis(100));
    assert_eq!(hurried.code_to_session("x").await.unwrap_err(), WechatError::Transport(Outage::TimedOut));

    let nobody =
        Settings { base_url: "http://127.0.0.1:1".to_owned(), app_id: APP_ID.to_owned(), secret: SECRET.into() };
    let error = Client::new(nobody, sim.clock.clone()).unwrap().code_to_session("x").await.unwrap_err();
    assert_eq!(error, WechatError::Transport(Outage::Unconnected));
}

#[actix_web::test]
async fn a_fault_of_only_a_delay_answers_the_truth_later() {
    let sim = Sim::start();
    let (_, _, code) = sim.user_with_code().await;
    sim.fault(LOGIN, ("delay_ms", 50), 1).await;
    let begun = std::time::Instant::now();
    client(&sim).code_to_session(&code).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(50));
}

#[actix_web::test]
async fn two_processes_share_one_token_and_ask_for_it_once_each() {
    let sim = Sim::start();
    let (one, other) = (client(&sim), client(&sim));
    let tokens = futures_util::future::join_all((0..8).map(|_| one.access_token())).await;
    let token = other.access_token().await.unwrap();
    for shared in tokens {
        assert_eq!(shared.unwrap().expose_secret(), token.expose_secret());
    }
    assert_eq!(token.expose_secret().len(), 136);
    assert_eq!(sim.asked(STABLE_TOKEN).await, 2);
    one.reachable().await.unwrap();
    assert_eq!(sim.asked(STABLE_TOKEN).await, 2);
}

#[actix_web::test]
async fn a_token_is_renewed_five_minutes_before_its_end() {
    let sim = Sim::start();
    let client = client(&sim);
    let first = client.access_token().await.unwrap();
    sim.clock.advance(TimeDelta::seconds(6899));
    assert_eq!(client.access_token().await.unwrap().expose_secret(), first.expose_secret());
    assert_eq!(sim.asked(STABLE_TOKEN).await, 1);
    sim.clock.advance(TimeDelta::seconds(2));
    assert_ne!(client.access_token().await.unwrap().expose_secret(), first.expose_secret());
    assert_eq!(sim.asked(STABLE_TOKEN).await, 2);
}

#[actix_web::test]
async fn those_who_wait_share_the_failure_and_the_next_one_tries_again() {
    let sim = Sim::start();
    let client = client(&sim);
    sim.control("faults", json!({ "path": STABLE_TOKEN, "http": 502, "delay_ms": 100, "times": 1 })).await;
    for outcome in futures_util::future::join_all((0..8).map(|_| client.access_token())).await {
        assert_eq!(outcome.unwrap_err(), WechatError::Transport(Outage::Status(502)));
    }
    assert_eq!(sim.asked(STABLE_TOKEN).await, 1);
    client.access_token().await.unwrap();
}

#[actix_web::test]
async fn only_the_token_that_was_used_is_evicted() {
    let sim = Sim::start();
    let client = client(&sim);
    let token = client.access_token().await.unwrap();
    client.evict(&"another".into()).await;
    client.access_token().await.unwrap();
    assert_eq!(sim.asked(STABLE_TOKEN).await, 1);
    client.evict(&token).await;
    client.access_token().await.unwrap();
    assert_eq!(sim.asked(STABLE_TOKEN).await, 2);
}

/// `GET /wxa/checksession`, as a capability would make the call.
async fn check_session(client: &Client, session: &Session) -> Result<(), WechatError> {
    let signature = signature(session.session_key.expose_secret());
    let path = "/wxa/checksession";
    let call = |token: SecretString| {
        let query = [
            ("access_token", token.expose_secret()),
            ("openid", session.openid.as_str()),
            ("signature", signature.as_str()),
            ("sig_method", "hmac_sha256"),
        ];
        let request = client.get(path, &query);
        async move { client.ask::<Value>(path, request).await.map(drop) }
    };
    client.call_with_token(call).await
}

#[actix_web::test]
async fn a_rejected_token_is_replaced_once() {
    let sim = Sim::start();
    let client = client(&sim);
    let (_, _, code) = sim.user_with_code().await;
    let session = client.code_to_session(&code).await.unwrap();
    check_session(&client, &session).await.unwrap();

    // Somebody else forces a new token: ours is dead, and the client finds out by being rejected.
    let force = json!({ "grant_type": "client_credential", "appid": APP_ID, "secret": SECRET, "force_refresh": true });
    let (_, forced) = sim.post(STABLE_TOKEN, force).await;
    check_session(&client, &session).await.unwrap();
    assert_eq!(forced["access_token"], client.access_token().await.unwrap().expose_secret());
    assert_eq!(sim.asked("/wxa/checksession").await, 3);

    sim.fault("/wxa/checksession", ("errcode", 42001), 10).await;
    let error = check_session(&client, &session).await.unwrap_err();
    assert!(matches!(error, WechatError::TokenRejected(_)), "{error:?}");
    assert_eq!(sim.asked("/wxa/checksession").await, 5);
}
