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
use tokio::time::timeout;
use uuid::Uuid;

use crate::{
    app::App,
    problem::{Code, Language, Problem},
};

/// Names one call in answers and logs; taken from `X-Request-Id` when it is a plain short word, else made.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// What is kept of a call while its handler has the request.
struct Asked {
    id: String,
    method: String,
    path: String,
    language: Language,
}

/// The middleware.
pub async fn envelope(
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    drop_claims_of_cloud_run(&mut req);
    #[allow(clippy::disallowed_types, reason = "a span of time, not a point in it")]
    let began = std::time::Instant::now();
    let language = req.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let asked = Asked {
        id: request_id(req.headers()),
        method: req.method().to_string(),
        path: req.path().to_owned(),
        language: Language::preferred(language),
    };
    req.extensions_mut().insert(RequestId(asked.id.clone()));
    let within = deadline(&req);
    let outcome = timeout(within, AssertUnwindSafe(next.call(req)).catch_unwind()).await;
    let fault: Error = match outcome.unwrap_or_else(|_| Ok(Err(Problem::busy(&"there was no answer in time").into()))) {
        Ok(Ok(answer)) => {
            let mut answer = match answer.response().error().map(|fault| render(fault, &asked)) {
                Some(failure) => answer.into_response(failure),
                None => answer.map_into_boxed_body(),
            };
            headers(answer.headers_mut(), &asked.id);
            let route = answer.request().match_pattern();
            count(&asked, route, answer.status(), began.elapsed());
            return Ok(answer);
        }
        Ok(Err(fault)) => fault,
        Err(_) => Problem::unexpected("a handler panicked").into(),
    };
    let mut failure = render(&fault, &asked);
    headers(failure.headers_mut(), &asked.id);
    count(&asked, None, failure.status(), began.elapsed());
    Err(InternalError::from_response(fault, failure).into())
}

/// `X-WX-OPENID` and its like say who is calling, and anybody can write them: they are for nobody's eyes unless `WeChat`
/// Cloud Run stands in front, which overwrites them.
fn drop_claims_of_cloud_run(req: &mut ServiceRequest) {
    if req.app_data::<Data<App>>().is_some_and(|app| app.config.http.cloud_run) {
        return;
    }
    let claims: Vec<HeaderName> =
        req.headers().keys().filter(|name| name.as_str().starts_with("x-wx-")).cloned().collect();
    for name in claims {
        req.headers_mut().remove(name);
    }
}

/// What brings a file, which takes its time over a weak line.
const FILES: [&str; 3] = ["multipart/", "text/csv", "application/vnd.openxmlformats-officedocument."];

/// A database that has fallen silent must not keep callers waiting for ever. Who sends a file is given longer.
fn deadline(req: &ServiceRequest) -> Duration {
    let kind = req.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let configured = req.app_data::<Data<App>>().map(|app| Duration::from_secs(app.config.http.answer_within_s));
    configured.filter(|_| !FILES.iter().any(|start| kind.starts_with(start))).unwrap_or(Duration::from_hours(1))
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
        if problem.code() == Code::Unexpected {
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
        ("strict-transport-security", "max-age=31536000"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    // Bytes that people brought come with a rule of their own.
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY) {
        let rule = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(rule));
    }
    // "identity" only told the compression to leave this one alone; on the wire it means nothing (RFC 9110, 8.4.1).
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding == "identity") {
        headers.remove(header::CONTENT_ENCODING);
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        let rule = if headers.contains_key(header::ETAG) { "private, no-cache" } else { "no-store" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(rule));
    }
    headers.append(header::VARY, HeaderValue::from_static("Accept-Language, Authorization"));
}

fn count(asked: &Asked, route: Option<String>, status: StatusCode, took: Duration) {
    let route = route.unwrap_or_else(|| "none".to_owned());
    tracing::debug!(
        request.id = asked.id,
        http.method = asked.method,
        http.route = route,
        http.status = status.as_u16(),
        http.took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        "{} {route} {}",
        asked.method,
        status.as_u16()
    );
    let labels = [("route", route), ("method", asked.method.clone()), ("status", status.as_str().to_owned())];
    metrics::counter!("shuoshi_http_requests_total", &labels).increment(1);
    metrics::histogram!("shuoshi_http_request_seconds", &labels[..2]).record(took.as_secs_f64());
}

/// What no route took: 405 with `Allow` when the address takes other methods, else 404.
pub async fn fallback(app: Data<App>, req: HttpRequest) -> Result<HttpResponse, Problem> {
    let allowed = app.routes.methods_of(req.path());
    if allowed.is_empty() {
        Err(Problem::not_found())
    } else {
        Err(Problem::new(Code::MethodNotAllowed).allow(allowed))
    }
}
