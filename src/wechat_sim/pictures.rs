//! `POST /wxa/getwxacodeunlimit` and `/wxa/getwxacode`: mini-program codes, as pictures that can be decoded and scanned.
//!
//! They follow 小程序码与小程序链接. The real ones are round and open the mini program; these are square and say what the
//! real one would open. Next: [`super::draw`], which draws.

use std::sync::atomic::Ordering;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Bytes, Data, ServiceConfig},
};

use super::{
    World,
    answers::{Answer, Refusal},
    call::{Ask, Call},
    draw,
};

/// Codes of the limited kind an account may have.
const LIMITED: u64 = 100_000;
const SCENE_CHARS: usize = 32;
const PATH_CHARS: usize = 1024;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.route("/getwxacodeunlimit", web::to(unlimited)).route("/getwxacode", web::to(limited));
}

async fn unlimited(request: HttpRequest, world: Data<World>, body: Bytes) -> Answer {
    let call = Call::of(&request, &world)?;
    let ask = call.posted(&body)?;
    let (scene, page) = (ask.text("scene"), ask.text("page"));
    if !(1..=SCENE_CHARS).contains(&scene.chars().count()) {
        return Err(call.no(40169));
    }
    if !scene.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&'()*+,/:;=?@-._~".contains(&byte)) {
        return Err(call.no(40129));
    }
    let checked = ask.flag("check_path").unwrap_or(true);
    if page.starts_with('/') || page.contains('?') || (checked && !world.publishes(page)) {
        return Err(call.no(41030));
    }
    picture(&call, &ask, &format!("https://wxaurl.cn/sim?p={page}&scene={scene}"))
}

async fn limited(request: HttpRequest, world: Data<World>, body: Bytes) -> Answer {
    let call = Call::of(&request, &world)?;
    let ask = call.posted(&body)?;
    let path = ask.text("path");
    if !(1..=PATH_CHARS).contains(&path.len()) {
        return Err(call.no(40097));
    }
    if world.limited_codes.load(Ordering::Relaxed) >= LIMITED {
        return Err(call.no(45029));
    }
    let mut response = picture(&call, &ask, &format!("https://wxaurl.cn/sim?p={path}"))?;
    let used = world.limited_codes.fetch_add(1, Ordering::Relaxed) + 1;
    response.headers_mut().insert(
        actix_web::http::header::HeaderName::from_static("num-used"),
        actix_web::http::header::HeaderValue::from(used),
    );
    Ok(response)
}

fn picture(call: &Call, ask: &Ask, text: &str) -> Result<HttpResponse, Refusal> {
    let width = ask.number("width").unwrap_or(430);
    let version = ask.text("env_version");
    if !(280..=1280).contains(&width) || !["", "release", "trial", "develop"].contains(&version) {
        return Err(call.no(40097));
    }
    let width = u16::try_from(width).map_err(|_| call.no(40097))?;
    let code = draw::Code::new(text, width).ok_or_else(|| call.no(40097))?;
    let (media_type, bytes) = if ask.flag("is_hyaline").unwrap_or_default() {
        ("image/png", code.png())
    } else {
        ("image/jpeg", code.jpeg())
    };
    let mut response = HttpResponse::Ok();
    Ok(response
        .content_type(media_type)
        .insert_header(("Content-Disposition", "attachment; filename=\"QRCode\""))
        .body(bytes))
}
