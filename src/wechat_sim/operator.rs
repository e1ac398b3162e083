//! What an operator asks the server API about itself: request ids, addresses of callbacks, quotas.
//!
//! They follow openApi 管理 and 基础能力. Next: [`super::journal`], where requests are remembered.

use actix_web::{
    HttpRequest,
    web::{self, Bytes, Data, ServiceConfig},
};
use chrono::TimeDelta;
use serde_json::json;

use super::{
    World,
    answers::{Answer, Family, accepted},
    call::Call,
    lock,
};

/// Request ids are explained for so long.
const EXPLAINED: TimeDelta = TimeDelta::days(7);

pub(super) fn routes(config: &mut ServiceConfig) {
    config
        .route("/openapi/rid/get", web::to(explain))
        .route("/getcallbackip", web::to(callback_addresses))
        .route("/callback/check", web::to(check_callback))
        .route("/clear_quota", web::to(clear_quota));
}

async fn explain(request: HttpRequest, world: Data<World>, body: Bytes) -> Answer {
    let call = Call::of(&request, &world)?;
    let ask = call.posted(&body)?;
    let journal = lock(&world.journal);
    let entry = journal
        .find(ask.text("rid"))
        .filter(|entry| call.at - entry.at() <= EXPLAINED)
        .ok_or_else(|| call.no(76001))?;
    if Family::of(entry.path()) == Family::Sns {
        return Err(call.no(76022));
    }
    Ok(call.answer(&json!({
        "errcode": 0,
        "errmsg": "ok",
        "request": {
            "invoke_time": entry.at().timestamp(),
            "cost_in_ms": 1,
            "request_url": entry.path(),
            "request_body": "",
            "response_body": json!({ "errcode": entry.errcode() }).to_string(),
            "client_ip": "127.0.0.1",
        },
    })))
}

async fn callback_addresses(request: HttpRequest, world: Data<World>) -> Answer {
    let call = Call::of(&request, &world)?;
    call.got()?;
    Ok(call.answer(&json!({ "ip_list": ["127.0.0.1"] })))
}

async fn check_callback(request: HttpRequest, world: Data<World>, body: Bytes) -> Answer {
    let call = Call::of(&request, &world)?;
    let ask = call.posted(&body)?;
    if !["dns", "ping", "all"].contains(&ask.text("action")) {
        return Err(call.no(40097));
    }
    Ok(call.answer(&json!({
        "dns": [{ "ip": "127.0.0.1", "real_operator": "UNICOM" }],
        "ping": [{ "ip": "127.0.0.1", "from_operator": "UNICOM", "package_loss": "0%", "time": "1.000ms" }],
    })))
}

async fn clear_quota(request: HttpRequest, world: Data<World>, body: Bytes) -> Answer {
    let call = Call::of(&request, &world)?;
    let ask = call.posted(&body)?;
    if ask.text("appid") != world.settings.app_id {
        return Err(call.no(40013));
    }
    lock(&world.quotas).clear(call.at).map_err(|errcode| call.no(errcode))?;
    Ok(accepted())
}
