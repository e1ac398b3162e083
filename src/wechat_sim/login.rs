//! `GET /sns/jscode2session`, the one interface that asks for no access token.
//!
//! It follows 微信小程序服务端 API, 小程序登录凭证校验; the order of its checks is that of the real server as far as it is
//! known, app id first. Next: [`super::session_key`], which checks the key handed out here.

use std::collections::HashMap;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Data, Query, ServiceConfig},
};
use serde::Serialize;

use super::{World, answers::Family, lock, quota::Window};

/// Sign-ins of one user a minute (older page of `code2Session`).
const A_MINUTE: u64 = 100;

pub(super) fn routes(config: &mut ServiceConfig) {
    config.route("/jscode2session", web::to(exchange_code));
}

/// The query as WeChat reads it: what it does not know it ignores, what it cannot read is missing.
pub(super) fn query_of(request: &HttpRequest) -> HashMap<String, String> {
    Query::from_query(request.query_string()).map(Query::into_inner).unwrap_or_default()
}

/// The value of a parameter, empty when it is missing.
pub(super) fn value<'a>(query: &'a HashMap<String, String>, name: &str) -> &'a str {
    query.get(name).map_or("", String::as_str)
}

#[derive(Serialize)]
struct SignedIn<'a> {
    session_key: &'a str,
    openid: &'a str,
    unionid: &'a str,
}

async fn exchange_code(request: HttpRequest, world: Data<World>) -> HttpResponse {
    let at = world.clock.now();
    if request.method() != "GET" {
        return Family::Sns.refuse(43001, at);
    }
    let query = query_of(&request);
    if let Some(errcode) = world.refuses(value(&query, "appid"), value(&query, "secret")) {
        return Family::Sns.refuse(errcode, at);
    }
    let code = value(&query, "js_code");
    if code.is_empty() {
        return Family::Sns.refuse(41008, at);
    }
    if value(&query, "grant_type") != "authorization_code" {
        return Family::Sns.refuse(40002, at);
    }
    let outcome = lock(&world.people).redeem(code, at);
    match outcome {
        Ok(user) if !lock(&world.quotas).count(&format!("login:{}", user.openid), Window::Minute, A_MINUTE, at) => {
            Family::Sns.refuse(45011, at)
        }
        Ok(user) => Family::Sns.answer(&SignedIn {
            session_key: &user.session_key,
            openid: &user.openid,
            unionid: &user.unionid,
        }),
        Err(errcode) => Family::Sns.refuse(errcode, at),
    }
}
