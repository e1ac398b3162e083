//! The client against the simulator, over a real connection.

use serde_json::{Value, json};

use super::*;
use crate::{
    wechat::exchange::read,
    wechat_sim::tests::{CORP_ID, CORP_SECRET, Sim},
    wecom::members::{MiniProgramVisitor, Visitor},
};

const GET_TOKEN: &str = "/cgi-bin/gettoken";
const USER_INFO: &str = "/cgi-bin/auth/getuserinfo";

fn client(sim: &Sim, corp_id: &str, secret: &str) -> Client {
    let settings = Settings {
        base_url: format!("http://{}", sim.at),
        corp_id: corp_id.to_owned(),
        secret: secret.into(),
        agent_id: "1000002".to_owned(),
    };
    Client::new(settings, sim.clock.clone()).unwrap()
}

/// A code of a member called `userid`, or of an outsider.
async fn code(sim: &Sim, userid: Option<&str>, kind: &str) -> String {
    if let Some(userid) = userid {
        sim.post("/_sim/members", json!({ "userid": userid })).await;
    }
    let answer = sim.control("members/codes", json!({ "userid": userid, "kind": kind })).await;
    answer["code"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn both_kinds_of_code_name_their_member_once() {
    let sim = Sim::start();
    let client = client(&sim, CORP_ID, CORP_SECRET);
    let oauth = code(&sim, Some("ZhangSan"), "oauth").await;
    let mini_program = code(&sim, Some("ZhangSan"), "mini_program").await;
    let zhang = Member { userid: "ZhangSan".to_owned() };
    assert_eq!(client.member_of_code(&oauth).await, Ok(zhang.clone()));
    assert_eq!(client.member_of_mini_program_code(&mini_program).await, Ok(zhang));
    assert_eq!(sim.asked(GET_TOKEN).await, 1);
    for used in [&oauth, "nothing"] {
        let error = client.member_of_code(used).await.unwrap_err();
        let WecomError::Api(WechatError::BadCode(refusal)) = error else { panic!("{error:?}") };
        assert_eq!(refusal.errcode, 40029);
        assert!(refusal.rid.is_some(), "WeCom's number of the request is kept");
    }
    // A code of one kind is no code of the other.
    let oauth = code(&sim, Some("ZhangSan"), "oauth").await;
    assert!(client.member_of_mini_program_code(&oauth).await.is_err());
}

#[actix_web::test]
async fn an_outsider_is_told_apart_from_a_bad_code() {
    let sim = Sim::start();
    let client = client(&sim, CORP_ID, CORP_SECRET);
    let outsider = code(&sim, None, "oauth").await;
    assert_eq!(client.member_of_code(&outsider).await, Err(WecomError::NotAMember));
    let outsider = code(&sim, None, "mini_program").await;
    assert_eq!(client.member_of_mini_program_code(&outsider).await, Err(WecomError::NotAMember));
}

#[actix_web::test]
async fn a_rejected_token_is_replaced_once_and_a_wrong_secret_is_a_matter_of_configuration() {
    let sim = Sim::start();
    let client_here = client(&sim, CORP_ID, CORP_SECRET);
    sim.fault(USER_INFO, ("errcode", 40014), 1).await;
    let first = code(&sim, Some("LiSi"), "oauth").await;
    assert_eq!(client_here.member_of_code(&first).await.unwrap().userid, "LiSi");
    assert_eq!((sim.asked(USER_INFO).await, sim.asked(GET_TOKEN).await), (2, 2));
    sim.fault(USER_INFO, ("errcode", 42001), 10).await;
    let error = client_here.member_of_code("x").await.unwrap_err();
    assert!(matches!(error, WecomError::Api(WechatError::TokenRejected(_))), "{error:?}");
    assert_eq!(sim.asked(USER_INFO).await, 4);

    for (corp_id, secret, expected) in [(CORP_ID, "hunter2", 40001), ("ww0", CORP_SECRET, 40013)] {
        let client = client(&sim, corp_id, secret);
        let error = client.access_token().await.unwrap_err();
        assert!(matches!(&error, WechatError::Configuration(refusal) if refusal.errcode == expected), "{error:?}");
        assert!(!format!("{client:?} {error}").contains("hunter2"));
    }
}

#[actix_web::test]
async fn a_token_is_kept_until_shortly_before_its_end() {
    let sim = Sim::start();
    let client = client(&sim, CORP_ID, CORP_SECRET);
    let tokens = futures_util::future::join_all((0..8).map(|_| client.access_token())).await;
    assert!(tokens.iter().all(Result::is_ok));
    sim.clock.advance(TimeDelta::seconds(7189));
    client.access_token().await.unwrap();
    assert_eq!(sim.asked(GET_TOKEN).await, 1);
    sim.clock.advance(TimeDelta::seconds(11));
    client.access_token().await.unwrap();
    assert_eq!(sim.asked(GET_TOKEN).await, 2);
}

#[actix_web::test]
async fn the_same_text_is_delivered_once_in_half_an_hour() {
    let sim = Sim::start();
    for userid in ["ZhangSan", "LiSi"] {
        sim.control("members", json!({ "userid": userid })).await;
    }
    let client = client(&sim, CORP_ID, CORP_SECRET);
    let send = async |members: &str, text: &str| {
        let members: Vec<String> = members.split('|').map(str::to_owned).collect();
        client.send_text(WecomText { members: &members, text }).await.unwrap()
    };
    let delivered = async |userid: &str| {
        let sent = sim.shown(&format!("members/sent?userid={userid}")).await;
        sent["items"].as_array().unwrap().len()
    };
    for text in ["有新的待办（10:00）", "有新的待办（10:00）", "有新的待办（10:12）"] {
        assert_eq!(send("ZhangSan", text).await, Unreached::default());
    }
    assert_eq!(delivered("ZhangSan").await, 2);
    send("ZhangSan|LiSi", "有新的待办（10:12）").await;
    assert_eq!((delivered("ZhangSan").await, delivered("LiSi").await), (2, 1), "who has not had it gets it");
    sim.clock.advance(TimeDelta::minutes(30));
    send("ZhangSan", "有新的待办（10:12）").await;
    assert_eq!(delivered("ZhangSan").await, 3);
}

#[test]
fn published_answers_are_read() {
    let fixtures: Value = serde_json::from_str(include_str!("../wechat/vectors.json")).unwrap();
    let body = |name: &str| fixtures["fixtures"][name]["body"].to_string().into_bytes();
    let service = Service::WeCom;
    let token: Issued = read(service, &body("wecom_gettoken_ok")).unwrap();
    drop(token);
    let visitor: Visitor = read(service, &body("wecom_auth_getuserinfo_member")).unwrap();
    assert_eq!(visitor.member().unwrap().userid, "USERID");
    let visitor: Visitor = read(service, &body("wecom_auth_getuserinfo_external")).unwrap();
    assert_eq!(visitor.member(), Err(WecomError::NotAMember));
    let visitor: MiniProgramVisitor = read(service, &body("wecom_miniprogram_jscode2session")).unwrap();
    assert_eq!(visitor.corpid, "CORPID");
    assert_eq!(visitor.member_of("CORPID").unwrap().userid, "USERID");
    let visitor: MiniProgramVisitor = read(service, &body("wecom_miniprogram_jscode2session")).unwrap();
    assert_eq!(visitor.member_of("ww00"), Err(WecomError::NotAMember));
    let bad = read::<Visitor>(service, &body("wecom_auth_bad_code")).map(drop).unwrap_err();
    assert!(matches!(bad, WechatError::BadCode(_)));
    let bad = read::<Value>(service, &body("wecom_gettoken_bad_secret")).unwrap_err();
    assert_eq!(bad.refusal().unwrap().rid.as_deref(), Some("1676019639347283636740445"));
    let bad = read::<Value>(service, &body("wecom_webhook_bad_key")).unwrap_err();
    assert!(matches!(bad, WechatError::Configuration(_)));
    read::<Value>(service, &body("wecom_message_send_ok")).unwrap();
}
