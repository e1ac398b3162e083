//! Subscribe messages: what users agreed to, and `POST /cgi-bin/message/subscribe/send`.
//!
//! They follow 订阅消息, 发送订阅消息: a one-time template gives one message for each "accept", a long-term one gives many
//! for one. Next: [`super::templates`] for the rules of the values, [`super::push`] for the events.

use std::{
    collections::{HashMap, VecDeque},
    sync::MutexGuard,
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{self, Bytes, Data, Json, Query, ServiceConfig},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    World,
    answers::{Answer, Refusal},
    call::{Ask, Call},
    controls, identifiers, lock, push,
};
use crate::{clock::Instant, config::SimTemplate};

const SENT: usize = 10_000;
const GRANTS: usize = 100_000;

/// A message that was accepted.
#[derive(Clone, Serialize)]
struct Sent {
    to: String,
    template_id: String,
    data: Value,
    page: Option<String>,
    at: Instant,
}

/// What users agreed to and what they were sent.
#[derive(Default)]
pub(super) struct Subscriptions {
    templates: Vec<SimTemplate>,
    /// Messages left, by user and template.
    grants: HashMap<(String, String), u32>,
    sent: VecDeque<Sent>,
}

impl Subscriptions {
    pub(super) fn new(templates: Vec<SimTemplate>) -> Self {
        Self { templates, ..Self::default() }
    }

    fn template(&self, id: &str) -> Option<&SimTemplate> {
        self.templates.iter().find(|template| template.id == id)
    }

    /// What a user answers to a template; false when there is no such template or no room.
    fn answer(&mut self, openid: &str, template_id: &str, answer: Consent) -> bool {
        let Some(template) = self.template(template_id) else { return false };
        let most = if template.is_long_term() { 1 } else { u32::MAX };
        if self.grants.len() >= GRANTS {
            return false;
        }
        let left = self.grants.entry((openid.to_owned(), template_id.to_owned())).or_default();
        match answer {
            Consent::Accept => *left = left.saturating_add(1).min(most),
            Consent::Off => *left = 0,
            Consent::Reject | Consent::Ban | Consent::Filter => {}
        }
        true
    }

    /// Uses up one message of a one-time template; false when none is left.
    fn spend(&mut self, openid: &str, template_id: &str) -> bool {
        let long_term = self.template(template_id).is_some_and(SimTemplate::is_long_term);
        match self.grants.get_mut(&(openid.to_owned(), template_id.to_owned())) {
            Some(left) if *left > 0 => {
                *left -= u32::from(!long_term);
                true
            }
            _ => false,
        }
    }

    fn keep(&mut self, message: Sent) {
        if self.sent.len() >= SENT {
            self.sent.pop_front();
        }
        self.sent.push_back(message);
    }
}

pub(super) fn routes(config: &mut ServiceConfig) {
    config.route("/message/subscribe/send", web::to(send));
}

async fn send(request: HttpRequest, world: Data<World>, body: Bytes) -> Answer {
    let call = Call::of(&request, &world)?;
    let ask = call.posted(&body)?;
    let (openid, template_id) = (ask.text("touser"), ask.text("template_id"));
    if !lock(&world.people).knows(openid) {
        return Err(call.no(40003));
    }
    accept(&call, &ask, lock(&world.subscriptions))?;
    let msgid = identifiers::message_id();
    let list = json!({
        "TemplateId": template_id, "MsgID": msgid.to_string(), "ErrorCode": "0", "ErrorStatus": "success"
    });
    push::event(&world, openid, "subscribe_msg_sent_event", push::Extra::List(list));
    Ok(call.answer(&json!({ "errcode": 0, "errmsg": "ok", "msgid": msgid })))
}

/// Keeps a message whose template, page, values and user allow it.
fn accept(call: &Call, ask: &Ask, mut subscriptions: MutexGuard<Subscriptions>) -> Result<(), Refusal> {
    let (openid, template_id) = (ask.text("touser"), ask.text("template_id"));
    let page = Some(ask.text("page")).filter(|page| !page.is_empty());
    let template = subscriptions.template(template_id).ok_or_else(|| call.no(40037))?;
    if page.is_some_and(|page| !call.world.publishes(page.split('?').next().unwrap_or_default())) {
        return Err(call.no(41030));
    }
    let state_is_known = ["", "developer", "trial", "formal"].contains(&ask.text("miniprogram_state"));
    let language_is_known = ["", "zh_CN", "en_US", "zh_HK", "zh_TW"].contains(&ask.text("lang"));
    if !state_is_known || !language_is_known {
        return Err(call.no_because(47003, "argument invalid! miniprogram_state or lang invalid".to_owned()));
    }
    let data = ask.0.get("data").and_then(Value::as_object).cloned().unwrap_or_default();
    template.check(&data).map_err(|words| call.no_because(47003, words))?;
    if !subscriptions.spend(openid, template_id) {
        return Err(call.no(43101));
    }
    subscriptions.keep(Sent {
        to: openid.to_owned(),
        template_id: template_id.to_owned(),
        data: Value::Object(data),
        page: page.map(str::to_owned),
        at: call.at,
    });
    Ok(())
}

/// What a user says to a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Consent {
    Accept,
    Reject,
    Ban,
    Filter,
    /// Later, in WeChat's own list of notices: no more messages of this template.
    Off,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAnswer {
    openid: String,
    template_id: String,
    answer: Consent,
}

#[derive(Deserialize)]
struct SentTo {
    openid: Option<String>,
}

/// The controls `subscriptions`, `templates` and `sent`.
pub(super) fn controls(config: &mut ServiceConfig) {
    config
        .route("/subscriptions", web::post().to(answer_template))
        .route("/templates", web::get().to(list_templates))
        .route("/sent", web::get().to(list_sent));
}

async fn answer_template(world: Data<World>, Json(ask): Json<NewAnswer>) -> HttpResponse {
    if !lock(&world.people).knows(&ask.openid) {
        return controls::refuse(StatusCode::NOT_FOUND, "no user has this openid");
    }
    if !lock(&world.subscriptions).answer(&ask.openid, &ask.template_id, ask.answer) {
        return controls::refuse(
            StatusCode::NOT_FOUND,
            "the configuration has no such template (wechat_sim.templates)",
        );
    }
    let said = if ask.answer == Consent::Accept { "accept" } else { "reject" };
    let mut item = json!({ "TemplateId": ask.template_id, "SubscribeStatusString": said });
    if ask.answer == Consent::Off {
        push::event(&world, &ask.openid, "subscribe_msg_change_event", push::Extra::List(item));
    } else if let Some(item_parts) = item.as_object_mut() {
        item_parts.insert("PopupScene".to_owned(), "0".into());
        push::event(&world, &ask.openid, "subscribe_msg_popup_event", push::Extra::List(item));
    }
    HttpResponse::Ok().json(json!({ "template_id": ask.template_id, "answer": said }))
}

async fn list_templates(world: Data<World>) -> HttpResponse {
    let items = lock(&world.subscriptions).templates.clone();
    HttpResponse::Ok().json(json!({ "items": items }))
}

async fn list_sent(world: Data<World>, Query(who): Query<SentTo>) -> HttpResponse {
    let subscriptions = lock(&world.subscriptions);
    let wanted = |sent: &&Sent| who.openid.as_ref().is_none_or(|openid| *openid == sent.to);
    let items: Vec<&Sent> = subscriptions.sent.iter().filter(wanted).collect();
    HttpResponse::Ok().json(json!({ "items": items }))
}
