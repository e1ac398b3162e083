//! The client against the simulator, over a real connection.

use std::time::Duration;

use chrono::TimeDelta;
use secrecy::ExposeSecret;
use serde_json::json;

use super::*;
use crate::wechat_sim::tests::{APP_ID, LOGIN, SECRET, STABLE_TOKEN, Sim};

const CHECK_SESSION: &str = "/wxa/checksession";
const PHONE: &str = "/wxa/business/getuserphonenumber";
const CODE: &str = "/wxa/getwxacodeunlimit";

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
    client.token.evict(&"another".into()).await;
    client.access_token().await.unwrap();
    assert_eq!(sim.asked(STABLE_TOKEN).await, 1);
    client.token.evict(&token).await;
    client.access_token().await.unwrap();
    assert_eq!(sim.asked(STABLE_TOKEN).await, 2);
}

#[actix_web::test]
async fn a_rejected_token_is_replaced_once() {
    let sim = Sim::start();
    let client = client(&sim);
    let (openid, _, code) = sim.user_with_code().await;
    let key = client.code_to_session(&code).await.unwrap().session_key;
    assert_eq!(client.check_session(&openid, &key).await, Ok(true));

    // Somebody else forces a new token: ours is dead, and the client finds out by being rejected.
    let force = json!({ "grant_type": "client_credential", "appid": APP_ID, "secret": SECRET, "force_refresh": true });
    let (_, forced) = sim.post(STABLE_TOKEN, force).await;
    assert_eq!(client.check_session(&openid, &key).await, Ok(true));
    assert_eq!(forced["access_token"], client.access_token().await.unwrap().expose_secret());
    assert_eq!(sim.asked(CHECK_SESSION).await, 3);

    sim.fault(CHECK_SESSION, ("errcode", 42001), 10).await;
    let error = client.check_session(&openid, &key).await.unwrap_err();
    assert!(matches!(error, WechatError::TokenRejected(_)), "{error:?}");
    assert_eq!(sim.asked(CHECK_SESSION).await, 5);
}

#[actix_web::test]
async fn a_session_key_holds_until_another_takes_its_place() {
    let sim = Sim::start();
    let client = client(&sim);
    let (openid, _, code) = sim.user_with_code().await;
    let key = client.code_to_session(&code).await.unwrap().session_key;
    assert_eq!(client.check_session(&openid, &key).await, Ok(true));
    sim.control("session-keys", json!({ "openid": openid })).await;
    assert_eq!(client.check_session(&openid, &key).await, Ok(false));
    assert_eq!(errcode(&client.check_session("o", &key).await.unwrap_err()), Some(40003));
}

/// A code of the phone-number button.
async fn phone_code(sim: &Sim, openid: &str) -> String {
    sim.control("phone-codes", json!({ "openid": openid })).await["code"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_phone_code_yields_the_number_once() {
    let sim = Sim::start();
    let client = client(&sim);
    let (openid, _, _) = sim.user_with_code().await;
    let code = phone_code(&sim, &openid).await;
    let phone = client.phone_number(&code, None).await.unwrap();
    assert_eq!((phone.phone_number.as_str(), phone.country_code.as_str()), ("13800000000", "86"));
    assert_eq!(phone.pure_phone_number, "13800000000");
    assert!(!format!("{phone:?}").contains("138"));
    let error = client.phone_number(&code, None).await.unwrap_err();
    assert!(matches!(error, WechatError::BadCode(_)), "{error:?}");

    let foreign = sim.control("users", json!({ "phone": "+85212345678" })).await;
    let abroad = foreign["openid"].as_str().unwrap();
    let code = phone_code(&sim, abroad).await;
    let stranger = client.phone_number(&code, Some(&openid)).await.unwrap_err();
    assert!(matches!(stranger, WechatError::BadCode(_)), "{stranger:?}");
    let phone = client.phone_number(&code, Some(abroad)).await.unwrap();
    assert_eq!((phone.phone_number.as_str(), phone.country_code.as_str()), ("+85212345678", "852"));

    let late = phone_code(&sim, &openid).await;
    sim.control("clock", json!({ "advance_s": 300 })).await;
    assert!(client.phone_number(&late, None).await.is_err());
}

#[actix_web::test]
async fn codes_are_pictures_and_refusals_are_told_from_them() {
    let sim = Sim::start();
    let client = client(&sim);
    let order = UnlimitedCode::new("v=310000000001").unwrap();
    let picture = client.unlimited_code(&order).await.unwrap();
    assert_eq!(picture.media_type(), "image/jpeg");
    let picture = client.unlimited_code(&order.clone().transparent().width(280).unwrap()).await.unwrap();
    assert_eq!(picture.media_type(), "image/png");

    sim.control("pages", json!({ "pages": ["pages/home/home"] })).await;
    let there = order.clone().page("pages/home/home", true).unwrap();
    client.unlimited_code(&there).await.unwrap();
    let gone = client.unlimited_code(&order.clone().page("pages/gone", true).unwrap()).await.unwrap_err();
    assert!(matches!(&gone, WechatError::Configuration(refusal) if refusal.errcode == 41030), "{gone:?}");
    client.unlimited_code(&order.clone().page("pages/gone", false).unwrap()).await.unwrap();

    sim.fault(CODE, ("http", 200), 1).await;
    assert_eq!(client.unlimited_code(&order).await, Err(WechatError::Unreadable));
    sim.fault(CODE, ("errcode", 40001), 1).await;
    client.unlimited_code(&order).await.expect("a rejected token is replaced for pictures too");
}

#[actix_web::test]
async fn links_are_made_and_can_be_asked_about() {
    let sim = Sim::start();
    let client = client(&sim);
    let order = UrlLink::new(LinkEnd::InDays(7), sim.clock.now()).unwrap();
    let url = client.url_link(&order.page("pages/case", "id=1").unwrap()).await.unwrap();
    assert!(url.starts_with("https://wxaurl.cn/"), "{url}");
    let token = client.access_token().await.unwrap();
    let path = format!("/wxa/query_urllink?access_token={}", token.expose_secret());
    let (_, answer) = sim.post(&path, json!({ "url_link": url })).await;
    assert_eq!((&answer["errcode"], &answer["url_link_info"]["query"]), (&json!(0), &json!("id=1")));

    sim.control("pages", json!({ "pages": [] })).await;
    let soon = UrlLink::new(LinkEnd::At(sim.clock.now() + TimeDelta::hours(1)), sim.clock.now()).unwrap();
    let error = client.url_link(&soon).await.unwrap_err();
    assert_eq!(errcode(&error), Some(85079));
}

#[actix_web::test]
async fn every_quota_has_the_class_of_its_window() {
    type Is = fn(&WechatError) -> bool;
    let sim = Sim::start();
    let client = client(&sim);
    let classes: [(i64, Is); 6] = [
        (44990, |error| matches!(error, WechatError::SecondQuota(_))),
        (44991, |error| matches!(error, WechatError::MinuteQuota(_))),
        (45011, |error| matches!(error, WechatError::MinuteQuota(_))),
        (44993, |error| matches!(error, WechatError::DayQuota(_))),
        (45009, |error| matches!(error, WechatError::DayQuota(_))),
        (48001, |error| matches!(error, WechatError::Configuration(_))),
    ];
    for (errcode, is) in classes {
        sim.fault(PHONE, ("errcode", errcode), 1).await;
        let error = client.phone_number("x", None).await.unwrap_err();
        assert!(is(&error) && error.refusal().unwrap().rid.is_some(), "{error:?}");
    }
}

#[actix_web::test]
async fn answers_are_known_by_their_content_whatever_their_type_says() {
    let sim = Sim::start();
    let client = client(&sim);
    sim.control("chaos", json!({ "content_types": true })).await;
    for _ in 0..8 {
        let (openid, _, code) = sim.user_with_code().await;
        let session = client.code_to_session(&code).await.unwrap();
        assert_eq!(client.check_session(&openid, &session.session_key).await, Ok(true));
        client.unlimited_code(&UnlimitedCode::new("v=1").unwrap()).await.unwrap();
        assert_eq!(errcode(&client.phone_number("x", None).await.unwrap_err()), Some(40029));
    }
}

#[test]
fn what_is_signed_is_the_official_address() {
    let settings = Settings { base_url: "http://127.0.0.1:1/".into(), app_id: APP_ID.into(), secret: SECRET.into() };
    let client = Client::new(settings, Clock::system()).unwrap();
    let sealed = client.seal(PHONE, b"{}".to_vec());
    assert_eq!(sealed.signed_url, "https://api.weixin.qq.com/wxa/business/getuserphonenumber");
    let request = client.sealed_post(PHONE, b"{}", &"t".into()).build().unwrap();
    assert_eq!(request.url().as_str(), "http://127.0.0.1:1/wxa/business/getuserphonenumber?access_token=t");
}
