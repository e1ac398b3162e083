//! `GET /wxa/checksession` and `/wxa/resetusersessionkey`: a user's session key, proven by a signature with it.
//!
//! They follow 小程序登录, 检验登录态 (`checkSessionKey`) and 重置登录态. The pages say body in the table and query in the
//! sample, so both are read. Next: [`super::people`], who have the keys.

use actix_web::{
    HttpRequest,
    web::{self, Bytes, Data, ServiceConfig},
};
use secrecy::SecretString;
use serde_json::json;

use super::{
    World,
    answers::{Answer, Refusal, accepted},
    call::{Ask, Call},
    lock,
};
use crate::wechat::open_data::session_signature;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.route("/checksession", web::to(check_session)).route("/resetusersessionkey", web::to(reset_session_key));
}

async fn check_session(request: HttpRequest, world: Data<World>, body: Bytes) -> Answer {
    let call = Call::of(&request, &world)?;
    prove(&call, &body)?;
    Ok(accepted())
}

async fn reset_session_key(request: HttpRequest, world: Data<World>, body: Bytes) -> Answer {
    let call = Call::of(&request, &world)?;
    let openid = prove(&call, &body)?;
    let key = lock(&world.people).replace_session_key(&openid).map_err(|errcode| call.no(errcode))?;
    Ok(call.answer(&json!({ "errcode": 0, "errmsg": "ok", "openid": openid, "session_key": key })))
}

/// The openid, when the signature is one with its session key over nothing.
fn prove(call: &Call, body: &Bytes) -> Result<String, Refusal> {
    call.got()?;
    let ask = Ask(serde_json::from_slice(body).unwrap_or_default());
    let value = |name: &str| match call.query(name) {
        "" => ask.text(name).to_owned(),
        text => text.to_owned(),
    };
    if value("sig_method") != "hmac_sha256" {
        return Err(call.no(87008));
    }
    let openid = value("openid");
    let key = lock(&call.world.people).session_key(&openid).map(SecretString::from);
    let key = key.map_err(|errcode| call.no(errcode))?;
    if session_signature(&key, "") == value("signature") { Ok(openid) } else { Err(call.no(87009)) }
}
