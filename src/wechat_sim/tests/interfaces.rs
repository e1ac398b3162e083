//! What the interfaces answer to those who use them rightly and wrongly.

use super::*;
use crate::wechat::hint_of;

const ONCE: &str = "shuoshi-demo-talk-day-template-000000000002";
const LONG: &str = "shuoshi-demo-progress-template-000000000001";

/// Posts to WeChat with a token; the answer's `errcode` and the answer.
async fn ask(sim: &Sim, path: &str, body: Value) -> (i64, Value) {
    let token = sim.token().await;
    let (status, answer) = sim.post(&format!("{path}?access_token={token}"), body).await;
    assert_eq!(status, 200);
    let errcode = answer["errcode"].as_i64().unwrap();
    if errcode != 0 {
        let errmsg = answer["errmsg"].as_str().unwrap();
        assert!(rid_of(errmsg).is_some() && !errmsg.contains(", rid"), "{errmsg}");
    }
    (errcode, answer)
}

/// Posts to WeCom with a token.
async fn ask_wecom(sim: &Sim, path: &str, body: Value) -> (i64, Value) {
    let query = format!("/cgi-bin/gettoken?corpid={CORP_ID}&corpsecret={CORP_SECRET}");
    let token = sim.get(&query).await["access_token"].as_str().unwrap().to_owned();
    let (_, answer) = sim.post(&format!("{path}?access_token={token}"), body).await;
    (answer["errcode"].as_i64().unwrap(), answer)
}

fn talk_day(thing: &str) -> Value {
    json!({ "thing1": { "value": thing }, "time2": { "value": "15:01" }, "enum_string3": { "value": "村委会" } })
}

/// Sends a subscribe message.
async fn send(sim: &Sim, openid: &str, template: &str, data: Value) -> (i64, Value) {
    let body = json!({ "touser": openid, "template_id": template, "data": data, "page": "pages/day?id=1" });
    ask(sim, "/cgi-bin/message/subscribe/send", body).await
}

/// What a user answers to a template.
async fn say(sim: &Sim, openid: &str, template: &str, answer: &str) {
    let body = json!({ "openid": openid, "template_id": template, "answer": answer });
    sim.control("subscriptions", body).await;
}

#[actix_web::test]
async fn a_one_time_template_gives_one_message_for_each_accept() {
    let sim = Sim::start();
    let (openid, _, _) = sim.user_with_code().await;
    let send = async |data: Value| send(&sim, &openid, ONCE, data).await;
    assert_eq!(send(talk_day("接待日")).await.0, 43101);
    say(&sim, &openid, ONCE, "accept").await;
    say(&sim, &openid, ONCE, "reject").await;
    let (errcode, answer) = send(talk_day(&"村".repeat(21))).await;
    assert_eq!(errcode, 47003);
    let errmsg = answer["errmsg"].as_str().unwrap();
    assert!(errmsg.starts_with("argument invalid! data.thing1.value invalid rid: "), "{errmsg}");
    let (_, answer) = send(json!({})).await;
    assert!(answer["errmsg"].as_str().unwrap().contains("data.thing1.value is emtpy"));
    let (errcode, answer) = send(talk_day("接待日")).await;
    assert!(errcode == 0 && answer["msgid"].is_i64());
    assert_eq!(send(talk_day("接待日")).await.0, 43101);
    sim.control("pages", json!({ "pages": ["pages/home"] })).await;
    assert_eq!(send(talk_day("接待日")).await.0, 41030);

    let sent = sim.shown(&format!("sent?openid={openid}")).await["items"].clone();
    assert_eq!((sent.as_array().unwrap().len(), &sent[0]["template_id"]), (1, &json!(ONCE)));
    assert_eq!((&sent[0]["to"], &sent[0]["page"]), (&json!(openid), &json!("pages/day?id=1")));
    assert_eq!(sent[0]["data"], talk_day("接待日"));
    assert_eq!(sim.shown("sent?openid=o").await["items"], json!([]));
}

#[actix_web::test]
async fn a_long_term_template_gives_many_until_it_is_switched_off() {
    let sim = Sim::start();
    let (openid, _, _) = sim.user_with_code().await;
    let progress = json!({
        "character_string1": { "value": "DZ-2026-000123" },
        "phrase2": { "value": "已受理" },
        "thing3": { "value": "修路" },
        "time4": { "value": "2026-11-24 09:00" },
    });
    say(&sim, &openid, LONG, "accept").await;
    for _ in 0..3 {
        assert_eq!(send(&sim, &openid, LONG, progress.clone()).await.0, 0);
    }
    say(&sim, &openid, LONG, "off").await;
    assert_eq!(send(&sim, &openid, LONG, progress.clone()).await.0, 43101);
    assert_eq!(send(&sim, &openid, "x", progress.clone()).await.0, 40037);
    assert_eq!(send(&sim, "o", LONG, progress).await.0, 40003);
}

#[actix_web::test]
async fn texts_are_judged_as_ordered_for_users_who_were_here_lately() {
    let sim = Sim::start();
    let (openid, _, _) = sim.user_with_code().await;
    sim.control("verdicts", json!({ "text_contains": "广告", "suggest": "review", "label": 10001 })).await;
    let check = async |content: &str, changes: Value| {
        let mut body = json!({ "version": 2, "openid": openid, "scene": 3, "content": content });
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        ask(&sim, "/wxa/msg_sec_check", body).await
    };
    let (_, answer) = check("你好", json!({})).await;
    assert_eq!(answer["result"], json!({ "suggest": "pass", "label": 100 }));
    assert_eq!(answer["detail"][0], json!({ "strategy": "keyword", "errcode": 0 }));
    let (_, answer) = check("你好", json!({ "title": "广告" })).await;
    assert_eq!(answer["result"], json!({ "suggest": "review", "label": 10001 }));
    assert_eq!(answer["detail"][0]["keyword"], "广告");
    assert_eq!(check("", json!({})).await.0, 44002);
    assert_eq!(check(&"好".repeat(2501), json!({})).await.0, 47001);
    assert_eq!(check("你好", json!({ "scene": 5 })).await.0, 40129);
    assert_eq!(check("你好", json!({ "openid": "o" })).await.0, 40003);
    sim.control("clock", json!({ "advance_s": 7201 })).await;
    assert_eq!(check("你好", json!({})).await.0, 61010);
    let media = json!({ "media_url": "https://x", "media_type": 3, "version": 2, "scene": 1, "openid": openid });
    assert_eq!(ask(&sim, "/wxa/media_check_async", media).await.0, 40004);
}

#[actix_web::test]
async fn a_request_id_is_explained_unless_it_is_of_signing_in() {
    let sim = Sim::start();
    let explain = async |answer: &Value| {
        let rid = rid_of(answer["errmsg"].as_str().unwrap()).unwrap();
        ask(&sim, "/cgi-bin/openapi/rid/get", json!({ "rid": rid })).await
    };
    let (_, refused) = ask(&sim, "/wxa/business/getuserphonenumber", json!({ "code": "x" })).await;
    let (errcode, told) = explain(&refused).await;
    assert_eq!((errcode, &told["request"]["request_url"]), (0, &json!("/wxa/business/getuserphonenumber")));
    let sns = sim.get(&format!("{LOGIN}?appid={APP_ID}&secret={SECRET}&js_code=x&grant_type=authorization_code")).await;
    assert_eq!(explain(&sns).await.0, 76022);
    let nobody = json!({ "errmsg": "x rid: 00000000-00000000-00000000" });
    assert_eq!(explain(&nobody).await.0, 76001);
    sim.control("clock", json!({ "advance_s": 8 * 24 * 3600 })).await;
    assert_eq!(explain(&refused).await.0, 76001);
}

#[actix_web::test]
async fn operators_ask_for_addresses_and_clear_quotas() {
    let sim = Sim::start();
    let token = sim.token().await;
    let answer = sim.get(&format!("/cgi-bin/getcallbackip?access_token={token}")).await;
    assert_eq!(answer["ip_list"], json!(["127.0.0.1"]));
    let check = json!({ "action": "all", "check_operator": "DEFAULT" });
    assert!(sim.post(&format!("/cgi-bin/callback/check?access_token={token}"), check).await.1["ping"].is_array());
    for expected in [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 48006] {
        assert_eq!(ask(&sim, "/cgi-bin/clear_quota", json!({ "appid": APP_ID })).await.0, expected);
    }
    assert_eq!(ask(&sim, "/cgi-bin/clear_quota", json!({ "appid": "wx" })).await.0, 40013);
}

#[actix_web::test]
async fn arguments_of_codes_and_links_are_checked() {
    let sim = Sim::start();
    let code = "/wxa/getwxacodeunlimit";
    for (body, expected) in [
        (json!({}), 40169),
        (json!({ "scene": "x".repeat(33) }), 40169),
        (json!({ "scene": "a b" }), 40129),
        (json!({ "scene": "a", "page": "/pages" }), 41030),
        (json!({ "scene": "a", "width": 279 }), 40097),
        (json!({ "scene": "a", "env_version": "formal" }), 40097),
    ] {
        assert_eq!(ask(&sim, code, body.clone()).await.0, expected, "{body}");
    }
    let link = "/wxa/generate_urllink";
    for (body, expected) in [
        (json!({ "path": "a?b" }), 40165),
        (json!({ "path": "a", "query": "x".repeat(1025) }), 40212),
        (json!({ "path": "a", "env_version": "formal" }), 85402),
        (json!({ "path": "a", "expire_type": 1, "expire_interval": 31 }), 85401),
        (json!({ "path": "a", "expire_type": 0, "expire_time": 1 }), 85401),
        (json!({ "path": "a" }), 0),
    ] {
        assert_eq!(ask(&sim, link, body.clone()).await.0, expected, "{body}");
    }
    assert_eq!(ask(&sim, "/wxa/query_urllink", json!({ "url_link": "https://wxaurl.cn/x" })).await.0, 85403);
    assert_eq!(ask(&sim, "/wxa/getwxacode", json!({})).await.0, 40097);
}

#[actix_web::test]
async fn members_are_sent_what_reaches_them() {
    let sim = Sim::start();
    sim.control("members", json!({ "userid": "ZhangSan" })).await;
    let send = async |touser: &str, agent: &str, content: &str| {
        let body = json!({ "touser": touser, "agentid": agent, "msgtype": "text", "text": { "content": content } });
        ask_wecom(&sim, "/cgi-bin/message/send", body).await
    };
    assert_eq!(send("ZhangSan", "1", "x").await.0, 40056);
    let (errcode, answer) = send("nobody", "1000002", "x").await;
    assert!(errcode == 81013 && hint_of(answer["errmsg"].as_str().unwrap()).is_some());
    assert_eq!(send("ZhangSan", "1000002", "").await.0, 44004);
    let (errcode, answer) = send("zhangsan|LiSi", "1000002", &"村".repeat(1000)).await;
    assert_eq!((errcode, &answer["invaliduser"]), (0, &json!("lisi")));
    let sent = sim.shown("members/sent?userid=ZhangSan").await;
    assert_eq!(sent["items"][0]["content"]["content"].as_str().unwrap().len(), 2046);
    for _ in 0..40 {
        assert_eq!(send("@all", "1000002", "x").await.0, 0);
    }
    let sent = sim.shown("members/sent?userid=ZhangSan").await;
    assert_eq!(sent["items"].as_array().unwrap().len(), 30, "what is too much in a minute vanishes");
    let body = json!({ "touser": "ZhangSan", "agentid": 1_000_002, "msgtype": "dance" });
    assert_eq!(ask_wecom(&sim, "/cgi-bin/message/send", body).await.0, 40008);
    let (_, answer) = sim.post("/cgi-bin/message/send", json!({})).await;
    assert_eq!(answer["errcode"], 41001);
}

#[actix_web::test]
async fn a_robot_speaks_twenty_times_a_minute() {
    let sim = Sim::start();
    let key = sim.control("robots", json!({})).await["key"].as_str().unwrap().to_owned();
    let say = async |key: &str| {
        let body = json!({ "msgtype": "text", "text": { "content": "有人提前到了" } });
        sim.post(&format!("/cgi-bin/webhook/send?key={key}"), body).await.1["errcode"].as_i64().unwrap()
    };
    assert_eq!(say("00000000-0000-4000-8000-000000000000").await, 93000);
    for _ in 0..20 {
        assert_eq!(say(&key).await, 0);
    }
    assert_eq!(say(&key).await, 45009);
    sim.control("clock", json!({ "advance_s": 60 })).await;
    assert_eq!(say(&key).await, 0);
    assert_eq!(sim.shown(&format!("robots/sent?key={key}")).await["items"].as_array().unwrap().len(), 21);
}

#[actix_web::test]
async fn a_reset_session_key_replaces_the_old_one() {
    let sim = Sim::start();
    let (openid, _, code) = sim.user_with_code().await;
    let grant = "grant_type=authorization_code";
    let session = sim.get(&format!("{LOGIN}?appid={APP_ID}&secret={SECRET}&js_code={code}&{grant}")).await;
    let old = session["session_key"].as_str().unwrap().into();
    let signature = crate::wechat::open_data::session_signature(&old, "");
    let token = sim.token().await;
    let query = format!("access_token={token}&openid={openid}&signature={signature}&sig_method=hmac_sha256");
    let answer = sim.get(&format!("/wxa/resetusersessionkey?{query}")).await;
    assert_eq!((&answer["errcode"], &answer["openid"]), (&json!(0), &json!(openid)));
    assert_ne!(answer["session_key"], session["session_key"]);
    assert_eq!(sim.get(&format!("/wxa/checksession?{query}")).await["errcode"], 87009);
    let other = query.replace("hmac_sha256", "md5");
    assert_eq!(sim.get(&format!("/wxa/checksession?{other}")).await["errcode"], 87008);
    let users = sim.shown("users").await;
    assert_eq!(users["items"], json!([{ "openid": openid, "nickname": "甲" }]));
}

#[actix_web::test]
async fn refusals_keep_to_two_hundred_and_their_form_on_every_address() {
    let sim = Sim::start();
    for path in [
        "/wxa/business/getuserphonenumber",
        "/wxa/getwxacodeunlimit",
        "/wxa/getwxacode",
        "/wxa/generate_urllink",
        "/wxa/query_urllink",
        "/wxa/msg_sec_check",
        "/wxa/media_check_async",
        "/wxa/checksession",
        "/wxa/resetusersessionkey",
        "/cgi-bin/message/subscribe/send",
        "/cgi-bin/openapi/rid/get",
        "/cgi-bin/callback/check",
        "/cgi-bin/getcallbackip",
        "/cgi-bin/clear_quota",
        "/cgi-bin/message/send",
        "/cgi-bin/auth/getuserinfo",
        "/cgi-bin/miniprogram/jscode2session",
    ] {
        for (query, errcodes) in [("", [41001, 41001]), ("?access_token=x", [40001, 40014])] {
            let (status, answer) = sim.post(&format!("{path}{query}"), json!({})).await;
            let errmsg = answer["errmsg"].as_str().unwrap();
            assert!(status == 200 && errcodes.contains(&answer["errcode"].as_i64().unwrap()), "{path} {answer}");
            assert!(rid_of(errmsg).is_some() != hint_of(errmsg).is_some(), "{path} {errmsg}");
        }
    }
}
