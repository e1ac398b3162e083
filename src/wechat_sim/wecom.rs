//! WeCom's `gettoken`, `auth/getuserinfo` and `miniprogram/jscode2session`.
//!
//! They follow 企业微信 获取 `access_token`, 获取访问用户身份 and `code2Session`. Next: [`super::organisation`], whom they ask.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Data, Json, ServiceConfig},
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;

use super::{
    World,
    answers::{Answer, Family},
    call::Call,
    controls, identifiers, lock,
    login::{query_of, value},
    organisation::{Kind, Visitor},
};

const USERID_CHARS: usize = 64;

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/gettoken", web::to(token))
        .route("/auth/getuserinfo", web::to(user_info))
        .route("/miniprogram/jscode2session", web::to(exchange_code));
}

async fn token(request: HttpRequest, world: Data<World>) -> Answer {
    let at = world.clock.now();
    let query = query_of(&request);
    let no = |errcode| Family::Work.no(errcode, at);
    lock(&world.quotas).take(request.path(), at).map_err(no)?;
    let (corp_id, secret) = (value(&query, "corpid"), value(&query, "corpsecret"));
    if corp_id.is_empty() {
        return Err(no(41002));
    }
    if secret.is_empty() {
        return Err(no(41004));
    }
    if corp_id != world.settings.corp_id {
        return Err(no(40013));
    }
    if secret != world.settings.corp_secret.expose_secret() {
        return Err(no(40001));
    }
    let (token, left) = lock(&world.organisation).token(at);
    Ok(Family::Work.answer(&json!({ "errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": left })))
}

async fn user_info(request: HttpRequest, world: Data<World>) -> Answer {
    let call = Call::of(&request, &world)?;
    let who = lock(&world.organisation).redeem(call.query("code"), Kind::Oauth, call.at);
    Ok(call.answer(&match who.ok_or_else(|| call.no(40029))? {
        Visitor::Member(userid) => json!({ "errcode": 0, "errmsg": "ok", "userid": userid }),
        Visitor::Outsider => json!({ "errcode": 0, "errmsg": "ok", "openid": identifiers::openid() }),
    }))
}

async fn exchange_code(request: HttpRequest, world: Data<World>) -> Answer {
    let call = Call::of(&request, &world)?;
    if call.query("grant_type") != "authorization_code" {
        return Err(call.no(40002));
    }
    let who = lock(&world.organisation).redeem(call.query("js_code"), Kind::MiniProgram, call.at);
    // An outsider is a member of another organisation here.
    let (corp_id, userid) = match who.ok_or_else(|| call.no(40029))? {
        Visitor::Member(userid) => (world.settings.corp_id.as_str(), userid),
        Visitor::Outsider => ("wwffffffffffffffff", "WangWu".to_owned()),
    };
    Ok(call.answer(&json!({
        "corpid": corp_id,
        "userid": userid,
        "session_key": identifiers::session_key(),
        "errcode": 0,
        "errmsg": "ok",
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMember {
    userid: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCode {
    userid: Option<String>,
    kind: Kind,
}

/// The controls `members` and `members/codes`.
pub(super) fn controls(config: &mut ServiceConfig) {
    config.route("/members", web::post().to(add_member)).route("/members/codes", web::post().to(add_code));
}

async fn add_member(world: Data<World>, Json(member): Json<NewMember>) -> HttpResponse {
    let is_userid = (1..=USERID_CHARS).contains(&member.userid.len())
        && member.userid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-@.".contains(&byte));
    if !is_userid {
        return controls::invalid("userid: 1 to 64 letters, digits, _ - @ .");
    }
    match lock(&world.organisation).join(&member.userid) {
        Ok(userid) => HttpResponse::Ok().json(json!({ "userid": userid })),
        Err(why) => controls::denied(&why),
    }
}

async fn add_code(world: Data<World>, Json(ask): Json<NewCode>) -> HttpResponse {
    match lock(&world.organisation).issue_code(ask.userid.as_deref(), ask.kind, world.clock.now()) {
        Ok(code) => HttpResponse::Ok().json(json!({ "code": code })),
        Err(why) => controls::denied(&why),
    }
}
