//! Pushes: messages and events to the configured address, plain or sealed, in JSON or XML, three times when need be.
//!
//! They follow 基础能力, 消息推送; the five seconds and three attempts are from the older page of official accounts and can
//! be configured. Next: [`crate::wechat::push`], which reads them and whose cipher is used here.

use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{self, Data, Json, ServiceConfig},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{World, controls, lock};
use crate::wechat::push::{Format, Inbox, write_xml};

/// Answers to pushes are shown up to this length.
const SHOWN: usize = 4096;

/// What the console of the mini program calls plain, compatible and safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Plain,
    Compatible,
    Safe,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPush {
    mode: Mode,
    format: Format,
    message: Map<String, Value>,
}

/// How a push went.
#[derive(Debug, Serialize)]
struct Outcome {
    /// Whether an attempt was answered as WeChat wants it.
    delivered: bool,
    attempts: u32,
    /// Of the last attempt; none when there was no answer.
    status: Option<u16>,
    answer: Option<String>,
}

/// What an event has besides the usual.
pub(super) enum Extra {
    /// An item of `List`.
    List(Value),
    /// Fields of its own.
    Parts(Value),
}

/// A request ready to be sent, and sent again the same.
struct Parcel {
    query: Vec<(&'static str, String)>,
    content_type: &'static str,
    body: String,
}

/// Sends an event in the background: sealed when there is a key, as JSON. Nothing happens without an address.
pub(super) fn event(world: &Data<World>, openid: &str, name: &str, extra: Extra) {
    if world.settings.push_url.is_empty() {
        return;
    }
    let mut message = head(world, openid);
    message.insert("MsgType".to_owned(), "event".into());
    message.insert("Event".to_owned(), name.into());
    match extra {
        Extra::List(item) => drop(message.insert("List".to_owned(), item)),
        Extra::Parts(Value::Object(parts)) => message.extend(parts),
        Extra::Parts(_) => {}
    }
    let mode = if world.inbox.is_sealed() { Mode::Safe } else { Mode::Plain };
    let world = world.clone();
    actix_web::rt::spawn(async move {
        if let Some(parcel) = parcel(&world, mode, Format::Json, message) {
            deliver(&world, &parcel).await;
        }
    });
}

/// In JSON, numbers of events come as texts (消息.md).
fn head(world: &World, openid: &str) -> Map<String, Value> {
    let mut message = Map::new();
    message.insert("ToUserName".to_owned(), world.settings.original_id().into());
    message.insert("FromUserName".to_owned(), openid.into());
    message.insert("CreateTime".to_owned(), world.clock.now().timestamp().to_string().into());
    message
}

fn written(format: Format, message: &Map<String, Value>) -> String {
    match format {
        Format::Json => json!(message).to_string(),
        Format::Xml => write_xml(message),
    }
}

/// Nothing when it is to be sealed and there is no key.
fn parcel(world: &World, mode: Mode, format: Format, mut message: Map<String, Value>) -> Option<Parcel> {
    let mut query = signed(&world.inbox, world.clock.now().timestamp());
    let openid = message.get("FromUserName").and_then(Value::as_str).unwrap_or_default().to_owned();
    let text = written(format, &message);
    let mut body = text.clone();
    query.push(("openid", openid));
    if mode != Mode::Plain {
        let sealed = world.inbox.seal(&text).ok()?;
        let parts: Vec<&str> = query.iter().skip(1).take(2).map(|(_, value)| value.as_str()).collect();
        let signature = world.inbox.signature(&[parts.as_slice(), &[sealed.as_str()]].concat());
        query.push(("encrypt_type", "aes".to_owned()));
        query.push(("msg_signature", signature));
        if mode == Mode::Safe {
            message.retain(|name, _| name == "ToUserName");
            message.entry("ToUserName").or_insert_with(|| world.settings.original_id().into());
        }
        message.insert("Encrypt".to_owned(), sealed.into());
        body = written(format, &message);
    }
    let content_type = if format == Format::Json { "application/json" } else { "text/xml" };
    Some(Parcel { query, content_type, body })
}

/// Signature, time and nonce, in this order.
fn signed(inbox: &Inbox, timestamp: i64) -> Vec<(&'static str, String)> {
    let (timestamp, nonce) = (timestamp.to_string(), rand::random_range(100_000_000..2_000_000_000_u32).to_string());
    vec![("signature", inbox.signature(&[&timestamp, &nonce])), ("timestamp", timestamp), ("nonce", nonce)]
}

/// Up to so many attempts; an empty answer, `success` or a reply ends them.
async fn deliver(world: &World, parcel: &Parcel) -> Outcome {
    let mut outcome = Outcome { delivered: false, attempts: 0, status: None, answer: None };
    while !outcome.delivered && outcome.attempts < world.settings.push_attempts {
        outcome.attempts += 1;
        let request = world
            .http
            .post(&world.settings.push_url)
            .query(&parcel.query)
            .header("Content-Type", parcel.content_type)
            .body(parcel.body.clone());
        (outcome.status, outcome.answer) = answered(request).await;
        let well = |answer: &String| ["", "success"].contains(&answer.trim()) || answer.starts_with(['{', '<']);
        outcome.delivered = outcome.status == Some(200) && outcome.answer.as_ref().is_some_and(well);
    }
    outcome
}

async fn answered(request: reqwest::RequestBuilder) -> (Option<u16>, Option<String>) {
    let Ok(mut response) = request.send().await else { return (None, None) };
    let status = Some(response.status().as_u16());
    let mut body = Vec::new();
    while body.len() < SHOWN {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend(chunk),
            Ok(None) => break,
            Err(_) => return (status, None),
        }
    }
    body.truncate(SHOWN);
    (status, Some(String::from_utf8_lossy(&body).into_owned()))
}

/// The controls `push` and `push/verify`.
pub(super) fn controls(config: &mut ServiceConfig) {
    config.route("/push", web::post().to(push)).route("/push/verify", web::post().to(verify));
}

fn nowhere() -> HttpResponse {
    controls::refuse(StatusCode::CONFLICT, "there is no address to push to (wechat_sim.push_url)")
}

async fn push(world: Data<World>, Json(ask): Json<NewPush>) -> HttpResponse {
    if world.settings.push_url.is_empty() {
        return nowhere();
    }
    let mut message = head(&world, "");
    message.extend(ask.message);
    if message.get("FromUserName") == Some(&"".into()) {
        let anybody = lock(&world.people).list().into_iter().next().map_or_else(String::new, |(openid, _)| openid);
        message.insert("FromUserName".to_owned(), anybody.into());
    }
    match parcel(&world, ask.mode, ask.format, message) {
        Some(parcel) => HttpResponse::Ok().json(deliver(&world, &parcel).await),
        None => controls::invalid("mode: sealed pushes need a key (wechat.push_aes_key)"),
    }
}

/// Does what saving the address in the console does: a GET whose `echostr` must come back.
async fn verify(world: Data<World>) -> HttpResponse {
    if world.settings.push_url.is_empty() {
        return nowhere();
    }
    let echo = rand::random::<u64>().to_string();
    let mut query = signed(&world.inbox, world.clock.now().timestamp());
    query.push(("echostr", echo.clone()));
    let (status, answer) = answered(world.http.get(&world.settings.push_url).query(&query)).await;
    let verified = status == Some(200) && answer.as_ref() == Some(&echo);
    HttpResponse::Ok().json(json!({ "verified": verified, "status": status, "answer": answer }))
}
