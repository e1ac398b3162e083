//! The contract: `/openapi.json`, read off the handlers, completed in one place, offline at `/docs`.
//!
//! Handlers declare what is theirs; failures, headers and security, which are the same everywhere, are added by
//! [`document`]. A test compares the result with a snapshot, another walks it with every kind of caller.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};
use utoipa_actix_web::AppExt;

use crate::{
    files::UploadView,
    open311::Open311Error,
    problem::{Code, ProblemSchema},
    webhooks::events::CaseCloudEvent,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Shuoshi (说事)",
        description = "Villagers reach their village: talk days, proxy services, one-stop tracking."
    ),
    security(("bearer" = [])),
    modifiers(&Bearer),
    components(schemas(ProblemSchema, CaseCloudEvent, Open311Error, UploadView)),
    tags(
        (name = "auth", description = "Signing in 登录"),
        (name = "me", description = "Oneself 我的"),
        (name = "divisions", description = "Places 区划"),
        (name = "talks", description = "Talk days 村民说事日"),
        (name = "catalogue", description = "Service items 事项目录"),
        (name = "cases", description = "Cases 办件"),
        (name = "staff", description = "Staff 工作人员"),
        (name = "reports", description = "Periodic lists and reports 上报"),
        (name = "open data", description = "What everybody may read 开放数据"),
        (name = "files", description = "Photos, voice notes, documents 文件"),
        (name = "lists", description = "Closed lists 字典"),
        (name = "connections", description = "Connected systems 系统对接"),
        (name = "open311", description = "Public matters for other programs (Open311 GeoReport v2) 公开诉求接口"),
        (name = "wechat", description = "What WeChat pushes to us 微信消息推送"),
        (name = "operations", description = "For operators 运维"),
    )
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        openapi.components.get_or_insert_default().add_security_scheme("bearer", scheme);
    }
}

/// The whole document.
#[must_use]
pub fn document() -> Value {
    let (_, collected) = actix_web::App::new()
        .into_utoipa_app()
        .openapi(Document::openapi())
        .configure(crate::app::routes)
        .split_for_parts();
    let mut document = serde_json::to_value(collected).unwrap_or_default();
    if let Some(Value::Object(paths)) = document.get_mut("paths") {
        for (path, methods) in paths.iter_mut() {
            let Value::Object(methods) = methods else { continue };
            for (method, operation) in methods.iter_mut() {
                if let Value::Object(operation) = operation {
                    if path.starts_with("/open311/") {
                        complete_open311(method, operation);
                        continue;
                    }
                    complete(method, operation);
                }
            }
        }
    }
    document
}

/// What is the same everywhere: failures and the headers of repeatable calls.
fn complete(method: &str, operation: &mut Map<String, Value>) {
    let public = operation.get("security").is_some_and(|security| *security == json!([{}]));
    let has_path = operation.get("parameters").and_then(Value::as_array).is_some_and(|parameters| {
        parameters.iter().any(|parameter| parameter.get("in").is_some_and(|place| place == "path"))
    });
    let mut codes = vec![Code::Malformed, Code::SignInRequired, Code::Invalid, Code::TooManyRequests, Code::Busy];
    if !public {
        codes.push(Code::NotYourDuty);
    }
    // What the caller may not know of is not there, also where a parameter or their own residence names it.
    if has_path || method != "get" || !public {
        codes.push(Code::NotFound);
    }
    if method != "get" {
        codes.extend([Code::Stale, Code::TooLarge, Code::UnsupportedMediaType]);
    }
    if let Some(Value::Object(responses)) = operation.get_mut("responses") {
        for (status, response) in responses.iter_mut() {
            describe(status, response);
        }
        for code in codes {
            let answer = || {
                json!({
                    "description": format!("{} (problem)", code.status().canonical_reason().unwrap_or_default()),
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                })
            };
            responses.entry(code.status().as_str()).or_insert_with(answer);
        }
    }
    // Clear data is never kept as an answer.
    let reveals = operation.get("operationId").and_then(Value::as_str).is_some_and(|id| id.starts_with("reveal_"));
    if method == "post" && !public && !reveals {
        let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
        if let Value::Array(parameters) = parameters {
            parameters.push(json!({
                "name": "Idempotency-Key", "in": "header", "required": false,
                "description": "8 to 64 visible ASCII characters; a repeat gets the first answer, marked Idempotency-Replayed: true. Kept 48 hours.",
                "schema": {"type": "string", "minLength": 8, "maxLength": 64, "pattern": "^[!-~]{8,64}$"},
            }));
            parameters.push(json!({
                "name": "X-Client-Time", "in": "header", "required": false,
                "description": "When the person acted by the client's clock; kept beside the server's time.",
                "schema": {"type": "string"},
            }));
        }
    }
}

/// Failures of Open311 have its own shape in the format that was asked for; what fails around it, ours.
fn complete_open311(method: &str, operation: &mut Map<String, Value>) {
    let mut statuses = vec![400, 401, 404, 429, 500, 503];
    if method != "get" {
        statuses.extend([403, 409, 413, 415, 422]);
    }
    let Some(Value::Object(responses)) = operation.get_mut("responses") else { return };
    for (status, response) in responses.iter_mut() {
        describe(status, response);
    }
    for status in statuses {
        let word = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Failure");
        let answer = json!({
            "description": word,
            "content": {
                "application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Open311Error"}}},
                "text/xml": {"schema": {"type": "string"}},
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
            },
        });
        responses.entry(status.to_string()).or_insert(answer);
    }
}

/// A response must have a description; the word of its status is one.
fn describe(status: &str, response: &mut Value) {
    let word = status.parse().ok().and_then(|status| StatusCode::from_u16(status).ok()?.canonical_reason());
    if let Value::Object(response) = response {
        let description = response.entry("description").or_insert_with(|| json!(""));
        if *description == json!("") {
            *description = json!(word.unwrap_or("Answer"));
        }
    }
}

/// Which methods each address takes: what a 405 names.
pub struct Routes(Vec<(Vec<Segment>, Vec<String>)>);

enum Segment {
    Fixed(String),
    /// `requests.{format}`
    Begins(String),
    Any,
}

impl Routes {
    /// Reads them off the document.
    #[must_use]
    pub fn of(document: &Value) -> Self {
        let mut routes = BTreeMap::<&str, Vec<String>>::new();
        let empty = Map::new();
        let paths = document.get("paths").and_then(Value::as_object).unwrap_or(&empty);
        for (path, methods) in paths {
            let names = methods.as_object().map(|methods| methods.keys().map(|name| name.to_uppercase()).collect());
            routes.insert(path, names.unwrap_or_default());
        }
        let cut = |path: &str| {
            let segment = |part: &str| match part.split_once('{') {
                None => Segment::Fixed(part.to_owned()),
                Some(("", _)) => Segment::Any,
                Some((start, _)) => Segment::Begins(start.to_owned()),
            };
            path.split('/').map(segment).collect()
        };
        Self(routes.into_iter().map(|(path, methods)| (cut(path), methods)).collect())
    }

    /// Methods that `path` takes; empty when it is no address of ours.
    #[must_use]
    pub fn methods_of(&self, path: &str) -> Vec<String> {
        let parts: Vec<&str> = path.split('/').collect();
        let fits = |route: &[Segment]| {
            route.len() == parts.len()
                && route.iter().zip(&parts).all(|(segment, part)| match segment {
                    Segment::Fixed(fixed) => fixed == part,
                    Segment::Begins(start) => part.len() > start.len() && part.starts_with(start.as_str()),
                    Segment::Any => !part.is_empty(),
                })
        };
        self.0.iter().filter(|(route, _)| fits(route)).flat_map(|(_, methods)| methods.clone()).collect()
    }
}
