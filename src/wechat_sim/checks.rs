//! Content security: `POST /wxa/msg_sec_check` and `/wxa/media_check_async`, with verdicts on order.
//!
//! They follow 小程序安全, 内容安全 (version 2): texts are answered at once, pictures and sounds by an event later. Next:
//! [`super::push`], which sends that event.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{self, Bytes, Data, Json, ServiceConfig},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    World,
    answers::{Answer, Refusal, accepted, rid},
    call::{Ask, Call},
    controls, lock, push,
};

const VERDICTS: usize = 1000;
const MEDIA_BYTES: usize = 10 << 20;
const CONTENT_CHARS: usize = 2500;
const LABELS: [u32; 10] = [100, 10001, 20001, 20002, 20003, 20006, 20008, 20012, 20013, 21000];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Suggest {
    Pass,
    Review,
    Risky,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Verdict {
    text_contains: String,
    suggest: Suggest,
    label: u32,
}

/// What was ordered about texts and addresses of media; the newest that fits decides.
#[derive(Default)]
pub(super) struct Verdicts(Vec<Verdict>);

impl Verdicts {
    fn of(&self, text: &str) -> Option<&Verdict> {
        self.0.iter().rev().find(|verdict| text.contains(&verdict.text_contains))
    }
}

pub(super) fn routes(config: &mut ServiceConfig) {
    config.route("/msg_sec_check", web::to(check_text)).route("/media_check_async", web::to(check_media));
}

async fn check_text(request: HttpRequest, world: Data<World>, body: Bytes) -> Answer {
    let call = Call::of(&request, &world)?;
    let ask = call.posted(&body)?;
    let content = ask.text("content");
    if content.is_empty() {
        return Err(call.no(44002));
    }
    if content.chars().count() > CONTENT_CHARS {
        return Err(call.no(47001));
    }
    let verdict = ["content", "title", "nickname", "signature"]
        .iter()
        .find_map(|field| lock(&world.verdicts).of(ask.text(field)).cloned());
    if ask.number("version") != Some(2) {
        // The first version says yes or no.
        return match verdict {
            Some(Verdict { suggest: Suggest::Risky, .. }) => Err(call.no(87014)),
            _ => Ok(accepted()),
        };
    }
    check_scene_and_user(&call, &ask)?;
    Ok(call.answer(&judged(&call, verdict)))
}

fn check_scene_and_user(call: &Call, ask: &Ask) -> Result<(), Refusal> {
    if !ask.number("scene").is_some_and(|scene| (1..=4).contains(&scene)) {
        return Err(call.no(40129));
    }
    lock(&call.world.people).was_here(ask.text("openid"), call.at).map_err(|errcode| call.no(errcode))
}

fn judged(call: &Call, verdict: Option<Verdict>) -> Value {
    let (suggest, label) = verdict.as_ref().map_or((Suggest::Pass, 100), |verdict| (verdict.suggest, verdict.label));
    let mut keyword = json!({ "strategy": "keyword", "errcode": 0 });
    if let (Some(verdict), Some(parts)) = (verdict, keyword.as_object_mut()) {
        parts.insert("suggest".to_owned(), json!(suggest));
        parts.insert("label".to_owned(), label.into());
        parts.insert("level".to_owned(), 90.into());
        parts.insert("keyword".to_owned(), verdict.text_contains.into());
    }
    json!({
        "errcode": 0,
        "errmsg": "ok",
        "detail": [
            keyword,
            { "strategy": "content_model", "errcode": 0, "suggest": suggest, "label": label, "prob": 90 },
        ],
        "trace_id": rid(call.at),
        "result": { "suggest": suggest, "label": label },
    })
}

async fn check_media(request: HttpRequest, world: Data<World>, body: Bytes) -> Answer {
    let call = Call::of(&request, &world)?;
    let ask = call.posted(&body)?;
    if !matches!(ask.number("media_type"), Some(1 | 2)) {
        return Err(call.no(40004));
    }
    let url = ask.text("media_url");
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(call.no(47001));
    }
    check_scene_and_user(&call, &ask)?;
    let verdict = lock(&world.verdicts).of(url).cloned();
    let (suggest, label) = verdict.map_or((Suggest::Pass, 100), |verdict| (verdict.suggest, verdict.label));
    let trace_id = rid(call.at);
    // As the real events are, and not as the page has them: labels are texts, and errcode is not there.
    let found = json!({
        "appid": world.settings.app_id,
        "trace_id": trace_id,
        "version": 2,
        "result": { "suggest": suggest, "label": label.to_string() },
        "detail": [{
            "strategy": "content_model", "errcode": 0, "suggest": suggest, "label": label.to_string(), "prob": 90
        }],
    });
    let lost = json!({ "appid": world.settings.app_id, "trace_id": trace_id, "version": 2, "errcode": -1008 });
    let (fetching, url, openid) = (world.clone(), url.to_owned(), ask.text("openid").to_owned());
    actix_web::rt::spawn(async move {
        let told = if is_there(&fetching, &url).await { found } else { lost };
        push::event(&fetching, &openid, "wxa_media_check", push::Extra::Parts(told));
    });
    Ok(call.answer(&json!({ "errcode": 0, "errmsg": "ok", "trace_id": trace_id })))
}

/// Whether a file can be fetched, as the real one does before it looks.
async fn is_there(world: &World, url: &str) -> bool {
    let Ok(mut answer) = world.http.get(url).send().await else { return false };
    let mut bytes = 0;
    while let Ok(Some(chunk)) = answer.chunk().await {
        bytes += chunk.len();
        if bytes > MEDIA_BYTES {
            return false;
        }
    }
    answer.status().is_success() && bytes > 0
}

/// The control `verdicts`.
pub(super) fn controls(config: &mut ServiceConfig) {
    config.route("/verdicts", web::post().to(order_verdict));
}

async fn order_verdict(world: Data<World>, Json(verdict): Json<Verdict>) -> HttpResponse {
    if verdict.text_contains.is_empty() || !LABELS.contains(&verdict.label) {
        return controls::invalid("text_contains: not empty; label: 100, 10001, 20001, ... as 内容安全 lists them");
    }
    let mut verdicts = lock(&world.verdicts);
    if verdicts.0.len() >= VERDICTS {
        return controls::refuse(StatusCode::INSUFFICIENT_STORAGE, "too many verdicts are ordered");
    }
    verdicts.0.push(verdict);
    HttpResponse::Ok().json(json!({ "verdicts": verdicts.0.len() }))
}
