//! How an answer of the WeChat server API looks from outside.
//!
//! A client that only ever saw tidy answers breaks on the real ones, so the oddities are kept: HTTP 200 for every refusal,
//! `text/plain` around JSON, and a request id whose separator depends on the family. Next: [`super::login`].

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde::Serialize;

use super::World;
use crate::clock::Instant;

/// A group of interfaces that answer in one manner (observed on the real server).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// `/sns`: plain text, comma before the request id.
    Sns,
    /// `/cgi-bin` and `/wxa`: JSON with an encoding parameter, space before the request id.
    Cgi,
}

impl Family {
    pub(super) fn of(path: &str) -> Self {
        if path.starts_with("/sns/") { Self::Sns } else { Self::Cgi }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Sns => "text/plain",
            Self::Cgi => "application/json; encoding=utf-8",
        }
    }

    /// An answer with `body` as it stands.
    pub(super) fn answer(self, body: &impl Serialize) -> HttpResponse {
        match serde_json::to_string(body) {
            Ok(text) => HttpResponse::Ok().content_type(self.content_type()).body(text),
            Err(_) => HttpResponse::InternalServerError().finish(),
        }
    }

    /// A refusal: HTTP 200, `errcode`, and an `errmsg` that ends with a request id.
    pub(super) fn refuse(self, errcode: i64, at: Instant) -> HttpResponse {
        let separator = match self {
            Self::Sns => ",",
            Self::Cgi => "",
        };
        let errmsg = format!("{}{separator} rid: {}", words(errcode), rid(at));
        self.answer(&Refused { errcode, errmsg: &errmsg })
    }
}

#[derive(Serialize)]
struct Refused<'a> {
    errcode: i64,
    errmsg: &'a str,
}

/// `{"errcode":0,"errmsg":"ok"}`, the answer of interfaces that have nothing else to say.
pub(super) fn accepted() -> HttpResponse {
    Family::Cgi.answer(&Refused { errcode: 0, errmsg: "ok" })
}

/// A request id: Unix seconds in hexadecimal digits, then two random groups.
fn rid(at: Instant) -> String {
    format!("{:08x}-{:08x}-{:08x}", at.timestamp(), rand::random::<u32>(), rand::random::<u32>())
}

/// The texts are those of the real server where one was seen; clients must not depend on them.
fn words(errcode: i64) -> &'static str {
    match errcode {
        -1 => "system error",
        40001 => {
            "invalid credential, access_token is invalid or not latest, could get access_token by \
             getStableAccessToken, more details at https://mmbizurl.cn/s/JtxxFh33r"
        }
        40002 => "invalid grant_type",
        40003 => "invalid openid",
        40013 => "invalid appid",
        40014 => "invalid access_token",
        40029 => "invalid code",
        40066 => "invalid url",
        40097 => "invalid args",
        40125 => "invalid appsecret",
        40163 => "code been used",
        40164 => "invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist",
        40226 => "code blocked",
        41001 => "access_token missing",
        41002 => "appid missing",
        41004 => "appsecret missing",
        41008 => "missing code",
        42001 => "access_token expired",
        43001 => "require GET method",
        43002 => "require POST method",
        44002 => "empty post data",
        45009 => "reach max api daily quota limit",
        45011 => "api minute-quota reach limit mustslower retry next minute",
        47001 => "data format error",
        87007 => "session_key is not existd or expired",
        87008 => "invalid sig_method",
        87009 => "invalid signature",
        _ => "simulated failure",
    }
}

/// What the gateway answers about a name it does not know.
pub(super) async fn unknown_interface(request: HttpRequest, world: Data<World>) -> HttpResponse {
    Family::of(request.path()).refuse(40066, world.clock.now())
}

#[cfg(test)]
mod tests {
    use actix_web::{body::to_bytes, http::header::CONTENT_TYPE};

    use super::*;
    use crate::{clock::Clock, wechat::rid_of};

    async fn refused(family: Family, errcode: i64) -> (String, String) {
        let clock = Clock::standing_at("2026-09-17T15:29:14Z".parse().unwrap());
        let response = family.refuse(errcode, clock.now());
        assert_eq!(response.status(), 200);
        let content_type = response.headers().get(CONTENT_TYPE).unwrap().to_str().unwrap().to_owned();
        let body = to_bytes(response.into_body()).await.unwrap();
        (content_type, String::from_utf8(body.to_vec()).unwrap())
    }

    #[actix_web::test]
    async fn sns_separates_with_a_comma_and_calls_its_json_text() {
        let (content_type, body) = refused(Family::Sns, 40029).await;
        assert_eq!(content_type, "text/plain");
        assert!(body.starts_with(r#"{"errcode":40029,"errmsg":"invalid code, rid: 6a"#), "{body}");
    }

    #[actix_web::test]
    async fn the_others_separate_with_a_space_and_the_rid_begins_with_the_time() {
        let (content_type, body) = refused(Family::Cgi, 40013).await;
        assert_eq!(content_type, "application/json; encoding=utf-8");
        let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
        let errmsg = answer["errmsg"].as_str().unwrap();
        assert!(errmsg.starts_with("invalid appid rid: "), "{errmsg}");
        let seconds = i64::from_str_radix(rid_of(errmsg).unwrap().split('-').next().unwrap(), 16).unwrap();
        assert_eq!(seconds, "2026-09-17T15:29:14Z".parse::<Instant>().unwrap().timestamp());
    }
}
