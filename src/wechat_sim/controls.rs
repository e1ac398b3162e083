//! The simulator's own interface under `/_sim`: make users and codes, order faults, wind the clock, read the journal.
//!
//! It answers like an ordinary JSON interface with true status codes, unlike what it simulates. Next: [`super::people`]
//! and [`super::faults`], which do the work.

use std::{sync::atomic::Ordering, time::Duration};

use actix_web::{
    HttpResponse, ResponseError,
    error::{InternalError, JsonPayloadError},
    http::StatusCode,
    web::{self, Data, Json, JsonConfig, ServiceConfig},
};
use chrono::{Datelike, TimeDelta};
use serde::Deserialize;
use serde_json::json;

use super::{
    BODY_BYTES, World, checks,
    faults::{Fault, Instead, Moment},
    lock, messages,
    people::Denied,
    push, subscriptions, wecom,
};

const NICKNAME_CHARS: usize = 64;
const PATH_CHARS: usize = 200;
const PAGES: usize = 1000;
const FAULT_TIMES: u32 = 100_000;
const DELAY_MS: u64 = 60_000;
const ADVANCE_S: u32 = 400 * 24 * 3600;
/// Dates end somewhere; a clock wound without limit would stop the whole simulator.
const LAST_YEAR: i32 = 2500;
const HTTP_RULE: &str = "http: 200 (a page that is no answer) or 400 to 599";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUser {
    nickname: Option<String>,
    phone: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCode {
    openid: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFault {
    path: String,
    errcode: Option<i64>,
    http: Option<u16>,
    times: u32,
    #[serde(default)]
    delay_ms: u64,
    cut: Option<Moment>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_s: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chaos {
    content_types: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    pages: Option<Vec<String>>,
}

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/users", web::post().to(add_user))
        .route("/users", web::get().to(list_users))
        .route("/codes", web::post().to(add_code))
        .route("/faults", web::post().to(order_fault))
        .route("/requests", web::get().to(list_requests))
        .route("/clock", web::post().to(wind_clock))
        .route("/phone-codes", web::post().to(add_phone_code))
        .route("/session-keys", web::post().to(replace_session_key))
        .route("/chaos", web::post().to(set_chaos))
        .route("/pages", web::post().to(publish))
        .configure(checks::controls)
        .configure(messages::controls)
        .configure(push::controls)
        .configure(subscriptions::controls)
        .configure(wecom::controls)
        .default_service(web::to(|| async { refuse(StatusCode::NOT_FOUND, "no such control") }));
}

/// Bodies are JSON whatever their Content-Type says: these controls are typed by hand with curl.
pub(super) fn json_config() -> JsonConfig {
    JsonConfig::default().limit(BODY_BYTES).content_type_required(false).content_type(|_| true).error_handler(
        |error, _| {
            let response = refuse(JsonPayloadError::status_code(&error), &error.to_string());
            InternalError::from_response(error, response).into()
        },
    )
}

pub(super) fn refuse(status: StatusCode, why: &str) -> HttpResponse {
    HttpResponse::build(status).json(json!({ "error": why }))
}

pub(super) fn invalid(why: &str) -> HttpResponse {
    refuse(StatusCode::UNPROCESSABLE_ENTITY, why)
}

pub(super) fn denied(denied: &Denied) -> HttpResponse {
    match denied {
        Denied::NoSuchUser => refuse(StatusCode::NOT_FOUND, "no user has this openid or userid"),
        Denied::Full => refuse(StatusCode::INSUFFICIENT_STORAGE, "the simulator is full"),
    }
}

async fn add_user(world: Data<World>, Json(user): Json<NewUser>) -> HttpResponse {
    if user.nickname.as_ref().is_some_and(|nickname| nickname.chars().count() > NICKNAME_CHARS) {
        return invalid("nickname: at most 64 characters");
    }
    let is_phone = |phone: &String| {
        let digits = phone.strip_prefix('+').unwrap_or(phone);
        (5..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !user.phone.as_ref().is_none_or(is_phone) {
        return invalid("phone: 5 to 20 digits, + may stand before them");
    }
    match lock(&world.people).join(user.nickname, user.phone, world.clock.now()) {
        Ok((openid, unionid)) => HttpResponse::Ok().json(json!({ "openid": openid, "unionid": unionid })),
        Err(why) => denied(&why),
    }
}

async fn add_code(world: Data<World>, Json(ask): Json<NewCode>) -> HttpResponse {
    match lock(&world.people).issue_code(&ask.openid, world.clock.now()) {
        Ok(code) => HttpResponse::Ok().json(json!({ "code": code })),
        Err(why) => denied(&why),
    }
}

async fn list_users(world: Data<World>) -> HttpResponse {
    let users = lock(&world.people).list();
    let items: Vec<_> =
        users.into_iter().map(|(openid, nickname)| json!({ "openid": openid, "nickname": nickname })).collect();
    HttpResponse::Ok().json(json!({ "items": items }))
}

async fn add_phone_code(world: Data<World>, Json(ask): Json<NewCode>) -> HttpResponse {
    match lock(&world.people).issue_phone_code(&ask.openid, world.clock.now()) {
        Ok(code) => HttpResponse::Ok().json(json!({ "code": code })),
        Err(why) => denied(&why),
    }
}

/// The session key of a user is replaced, as a later `wx.login` does now and then; the old one proves nothing any more.
async fn replace_session_key(world: Data<World>, Json(ask): Json<NewCode>) -> HttpResponse {
    match lock(&world.people).replace_session_key(&ask.openid) {
        Ok(_) => HttpResponse::Ok().json(json!({ "openid": ask.openid })),
        Err(_) => refuse(StatusCode::NOT_FOUND, "no user with this openid has signed in"),
    }
}

/// With chaos, answers have Content-Types that do not fit them.
async fn set_chaos(world: Data<World>, Json(ask): Json<Chaos>) -> HttpResponse {
    world.chaos.store(ask.content_types, Ordering::Relaxed);
    HttpResponse::Ok().json(json!({ "content_types": ask.content_types }))
}

/// Says which pages the published version has; before anything is said, it has every page.
async fn publish(world: Data<World>, Json(ask): Json<Published>) -> HttpResponse {
    if ask.pages.iter().flatten().any(|page| page.len() > PATH_CHARS || page.starts_with('/'))
        || ask.pages.as_ref().is_some_and(|pages| pages.len() > PAGES)
    {
        return invalid("pages: at most 1000, without a slash in front; null: every page");
    }
    let count = ask.pages.as_ref().map(Vec::len);
    *lock(&world.pages) = ask.pages;
    HttpResponse::Ok().json(json!({ "pages": count }))
}

async fn order_fault(world: Data<World>, Json(ask): Json<NewFault>) -> HttpResponse {
    if let Err(why) = check_order(&ask) {
        return invalid(why);
    }
    let instead = match (ask.errcode, ask.http.map(StatusCode::from_u16)) {
        (Some(errcode), _) => Some(Instead::Refusal(errcode)),
        (None, Some(Ok(status))) => Some(Instead::Page(status)),
        (None, Some(Err(_))) => return invalid(HTTP_RULE),
        (None, None) => ask.cut.map(Instead::Cut),
    };
    let fault = Fault { delay: Duration::from_millis(ask.delay_ms), instead };
    if lock(&world.faults).order(ask.path, fault, ask.times) {
        HttpResponse::Ok().json(json!({ "times": ask.times }))
    } else {
        refuse(StatusCode::INSUFFICIENT_STORAGE, "too many faults are ordered")
    }
}

fn check_order(ask: &NewFault) -> Result<(), &'static str> {
    if ask.path.len() > PATH_CHARS || !["/sns/", "/cgi-bin/", "/wxa/"].iter().any(|prefix| ask.path.starts_with(prefix))
    {
        return Err("path: an interface under /sns/, /cgi-bin/ or /wxa/");
    }
    if ask.errcode.is_some() && ask.http.is_some() {
        return Err("errcode and http: only one of them");
    }
    if ask.cut.is_some() && (ask.errcode.is_some() || ask.http.is_some()) {
        return Err("cut: no errcode and no http with it");
    }
    if ask.errcode.is_none() && ask.http.is_none() && ask.cut.is_none() && ask.delay_ms == 0 {
        return Err("errcode, http, cut or delay_ms: at least one of them");
    }
    if ask.errcode.is_some_and(|errcode| errcode == 0 || !(-1..=99_999_999).contains(&errcode)) {
        return Err("errcode: -1 or a positive number");
    }
    if ask.http.is_some_and(|http| http != 200 && !(400..=599).contains(&http)) {
        return Err(HTTP_RULE);
    }
    if !(1..=FAULT_TIMES).contains(&ask.times) {
        return Err("times: 1 to 100000");
    }
    if ask.delay_ms > DELAY_MS {
        return Err("delay_ms: at most 60000");
    }
    Ok(())
}

async fn list_requests(world: Data<World>) -> HttpResponse {
    let items = lock(&world.journal).entries();
    HttpResponse::Ok().json(json!({ "items": items }))
}

async fn wind_clock(world: Data<World>, Json(ask): Json<Advance>) -> HttpResponse {
    if ask.advance_s > ADVANCE_S {
        return invalid("advance_s: at most 400 days");
    }
    if world.clock.now().year() >= LAST_YEAR {
        return invalid("advance_s: the clock is wound far enough");
    }
    world.clock.advance(TimeDelta::seconds(ask.advance_s.into()));
    HttpResponse::Ok().json(json!({ "now": world.clock.now() }))
}
