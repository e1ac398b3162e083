//! WeCom's `message/send` to members and `webhook/send` of group robots.
//!
//! They follow 发送应用消息 and 群机器人: who cannot be reached is named and the rest is sent; what is too much for a member
//! vanishes without a word, and so does what they were sent a moment ago where the sender asks for that check. Next:
//! [`super::organisation`], whose members they are.

use std::collections::{HashMap, VecDeque};

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Bytes, Data, Json, Query, ServiceConfig},
};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    World,
    answers::{Answer, Family, Refusal},
    call::{Ask, Call},
    controls, identifiers, lock,
    login::{query_of, value},
    quota::Window,
};
use crate::clock::Instant;

const SENT: usize = 10_000;
const ROBOTS: usize = 1000;
/// Bytes of a text; more is cut off.
const TEXT_BYTES: usize = 2048;
/// A robot's markdown may be longer.
const MARKDOWN_BYTES: usize = 4096;
const RECIPIENTS: usize = 1000;
/// For how long repetitions are dropped where the sender does not say, and at most, in seconds
/// (`duplicate_check_interval`).
const REPEATS_DROPPED_S: i64 = 1800;
const REPEATS_DROPPED_AT_MOST_S: i64 = 4 * 3600;
const KINDS: [&str; 7] = ["text", "textcard", "markdown", "news", "miniprogram_notice", "template_card", "image"];

/// A message that was accepted.
#[derive(Clone, Serialize)]
struct Sent {
    /// Members, or the key of a robot.
    to: Vec<String>,
    msgtype: String,
    content: Value,
    at: Instant,
}

/// What members and groups were sent.
#[derive(Default)]
pub(super) struct Messages {
    sent: VecDeque<Sent>,
    /// Key of a robot -> what it said.
    robots: HashMap<String, VecDeque<Sent>>,
}

impl Messages {
    /// Whether a member was sent the same since then.
    fn has_sent(&self, userid: &str, message: &Sent, since: Instant) -> bool {
        let mut lately = self.sent.iter().rev().take_while(|sent| sent.at > since);
        lately.any(|sent| {
            let same = (&sent.msgtype, &sent.content) == (&message.msgtype, &message.content);
            same && sent.to.iter().any(|to| to == userid)
        })
    }
}

/// How far back a message is compared with what went before; none where the sender wants no such check.
fn compared_within(ask: &Ask) -> Option<TimeDelta> {
    let asked = ask.number("enable_duplicate_check") == Some(1);
    let seconds = ask.number("duplicate_check_interval").unwrap_or(REPEATS_DROPPED_S);
    asked.then(|| TimeDelta::seconds(seconds.clamp(0, REPEATS_DROPPED_AT_MOST_S)))
}

fn keep(sent: &mut VecDeque<Sent>, message: Sent) {
    if sent.len() >= SENT {
        sent.pop_front();
    }
    sent.push_back(message);
}

pub(super) fn routes(config: &mut ServiceConfig) {
    config.route("/message/send", web::to(send)).route("/webhook/send", web::to(say));
}

async fn send(request: HttpRequest, world: Data<World>, body: Bytes) -> Answer {
    let call = Call::of(&request, &world)?;
    let ask = call.posted(&body)?;
    let agent = ask.0.get("agentid").map(|agent| agent.as_str().map_or_else(|| agent.to_string(), str::to_owned));
    if agent.as_deref() != Some(&world.settings.agent_id) {
        return Err(call.no(40056));
    }
    let content = content_of(&ask, TEXT_BYTES, |errcode| call.no(errcode))?;
    let (known, unknown) = recipients(&world, ask.text("touser"));
    if known.is_empty() || known.len() > RECIPIENTS {
        return Err(call.no(81013));
    }
    let mut message = Sent { to: Vec::new(), msgtype: ask.text("msgtype").to_owned(), content, at: call.at };
    message.to = reached(&world, known, &message, compared_within(&ask));
    if !message.to.is_empty() {
        keep(&mut lock(&world.messages).sent, message);
    }
    let mut answer = json!({ "errcode": 0, "errmsg": "ok", "msgid": identifiers::template_id() });
    if let (false, Some(parts)) = (unknown.is_empty(), answer.as_object_mut()) {
        parts.insert("invaliduser".to_owned(), unknown.join("|").into());
    }
    Ok(call.answer(&answer))
}

/// Those of these members who get a message: not what they were sent a moment ago, nor what is too much for a minute.
fn reached(world: &World, members: Vec<String>, message: &Sent, within: Option<TimeDelta>) -> Vec<String> {
    let (messages, mut quotas) = (lock(&world.messages), lock(&world.quotas));
    let repeated = |userid: &str| within.is_some_and(|span| messages.has_sent(userid, message, message.at - span));
    let mut patient = |userid: &str| quotas.count(&format!("member:{userid}"), Window::Minute, 30, message.at);
    members.into_iter().filter(|userid| !repeated(userid) && patient(userid)).collect()
}

/// Members as written, and in lower case those who are none.
fn recipients(world: &World, touser: &str) -> (Vec<String>, Vec<String>) {
    let organisation = lock(&world.organisation);
    if touser == "@all" {
        return (organisation.members().map(str::to_owned).collect(), Vec::new());
    }
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for userid in touser.split('|').filter(|userid| !userid.is_empty()) {
        match organisation.member(userid) {
            Some(member) => known.push(member.to_owned()),
            None => unknown.push(userid.to_lowercase()),
        }
    }
    (known, unknown)
}

/// What is under the name of the message's own type; a text is cut where it is too long.
fn content_of(ask: &Ask, most: usize, no: impl Fn(i64) -> Refusal) -> Result<Value, Refusal> {
    let kind = ask.text("msgtype");
    if !KINDS.contains(&kind) {
        return Err(no(40008));
    }
    let mut content = ask.0.get(kind).cloned().filter(Value::is_object).ok_or_else(|| no(44004))?;
    if ["text", "markdown"].contains(&kind) {
        let text = content.get("content").and_then(Value::as_str).unwrap_or_default();
        if text.is_empty() {
            return Err(no(44004));
        }
        let cut = text.floor_char_boundary(most.min(text.len()));
        let text = text.get(..cut).unwrap_or_default().to_owned();
        if let Some(parts) = content.as_object_mut() {
            parts.insert("content".to_owned(), text.into());
        }
    }
    Ok(content)
}

async fn say(request: HttpRequest, world: Data<World>, body: Bytes) -> Answer {
    let at = world.clock.now();
    let no = |errcode| Family::Work.no(errcode, at);
    let query = query_of(&request);
    let key = value(&query, "key");
    if !lock(&world.messages).robots.contains_key(key) {
        return Err(no(93000));
    }
    if !lock(&world.quotas).count(&format!("robot:{key}"), Window::Minute, 20, at) {
        return Err(no(45009));
    }
    let ask = serde_json::from_slice(&body).map(Ask).map_err(|_| no(47001))?;
    let most = if ask.text("msgtype") == "markdown" { MARKDOWN_BYTES } else { TEXT_BYTES };
    let content = content_of(&ask, most, no)?;
    let message = Sent { to: vec![key.to_owned()], msgtype: ask.text("msgtype").to_owned(), content, at };
    if let Some(said) = lock(&world.messages).robots.get_mut(key) {
        keep(said, message);
    }
    Ok(Family::Work.answer(&json!({ "errcode": 0, "errmsg": "ok" })))
}

#[derive(Deserialize)]
struct SentTo {
    userid: Option<String>,
}

#[derive(Deserialize)]
struct SaidBy {
    key: String,
}

/// The controls `members/sent`, `robots` and `robots/sent`.
pub(super) fn controls(config: &mut ServiceConfig) {
    config
        .route("/members/sent", web::get().to(list_sent))
        .route("/robots", web::post().to(add_robot))
        .route("/robots/sent", web::get().to(list_said));
}

async fn list_sent(world: Data<World>, Query(who): Query<SentTo>) -> HttpResponse {
    let messages = lock(&world.messages);
    let wanted = |sent: &&Sent| who.userid.as_ref().is_none_or(|userid| sent.to.contains(userid));
    let items: Vec<&Sent> = messages.sent.iter().filter(wanted).collect();
    HttpResponse::Ok().json(json!({ "items": items }))
}

async fn add_robot(world: Data<World>, Json(_): Json<serde_json::Map<String, Value>>) -> HttpResponse {
    let mut messages = lock(&world.messages);
    if messages.robots.len() >= ROBOTS {
        return controls::denied(&super::people::Denied::Full);
    }
    let key = identifiers::robot_key();
    messages.robots.insert(key.clone(), VecDeque::new());
    HttpResponse::Ok().json(json!({ "key": key }))
}

async fn list_said(world: Data<World>, Query(by): Query<SaidBy>) -> HttpResponse {
    let messages = lock(&world.messages);
    let items: Vec<&Sent> = messages.robots.get(&by.key).into_iter().flatten().collect();
    HttpResponse::Ok().json(json!({ "items": items }))
}
