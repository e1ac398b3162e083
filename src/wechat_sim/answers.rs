//! How an answer of the WeChat server API looks from outside.
//!
//! A client that only ever saw tidy answers breaks on the real ones, so the oddities are kept: HTTP 200 for every refusal,
//! `text/plain` around JSON, and a request id whose separator depends on the family. Next: [`super::login`].

use std::borrow::Cow;

use actix_web::{HttpRequest, HttpResponse, ResponseError, http::StatusCode, web::Data};
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
    /// WeCom: JSON, a number to search by and the caller's address in the text, error code and text in headers too.
    Work,
}

impl Family {
    pub(super) fn of(path: &str) -> Self {
        const WORK: [&str; 5] = [
            "/cgi-bin/gettoken",
            "/cgi-bin/auth/",
            "/cgi-bin/miniprogram/",
            "/cgi-bin/message/send",
            "/cgi-bin/webhook/",
        ];
        if path.starts_with("/sns/") {
            Self::Sns
        } else if WORK.iter().any(|prefix| path.starts_with(prefix)) {
            Self::Work
        } else {
            Self::Cgi
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Sns => "text/plain",
            Self::Cgi => "application/json; encoding=utf-8",
            Self::Work => "application/json; charset=UTF-8",
        }
    }

    /// An answer with `body` as it stands.
    pub(super) fn answer(self, body: &impl Serialize) -> HttpResponse {
        match serde_json::to_string(body) {
            Ok(text) => HttpResponse::Ok().content_type(self.content_type()).body(text),
            Err(_) => HttpResponse::InternalServerError().finish(),
        }
    }

    /// A refusal in the usual words.
    pub(super) fn no(self, errcode: i64, at: Instant) -> Refusal {
        let words = match (self, errcode) {
            (Self::Work, 40001) => "invalid credential",
            (Self::Work, 40013) => "invalid corpid",
            (Self::Work, 41002) => "corpid missing",
            (Self::Work, 41004) => "corpsecret missing",
            (Self::Work, 45009) => "api freq out of limit",
            _ => words(errcode),
        };
        self.no_because(errcode, words, at)
    }

    /// A refusal in words of its own.
    pub(super) fn no_because(self, errcode: i64, words: impl Into<Cow<'static, str>>, at: Instant) -> Refusal {
        Refusal { family: self, errcode, words: words.into(), at }
    }

    /// A refusal as an answer.
    pub(super) fn refuse(self, errcode: i64, at: Instant) -> HttpResponse {
        self.no(errcode, at).error_response()
    }
}

/// A no: HTTP 200, `errcode`, and an `errmsg` that ends with a request id.
#[derive(Debug, thiserror::Error)]
#[error("errcode {errcode}")]
pub(super) struct Refusal {
    family: Family,
    errcode: i64,
    words: Cow<'static, str>,
    at: Instant,
}

/// What a handler returns.
pub(super) type Answer = Result<HttpResponse, Refusal>;

/// What the journal notes of a refusal; it travels beside the answer.
#[derive(Clone, Debug)]
pub(super) struct Traced {
    pub(super) errcode: i64,
    pub(super) rid: String,
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        StatusCode::OK
    }

    fn error_response(&self) -> HttpResponse {
        let (errcode, words) = (self.errcode, &self.words);
        let (rid, errmsg) = match self.family {
            Family::Sns => traced(rid(self.at), |rid| format!("{words}, rid: {rid}")),
            Family::Cgi => traced(rid(self.at), |rid| format!("{words} rid: {rid}")),
            Family::Work => traced(hint(self.at), |hint| {
                format!(
                    "{words}, hint: [{hint}], from ip: 127.0.0.1, more info at \
                     https://open.work.weixin.qq.com/devtool/query?e={errcode}"
                )
            }),
        };
        let mut response = self.family.answer(&Refused { errcode, errmsg: &errmsg });
        if self.family == Family::Work {
            put_headers(&mut response, errcode, &errmsg);
        }
        response.extensions_mut().insert(Traced { errcode, rid });
        response
    }
}

fn traced(id: String, say: impl Fn(&str) -> String) -> (String, String) {
    let errmsg = say(&id);
    (id, errmsg)
}

/// WeCom says it in headers too.
fn put_headers(response: &mut HttpResponse, errcode: i64, errmsg: &str) {
    use actix_web::http::header::{HeaderName, HeaderValue};
    if let Ok(text) = HeaderValue::from_str(errmsg) {
        response.headers_mut().insert(HeaderName::from_static("error-code"), HeaderValue::from(errcode));
        response.headers_mut().insert(HeaderName::from_static("error-msg"), text);
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
pub(super) fn rid(at: Instant) -> String {
    format!("{:08x}-{:08x}-{:08x}", at.timestamp(), rand::random::<u32>(), rand::random::<u32>())
}

/// WeCom's number of a request: 25 digits that begin with Unix seconds.
fn hint(at: Instant) -> String {
    format!("{:010}{:015}", at.timestamp(), rand::random_range(0..1_000_000_000_000_000_u64))
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
        40004 => "invalid media type",
        40008 => "invalid message type",
        40013 => "invalid appid",
        40014 => "invalid access_token",
        40029 => "invalid code",
        40037 => "invalid template_id",
        40056 => "invalid agentid",
        40066 => "invalid url",
        40097 => "invalid args",
        40125 => "invalid appsecret",
        40129 => "invalid scene",
        40163 => "code been used",
        40164 => "invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist",
        40165 => "invalid weapp pagepath",
        40169 => "invalid length for scene, or the data is not json string",
        40212 => "invalid query",
        40226 => "code blocked",
        more => more_words(more),
    }
}

fn more_words(errcode: i64) -> &'static str {
    match errcode {
        41001 => "access_token missing",
        41002 => "appid missing",
        41004 => "appsecret missing",
        41008 => "missing code",
        41030 => "invalid page",
        42001 => "access_token expired",
        43001 => "require GET method",
        43002 => "require POST method",
        43101 => "user refuse to accept the msg",
        44002 => "empty post data",
        44004 => "empty content",
        44990 => "reach max api second frequence limit",
        44991 => "reach max api minute frequence limit",
        44993 => "reach max api day frequence limit",
        45009 => "reach max api daily quota limit",
        45011 => "api minute-quota reach limit mustslower retry next minute",
        45029 => "qrcode count out of limit",
        47001 => "data format error",
        48006 => "forbid to clear quota because of reaching the limit",
        61010 => "code is expired",
        76001 => "rid not found",
        76022 => "could not use this rid, it is from a sns api",
        81013 => "user & party & tag all invalid",
        85079 => "miniprogram has no online release",
        85401 => "time limit between 1min and 1year",
        85402 => "invalid env_version",
        85403 => "link not exist",
        87007 => "session_key is not existd or expired",
        87008 => "invalid sig_method",
        87009 => "invalid signature",
        87014 => "risky content",
        93000 => "invalid webhook url",
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
    async fn wecom_has_a_format_of_its_own() {
        let clock = Clock::standing_at("2023-02-10T07:54:00Z".parse().unwrap());
        let response = Family::Work.refuse(40001, clock.now());
        let header = |name: &str| response.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(header("error-code"), "40001");
        let errmsg = header("error-msg");
        assert!(errmsg.starts_with("invalid credential, hint: [1676015640"), "{errmsg}");
        assert!(errmsg.ends_with("https://open.work.weixin.qq.com/devtool/query?e=40001"), "{errmsg}");
        assert_eq!(crate::wechat::hint_of(&errmsg).unwrap().len(), 25);
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
