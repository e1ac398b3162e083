//! `POST /wxa/generate_urllink` and `/wxa/query_urllink`: links that open the mini program.
//!
//! They follow 小程序码与小程序链接, 获取加密 URL Link and 查询加密 URL Link. Next: [`super::pictures`], the same for walls.

use std::collections::HashMap;

use actix_web::{
    HttpRequest,
    web::{self, Bytes, Data, ServiceConfig},
};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    World,
    answers::{Answer, Refusal},
    call::{Ask, Call},
    identifiers, lock,
};
use crate::clock::Instant;

const LINKS: usize = 10_000;
const QUERY_CHARS: usize = 1024;
const LONGEST: TimeDelta = TimeDelta::days(30);

/// Links that were made, by address.
#[derive(Default)]
pub(super) struct Links(HashMap<String, Value>);

pub(super) fn routes(config: &mut ServiceConfig) {
    config.route("/generate_urllink", web::to(generate)).route("/query_urllink", web::to(query));
}

async fn generate(request: HttpRequest, world: Data<World>, body: Bytes) -> Answer {
    let call = Call::of(&request, &world)?;
    let ask = call.posted(&body)?;
    let (path, query) = (ask.text("path"), ask.text("query"));
    if path.contains('?') {
        return Err(call.no(40165));
    }
    if !world.publishes(path.trim_start_matches('/')) {
        return Err(call.no(if world.publishes_nothing() { 85079 } else { 40165 }));
    }
    if query.len() > QUERY_CHARS || query.chars().any(char::is_control) {
        return Err(call.no(40212));
    }
    let version = version(&call, &ask)?;
    let ends_at = end(&call, &ask)?;
    let url = format!("https://wxaurl.cn/{}", identifiers::ticket());
    let info = json!({
        "appid": world.settings.app_id,
        "path": path,
        "query": query,
        "create_time": call.at.timestamp(),
        "expire_time": ends_at.timestamp(),
        "env_version": version,
    });
    let mut links = lock(&world.links);
    if links.0.len() >= LINKS {
        return Err(call.no(44993));
    }
    links.0.insert(url.clone(), info);
    Ok(call.answer(&json!({ "errcode": 0, "errmsg": "ok", "url_link": url })))
}

fn version<'a>(call: &Call, ask: &'a Ask) -> Result<&'a str, Refusal> {
    match ask.text("env_version") {
        "" => Ok("release"),
        version @ ("release" | "trial" | "develop") => Ok(version),
        _ => Err(call.no(85402)),
    }
}

/// By `expire_type` an instant or a number of days; thirty days when nothing is said.
fn end(call: &Call, ask: &Ask) -> Result<Instant, Refusal> {
    let end = match (ask.number("expire_type"), ask.number("expire_time"), ask.number("expire_interval")) {
        (None | Some(0), Some(time), _) if time > 0 => Instant::from_timestamp(time, 0),
        (Some(1), _, Some(days)) => TimeDelta::try_days(days).and_then(|days| call.at.checked_add_signed(days)),
        (None | Some(0 | 1), _, _) => Some(call.at + LONGEST),
        _ => None,
    };
    end.filter(|end| *end - call.at <= LONGEST && *end - call.at >= TimeDelta::minutes(1)).ok_or_else(|| call.no(85401))
}

async fn query(request: HttpRequest, world: Data<World>, body: Bytes) -> Answer {
    let call = Call::of(&request, &world)?;
    let ask = call.posted(&body)?;
    let quota = json!({ "remain_visit_quota": 3_000_000 });
    if ask.number("query_type") == Some(1) {
        return Ok(call.answer(&json!({ "errcode": 0, "errmsg": "ok", "quota_info": quota })));
    }
    let info = lock(&world.links).0.get(ask.text("url_link")).cloned().ok_or_else(|| call.no(85403))?;
    let answer =
        json!({ "errcode": 0, "errmsg": "ok", "url_link_info": info, "visit_openid": "", "quota_info": quota });
    Ok(call.answer(&answer))
}
