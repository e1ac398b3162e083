//! A server of others: it hears, and answers as it is told to.

use std::{
    collections::{BTreeMap, VecDeque},
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::StatusCode,
    web::{self, Data},
};
use serde_json::Value;

/// A message as it came.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) path: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) text: String,
    pub(super) body: Value,
}

/// How a message is answered.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) header: Option<(&'static str, String)>,
    pub(super) body: String,
    pub(super) after: Duration,
}

impl Reply {
    pub(super) fn of(status: u16) -> Self {
        Self { status, header: None, body: String::new(), after: Duration::ZERO }
    }
}

#[derive(Default)]
struct Ear {
    heard: Mutex<Vec<Heard>>,
    replies: Mutex<VecDeque<Reply>>,
    always: Mutex<Option<Reply>>,
}

/// The server; it ends with the test.
pub(super) struct Receiver {
    /// Where it is told.
    pub(super) url: String,
    pub(super) port: u16,
    ear: Data<Ear>,
    server: ServerHandle,
}

impl Receiver {
    /// One that takes everything.
    pub(super) fn start() -> Self {
        let ear = Data::from(Arc::new(Ear::default()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = ear.clone();
        let server = HttpServer::new(move || App::new().app_data(shared.clone()).default_service(web::to(hear)))
            .workers(1)
            .disable_signals()
            .listen(listener)
            .unwrap()
            .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { url: format!("http://127.0.0.1:{port}/hook"), port, ear, server: handle }
    }

    /// Answers the next messages so, one each.
    pub(super) fn replies(&self, replies: impl IntoIterator<Item = Reply>) {
        self.ear.replies.lock().unwrap().extend(replies);
    }

    /// Answers every message so from now on.
    pub(super) fn always(&self, reply: Reply) {
        *self.ear.always.lock().unwrap() = Some(reply);
    }

    /// What it heard, the first first.
    pub(super) fn heard(&self) -> Vec<Heard> {
        self.ear.heard.lock().unwrap().clone()
    }

    /// The types of what it heard, without what they have in common.
    pub(super) fn words(&self) -> Vec<String> {
        let word =
            |heard: &Heard| heard.body["type"].as_str().unwrap().trim_start_matches("cn.shuoshi.case.").to_owned();
        self.heard().iter().map(word).collect()
    }

    pub(super) async fn stop(&self) {
        self.server.stop(false).await;
    }
}

async fn hear(ear: Data<Ear>, req: HttpRequest, bytes: web::Bytes) -> HttpResponse {
    let headers = req.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let body = serde_json::from_str(&text).unwrap_or_default();
    ear.heard.lock().unwrap().push(Heard { path: req.path().to_owned(), headers, text, body });
    let next = ear.replies.lock().unwrap().pop_front();
    let reply = next.or_else(|| ear.always.lock().unwrap().clone()).unwrap_or_else(|| Reply::of(204));
    actix_web::rt::time::sleep(reply.after).await;
    let mut answer = HttpResponse::build(StatusCode::from_u16(reply.status).unwrap());
    if let Some(header) = reply.header {
        answer.insert_header(header);
    }
    answer.body(reply.body)
}
