//! What stands around every handler: request id, failures in the caller's language, security headers, counters.

use std::{panic::AssertUnwindSafe, time::Duration};

use actix_web::{
    Error, HttpMessage, HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use futures_util::FutureExt;
use uuid::Uuid;

use crate::{
    app::App,
    problem::{Code, Language, Problem},
};

/// Names one call in answers and logs; taken from `X-Request-Id` when it is a plain short word, else made.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// The middleware.
pub async fn envelope(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    #[allow(clippy::disallowed_types, reason = "a span of time, not a point in it")]
    let began = std::time::Instant::now();
    let id = request_id(req.headers());
    req.extensions_mut().insert(RequestId(id.clone()));
    let asked = Asked::of(req.request(), &id);
    let outcome = AssertUnwindSafe(next.call(req)).catch_unwind().await;
    let mut failure = match outcome {
        Ok(Ok(answer)) => {
            let (http, answer) = answer.into_parts();
            let mut answer = match answer.error().map(|fault| render(fault, &asked)) {
                Some(failure) => failure,
                None => answer.map_into_boxed_body(),
            };
            headers(answer.headers_mut(), &id);
            let route = http.match_pattern().unwrap_or_else(|| NO_ROUTE.to_owned());
            count(&asked, route, answer.status(), began.elapsed());
            return Ok(ServiceResponse::new(http, answer));
        }
        Ok(Err(fault)) => render(&fault, &asked),
        Err(_) => respond(&Problem::unexpected("a handler panicked"), &asked),
    };
    // The request is gone with what failed; the framework sends the finished answer an error carries.
    headers(failure.headers_mut(), &id);
    count(&asked, NO_ROUTE.to_owned(), failure.status(), began.elapsed());
    Err(InternalError::from_response("", failure).into())
}

/// What is counted for calls that failed before or beside their route.
const NO_ROUTE: &str = "none";

/// What an answer needs to know of its call. The request itself must have one owner while it is routed, or routing panics.
struct Asked {
    id: String,
    method: String,
    path: String,
    language: Language,
}

impl Asked {
    fn of(http: &HttpRequest, id: &str) -> Self {
        let language = http.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Self {
            id: id.to_owned(),
            method: http.method().as_str().to_owned(),
            path: http.path().to_owned(),
            language: Language::preferred(language),
        }
    }
}

/// Ours as it is, the framework's by its status.
fn render(fault: &Error, asked: &Asked) -> HttpResponse {
    if let Some(problem) = fault.as_error::<Problem>() {
        return respond(problem, asked);
    }
    let code = match fault.as_response_error().status_code() {
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
        StatusCode::REQUEST_TIMEOUT => Code::Timeout,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
        status if status.is_client_error() => Code::Malformed,
        _ => return respond(&Problem::unexpected(fault), asked),
    };
    respond(&Problem::new(code), asked)
}

fn respond(problem: &Problem, asked: &Asked) -> HttpResponse {
    if let Some(reason) = problem.source_text() {
        let level_is_error = problem.code() == Code::Unexpected;
        if level_is_error {
            tracing::error!(request.id = asked.id, http.path = asked.path, reason, "a call failed unexpectedly");
        } else {
            tracing::warn!(request.id = asked.id, http.path = asked.path, reason, "a call could not be served now");
        }
    }
    problem.respond(asked.language, &asked.path, &asked.id)
}

fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get("X-Request-Id").and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (8..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    given.filter(plain).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

fn headers(headers: &mut HeaderMap, id: &str) {
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
        (
            "content-security-policy",
            "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
        ),
        ("strict-transport-security", "max-age=31536000"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        let rule = if headers.contains_key(header::ETAG) { "private, no-cache" } else { "no-store" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(rule));
    }
    headers.append(header::VARY, HeaderValue::from_static("Accept-Language, Authorization"));
}

fn count(asked: &Asked, route: String, status: StatusCode, took: Duration) {
    let method = asked.method.clone();
    tracing::debug!(
        request.id = asked.id,
        http.method = method,
        http.route = route,
        http.status = status.as_u16(),
        http.took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        "{method} {route} {}",
        status.as_u16()
    );
    let labels = [("route", route), ("method", method), ("status", status.as_str().to_owned())];
    metrics::counter!("shuoshi_http_requests_total", &labels).increment(1);
    metrics::histogram!("shuoshi_http_request_seconds", &labels[..2]).record(took.as_secs_f64());
}

/// What no route took: 405 with `Allow` when the address takes other methods, else 404.
pub async fn fallback(app: Data<App>, req: HttpRequest) -> HttpResponse {
    let id = req.extensions().get::<RequestId>().map_or_else(String::new, |id| id.0.clone());
    let asked = Asked::of(&req, &id);
    let allowed = app.routes.methods_of(req.path());
    if allowed.is_empty() {
        return respond(&Problem::not_found(), &asked);
    }
    let mut answer = respond(&Problem::new(Code::MethodNotAllowed), &asked);
    if let Ok(value) = HeaderValue::from_str(&allowed.join(", ")) {
        answer.headers_mut().insert(header::ALLOW, value);
    }
    answer
}
