//! `GET /wxa/checksession`: whether a user's session key still holds, proven by a signature with it.
//!
//! It follows 小程序登录, 检验登录态 (`checkSessionKey`) and is the first interface here that wants an access token, which
//! it checks before anything else, as the real one does. Next: [`super::token`].

use std::fmt::Write;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Data, ServiceConfig},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{
    World,
    answers::{Family, accepted},
    lock,
    login::{query_of, value},
};

pub(super) fn routes(config: &mut ServiceConfig) {
    config.route("/checksession", web::to(check_session));
}

async fn check_session(request: HttpRequest, world: Data<World>) -> HttpResponse {
    let at = world.clock.now();
    let query = query_of(&request);
    let checked = lock(&world.tokens).check(value(&query, "access_token"), at);
    let outcome = checked.and_then(|()| {
        if request.method() != "GET" {
            return Err(43001);
        }
        if value(&query, "sig_method") != "hmac_sha256" {
            return Err(87008);
        }
        let people = lock(&world.people);
        let key = people.session_key(value(&query, "openid"))?;
        if signature(key) == value(&query, "signature") { Ok(()) } else { Err(87009) }
    });
    match outcome {
        Ok(()) => accepted(),
        Err(errcode) => Family::Cgi.refuse(errcode, at),
    }
}

/// The signature is HMAC-SHA256 of nothing, in hexadecimal digits; its key is the session key as base64 *text*.
pub(crate) fn signature(session_key: &str) -> String {
    // A key of any length will do for HMAC, so this never fails.
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(session_key.as_bytes()) else { return String::new() };
    mac.finalize().into_bytes().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_signature_agrees_with_an_independent_reckoning() {
        assert_eq!(
            super::signature("o0q0otL8aEzpcZL/FT9WsQ=="),
            "46e043c5525c2d817c44be603d30837a808a1d930d038f6fdc3e62a201fed128"
        );
    }
}
