//! A simulator to test with, and what it answers to those who are not our client.

mod interfaces;
mod pushes;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use actix_web::{dev::ServerHandle, web};
use serde_json::{Value, json};

use super::{Settings, bind};
use crate::{
    clock::Clock,
    config::{Config, Environment},
    wechat::rid_of,
};

pub(crate) const APP_ID: &str = "wx0123456789abcdef";
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const CORP_ID: &str = "ww0123456789abcdef";
pub(crate) const CORP_SECRET: &str = "0123456789abcdef0123456789abcdef0123456789A";
pub(crate) const LOGIN: &str = "/sns/jscode2session";
pub(crate) const STABLE_TOKEN: &str = "/cgi-bin/stable_token";

/// A running simulator, its hands on the table.
pub(crate) struct Sim {
    pub(crate) at: SocketAddr,
    pub(crate) clock: Clock,
    handle: ServerHandle,
    http: reqwest::Client,
}

impl Drop for Sim {
    fn drop(&mut self) {
        // The signal is sent by the call; nobody has to wait for the end.
        drop(self.handle.stop(false));
    }
}

impl Sim {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| ())
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::of(&Config::of_files(Environment::Test).unwrap());
        settings.app_id = APP_ID.to_owned();
        settings.secret = SECRET.into();
        settings.corp_id = CORP_ID.to_owned();
        settings.corp_secret = CORP_SECRET.into();
        change(&mut settings);
        let clock = Clock::standing_at("2026-11-23T01:00:00Z".parse().unwrap());
        let (at, server) = bind("127.0.0.1:0", settings, clock.clone()).unwrap();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Self { at, clock, handle, http }
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.post(format!("http://{}{path}", self.at)).json(&body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub(crate) async fn control(&self, name: &str, body: Value) -> Value {
        let (status, answer) = self.post(&format!("/_sim/{name}"), body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// What a control shows.
    pub(crate) async fn shown(&self, name: &str) -> Value {
        self.get(&format!("/_sim/{name}")).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.http.get(format!("http://{}{path}", self.at)).send().await.unwrap().json().await.unwrap()
    }

    /// An access token of the mini program.
    pub(crate) async fn token(&self) -> String {
        let ask = json!({ "grant_type": "client_credential", "appid": APP_ID, "secret": SECRET });
        let (_, answer) = self.post(STABLE_TOKEN, ask).await;
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// A new user's openid and unionid, and a code of their phone.
    pub(crate) async fn user_with_code(&self) -> (String, String, String) {
        let user = self.control("users", json!({ "nickname": "甲", "phone": "13800000000" })).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let code = self.control("codes", json!({ "openid": user["openid"] })).await;
        (text(&user["openid"]), text(&user["unionid"]), text(&code["code"]))
    }

    pub(crate) async fn fault(&self, path: &str, what: (&str, i64), times: u32) {
        self.control("faults", json!({ "path": path, what.0: what.1, "times": times })).await;
    }

    /// How often WeChat was asked for `path`.
    pub(crate) async fn asked(&self, path: &str) -> usize {
        let url = format!("http://{}/_sim/requests", self.at);
        let text = self.http.get(url).send().await.unwrap().text().await.unwrap();
        assert!(!text.contains(SECRET));
        let journal: Value = serde_json::from_str(&text).unwrap();
        journal["items"].as_array().unwrap().iter().filter(|entry| entry["path"] == path).count()
    }
}

#[actix_web::test]
async fn refusals_are_those_of_the_real_server() {
    let sim = Sim::start();
    let ask = async |request: reqwest::RequestBuilder| {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        let answer: Value = response.json().await.unwrap();
        let errmsg = answer["errmsg"].as_str().unwrap();
        assert!(rid_of(errmsg).is_some(), "{errmsg}");
        answer["errcode"].as_i64().unwrap()
    };
    let url = |path: &str| format!("http://{}{path}", sim.at);
    assert_eq!(ask(sim.http.get(url(STABLE_TOKEN))).await, 43002);
    assert_eq!(ask(sim.http.post(url(STABLE_TOKEN)).body("")).await, 44002);
    assert_eq!(ask(sim.http.post(url(STABLE_TOKEN)).body("appid=x")).await, 47001);
    assert_eq!(ask(sim.http.post(url(STABLE_TOKEN)).json(&json!({ "appid": "wx" }))).await, 40013);
    assert_eq!(ask(sim.http.post(url(LOGIN)).body("")).await, 43001);
    assert_eq!(ask(sim.http.get(url(&format!("{LOGIN}?appid={APP_ID}&secret={SECRET}")))).await, 41008);
    assert_eq!(ask(sim.http.get(url("/wxa/checksession"))).await, 41001);
    assert_eq!(ask(sim.http.get(url("/wxa/checksession?access_token=x"))).await, 40001);
    assert_eq!(ask(sim.http.get(url("/cgi-bin/no/such"))).await, 40066);
}

#[actix_web::test]
async fn controls_refuse_what_they_do_not_know() {
    let sim = Sim::start();
    for (path, body, expected) in [
        ("/_sim/codes", json!({ "openid": "o" }), 404),
        ("/_sim/nothing", json!({}), 404),
        ("/_sim/users", json!({ "name": "甲" }), 400),
        ("/_sim/users", json!({ "nickname": "甲".repeat(65) }), 422),
        ("/_sim/users", json!({ "nickname": "甲".repeat(65536) }), 413),
        ("/_sim/clock", json!({ "advance_s": -1 }), 400),
        ("/_sim/clock", json!({ "advance_s": u32::MAX }), 422),
        ("/_sim/faults", json!({ "path": "/_sim/users", "errcode": -1, "times": 1 }), 422),
        ("/_sim/faults", json!({ "path": LOGIN, "times": 1 }), 422),
        ("/_sim/faults", json!({ "path": LOGIN, "errcode": -1, "http": 500, "times": 1 }), 422),
        ("/_sim/faults", json!({ "path": LOGIN, "errcode": -1, "times": 0 }), 422),
    ] {
        let (status, answer) = sim.post(path, body).await;
        assert_eq!(status, expected, "{path} {answer}");
        assert!(answer["error"].is_string());
    }
}

#[actix_web::test]
async fn chunked_bodies_are_not_taken() {
    let sim = Sim::start();
    let at = sim.at;
    // On a thread of its own, since the simulator starts on this one.
    let status = web::block(move || {
        let mut stream = TcpStream::connect(at).unwrap();
        let head = "POST /cgi-bin/stable_token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        start
    });
    assert_eq!(&status.await.unwrap(), b"HTTP/1.1 412");
}
