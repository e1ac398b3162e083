//! The vectors of `vectors.json`: published examples and those of other libraries' tests, each reckoned anew by an
//! independent program on 2026-11-23; every entry names its own source.
//!
//! `fixtures` are answers and events as the official pages print them or the real servers sent them. Next:
//! [`super::push`] and [`super::open_data`], which are held to them.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::Value;

use super::{
    Session, WechatError,
    exchange::{Service, read},
    open_data::{self, OpenDataError},
    phone::Told,
    push::{Format, Inbox, PushQuery},
    token::Issued,
};
use crate::clock::Instant;

fn file() -> Value {
    serde_json::from_str(include_str!("vectors.json")).unwrap()
}

/// The vectors of `kind`: id, inputs and what is expected.
fn vectors(kind: &str) -> Vec<(String, Value, Value)> {
    let found: Vec<_> = file()["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|vector| vector["kind"] == kind)
        .map(|vector| (text(vector, "id"), vector["inputs"].clone(), vector["expected"].clone()))
        .collect();
    assert!(!found.is_empty(), "{kind}");
    found
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn inbox(inputs: &Value) -> Inbox {
    let receiver = if inputs["appid"].is_string() { "appid" } else { "receiveid" };
    let secret = |name: &str| text(inputs, name).into();
    Inbox::new(&secret("token"), &secret("encoding_aes_key"), &text(inputs, receiver)).unwrap()
}

fn query(inputs: &Value, expected: &Value) -> PushQuery {
    let signed = if inputs["msg_signature"].is_string() { inputs } else { expected };
    PushQuery {
        signature: text(expected, "signature"),
        timestamp: text(inputs, "timestamp"),
        nonce: text(inputs, "nonce"),
        echostr: text(inputs, "echostr"),
        msg_signature: text(signed, "msg_signature"),
    }
}

#[test]
fn every_kind_of_vector_is_looked_at() {
    let file = file();
    let kinds: BTreeSet<_> = file["vectors"].as_array().unwrap().iter().map(|vector| text(vector, "kind")).collect();
    let known = [
        "aes128cbc_pkcs7",
        "aes128cbc_pkcs7_must_fail",
        "hmac_sha256",
        "sha1_concat",
        "sha1_sorted",
        "wxbizmsgcrypt_decrypt",
        "wxbizmsgcrypt_encrypt",
        "wxbizmsgcrypt_verify_url",
    ];
    assert_eq!(kinds, known.map(str::to_owned).into());
    assert!(file["vectors"].as_array().unwrap().iter().all(|vector| vector["verified_by_computation"] == true));
}

#[test]
fn signatures_of_pushes_and_of_addresses_fit() {
    for (id, inputs, expected) in vectors("sha1_sorted") {
        let (inbox, query) = (inbox(&inputs), query(&inputs, &expected));
        let signed = [query.timestamp.as_str(), &query.nonce, &text(&inputs, "encrypt")];
        if let Some(signature) = expected["msg_signature"].as_str() {
            assert_eq!(inbox.signature(&signed), signature, "{id}");
        } else if let Some(body) = inputs["body"].as_str() {
            assert_eq!(inbox.receive(&query, body.as_bytes()).unwrap().text, body, "{id}");
        } else {
            assert_eq!(inbox.verify_url(&query).unwrap(), expected["response_body"], "{id}");
        }
    }
    for (id, inputs, expected) in vectors("wxbizmsgcrypt_verify_url") {
        let (inbox, query) = (inbox(&inputs), query(&inputs, &expected));
        assert_eq!(inbox.verify_wecom_url(&query).unwrap(), expected["response_body"], "{id}");
        let other = PushQuery { nonce: "437374424".to_owned(), ..query };
        assert!(inbox.verify_wecom_url(&other).is_err(), "{id}");
    }
}

#[test]
fn sealed_pushes_open() {
    for (id, inputs, expected) in vectors("wxbizmsgcrypt_decrypt") {
        let (inbox, query) = (inbox(&inputs), query(&inputs, &expected));
        let body = match inputs["post_body"].as_str() {
            Some(body) => body.to_owned(),
            None => inputs["body"].to_string(),
        };
        let pushed = inbox.receive(&query, body.as_bytes()).unwrap();
        assert_eq!(pushed.text, expected["msg"].as_str().unwrap(), "{id}");
        let format = if pushed.text.starts_with('{') { Format::Json } else { Format::Xml };
        assert_eq!(pushed.format, format);
        assert!(pushed.message["MsgType"].is_string());
    }
}

#[test]
fn texts_are_sealed_as_others_seal_them() {
    for (id, inputs, expected) in vectors("wxbizmsgcrypt_encrypt") {
        let inbox = inbox(&inputs);
        let random = text(&inputs, "random").into_bytes().try_into().unwrap();
        let timestamp = text(&inputs, "timestamp").parse().unwrap_or_default();
        let nonce = text(&inputs, "nonce");
        let reply = |format| inbox.reply_with(random, format, &text(&inputs, "msg"), timestamp, &nonce).unwrap();
        let json: Value = serde_json::from_str(&reply(Format::Json)).unwrap();
        assert_eq!(json["Encrypt"], expected["Encrypt"], "{id}");
        if expected["MsgSignature"].is_string() {
            assert_eq!(json["MsgSignature"], expected["MsgSignature"], "{id}");
        }
        if expected["reply"].is_object() {
            assert_eq!(json, expected["reply"], "{id}");
        }
        if let Some(xml) = expected["reply_xml"].as_str() {
            assert_eq!(reply(Format::Xml), xml, "{id}");
        }
    }
}

/// Opens the sealed data of a vector `age` seconds after its watermark.
fn open(inputs: &Value, app_id: &str, sealed_at: i64, age: i64) -> Result<Value, OpenDataError> {
    let now = Instant::from_timestamp(sealed_at + age, 0).unwrap();
    let session_key = text(inputs, "session_key").into();
    let limits = (now, TimeDelta::minutes(5));
    open_data::open(&text(inputs, "encrypted_data"), &text(inputs, "iv"), &session_key, app_id, limits)
}

#[test]
fn open_data_open_for_us_while_they_are_fresh() {
    for (id, inputs, expected) in vectors("aes128cbc_pkcs7") {
        let app_id = text(&inputs, "appid");
        let at = expected["watermark"]["timestamp"].as_i64().unwrap();
        let plain: Value = serde_json::from_str(expected["plaintext"].as_str().unwrap()).unwrap();
        assert_eq!(open(&inputs, &app_id, at, 300), Ok(plain), "{id}");
        assert_eq!(open(&inputs, &app_id, at, 301), Err(OpenDataError::Stale));
        assert_eq!(open(&inputs, &app_id, at, -61), Err(OpenDataError::Stale));
        assert_eq!(open(&inputs, "wx0", at, 0), Err(OpenDataError::OtherApp));
        let mut other = inputs.clone();
        other["session_key"] = "D1ZWEygStjuLCnZ9IN2l4Q==".into();
        assert_eq!(open(&other, &app_id, at, 0), Err(OpenDataError::SessionOver));
        for (name, value) in [("iv", "AAAA"), ("session_key", "AAAA"), ("encrypted_data", "!")] {
            let mut broken = inputs.clone();
            broken[name] = value.into();
            assert_eq!(open(&broken, &app_id, at, 0), Err(OpenDataError::Malformed), "{name}");
        }
    }
}

#[test]
fn data_of_an_old_session_never_open_to_garbage() {
    for (id, inputs, _) in vectors("aes128cbc_pkcs7_must_fail") {
        assert_eq!(open(&inputs, "", 0, 0), Err(OpenDataError::SessionOver), "{id}");
    }
}

#[test]
fn signatures_with_the_session_key_fit() {
    for (id, inputs, expected) in vectors("sha1_concat") {
        let (data, key) = (text(&inputs, "raw_data"), text(&inputs, "session_key").into());
        let signature = text(&expected, "signature");
        assert!(open_data::raw_data_is_genuine(&data, &key, &signature), "{id}");
        assert!(!open_data::raw_data_is_genuine(&data.replace("Band", "Bond"), &key, &signature));
        assert!(!open_data::raw_data_is_genuine(&data, &key, ""));
    }
    for (id, inputs, expected) in vectors("hmac_sha256") {
        let signature = open_data::session_signature(&text(&inputs, "session_key").into(), &text(&inputs, "post_data"));
        assert_eq!(signature, expected["signature"], "{id}");
    }
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(open_data::hash(""), empty);
}

#[test]
fn every_published_answer_and_event_is_read() {
    let file = file();
    let fixtures = file["fixtures"].as_object().unwrap();
    assert_eq!(fixtures.len(), 39);
    for (name, fixture) in fixtures {
        let service = if name.starts_with("wecom_") { Service::WeCom } else { Service::WeChat };
        let Some(body) = fixture.get("body") else {
            let inbox = Inbox::new(&"AAAAA".into(), &"".into(), "").unwrap();
            let query = PushQuery { signature: inbox.signature(&["", ""]), ..PushQuery::default() };
            let pushed = inbox.receive(&query, text(fixture, "body_xml").as_bytes()).unwrap();
            let lists = &pushed.message["SubscribeMsgPopupEvent"]["List"];
            assert_eq!(lists[1]["SubscribeStatusString"], "reject", "{name}");
            continue;
        };
        let errcode = body["errcode"].as_i64().unwrap_or_default();
        match read::<Value>(service, body.to_string().as_bytes()) {
            Ok(value) => assert!(errcode == 0 && value == *body, "{name}"),
            Err(error) => {
                let refusal = error.refusal().unwrap_or_else(|| panic!("{name}: {error:?}"));
                assert_eq!(refusal.errcode, errcode, "{name}");
                assert_eq!(
                    refusal.rid.is_some(),
                    ["rid: ", "hint: [1"].iter().any(|sign| { body["errmsg"].as_str().unwrap().contains(sign) }),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn answers_with_a_type_of_their_own_are_read_by_it() {
    let file = file();
    let body = |name: &str| file["fixtures"][name]["body"].to_string().into_bytes();
    let session: Session = read(Service::WeChat, &body("code2session_ok")).unwrap();
    assert_eq!(session.openid, "o16wA0b4AZKzgVJR3MBwoUdTfU_E");
    assert!(session.unionid.is_some());
    read::<Issued>(Service::WeChat, &body("token_ok")).map(drop).unwrap();
    let phone = read::<Told>(Service::WeChat, &body("phone_ok")).map_err(drop).unwrap().phone_info;
    assert_eq!((phone.phone_number.as_str(), phone.country_code.as_str()), ("xxxxxx", "86"));
    let number = String::from_utf8(body("phone_ok")).unwrap().replace("\"86\"", "86");
    let phone = read::<Told>(Service::WeChat, number.as_bytes()).map_err(drop).unwrap().phone_info;
    assert_eq!(phone.country_code, "86");
    assert_eq!(format!("{phone:?}"), "PhoneNumber { .. }");
    for name in ["code2session_used_code", "code2session_bad_code"] {
        let error = read::<Session>(Service::WeChat, &body(name)).map(drop).unwrap_err();
        assert!(matches!(error, WechatError::BadCode(_)), "{name}");
    }
}
