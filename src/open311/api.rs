//! `/open311/discovery`, `/open311/v2/services`, `/requests`, `/tokens`: what anybody may read.

use actix_web::{HttpRequest, HttpResponse, get, http::header::HOST, web::Data, web::Path};
use rust_i18n::t;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    find,
    format::{Answer, Fault, respond},
    views::{
        Open311Attribute, Open311Definition, Open311Discovery, Open311Endpoint, Open311Request, Open311Service,
        Open311Token, Open311Value,
    },
};
use crate::{
    app::App,
    auth::check_open_read,
    lists::{self, ListEntry},
    problem::Language,
};

/// When topics and this face of them last changed: what clients keep is good until then.
const CHANGED: &str = "2026-11-26T00:00:00Z";
/// The concerns that can be public.
pub(super) const CONCERNS: [&str; 3] = ["question", "help", "suggestion"];

/// `?jurisdiction_id=`
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes what is read by name")]
pub struct OfJurisdiction {
    /// Statistical code of a county, a township or a village; left out: the configured one.
    #[param(example = "511702108000")]
    jurisdiction_id: Option<String>,
}

/// What narrows the list of requests.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes what is read by name")]
pub struct ListOpen311Requests {
    /// Statistical code of a county, a township or a village; left out: the configured one.
    #[param(example = "511702108000")]
    jurisdiction_id: Option<String>,
    /// Up to 50 ids, joined by commas; then nothing else narrows.
    service_request_id: Option<String>,
    /// Codes of services, joined by commas.
    service_code: Option<String>,
    /// The earliest, as `2026-01-01T00:00:00Z`.
    start_date: Option<String>,
    /// The latest; at most 90 days after the earliest. Neither: the latest 90 days.
    end_date: Option<String>,
    /// `open`, `closed` or both, joined by a comma.
    status: Option<String>,
}

fn in_language(entry: &'static ListEntry, language: Language) -> &'static str {
    if language == Language::En { &entry.en } else { &entry.zh }
}

fn discovery(app: &App, req: &HttpRequest, language: Language) -> Result<Answer, Fault> {
    let configured = app.config.open311.public_url.trim_end_matches('/');
    // Without a configured address clients come back by the one they came by; what proxies claim is not believed.
    let base = if configured.is_empty() {
        let host = req.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        format!("http://{host}")
    } else {
        configured.to_owned()
    };
    Answer::of(
        "discovery",
        &Open311Discovery {
            changeset: CHANGED.to_owned(),
            contact: t!("open311.contact", locale = language.tag()).into_owned(),
            key_service: t!("open311.key_service", locale = language.tag()).into_owned(),
            endpoints: vec![Open311Endpoint {
                specification: "http://wiki.open311.org/GeoReport_v2",
                url: format!("{base}/open311/v2"),
                changeset: CHANGED.to_owned(),
                kind: if app.config.is_production() { "production" } else { "test" },
                formats: ["text/xml", "application/json"],
            }],
        },
    )
}

/// Where the Open311 endpoint is and what it speaks.
#[utoipa::path(
    tag = "open311", security(()), params(("format" = String, Path, description = "json or xml", pattern = "^(json|xml)$")),
    responses(
        (status = 200, content((Open311Discovery = "application/json"), (String = "text/xml")))
    )
)]
#[get("/open311/discovery.{format}")]
pub async fn discover_open311(
    app: Data<App>,
    req: HttpRequest,
    format: Path<String>,
    language: Language,
) -> HttpResponse {
    respond(&format, discovery(&app, &req, language))
}

/// Likewise, where clients look that know the endpoint only.
#[utoipa::path(
    tag = "open311", security(()), params(("format" = String, Path, description = "json or xml", pattern = "^(json|xml)$")),
    responses((status = 200, content((Open311Discovery = "application/json"), (String = "text/xml"))))
)]
#[get("/open311/v2/discovery.{format}")]
pub async fn discover_open311_v2(
    app: Data<App>,
    req: HttpRequest,
    format: Path<String>,
    language: Language,
) -> HttpResponse {
    respond(&format, discovery(&app, &req, language))
}

/// What one may ask for: the topics.
#[utoipa::path(
    tag = "open311", security(()),
    params(("format" = String, Path, description = "json or xml", pattern = "^(json|xml)$"), OfJurisdiction),
    responses((status = 200, content((Vec<Open311Service> = "application/json"), (String = "text/xml"))))
)]
#[get("/open311/v2/services.{format}")]
pub async fn list_open311_services(
    app: Data<App>,
    req: HttpRequest,
    format: Path<String>,
    language: Language,
) -> HttpResponse {
    let outcome = async {
        find::asked(&app, req.query_string()).await?;
        let service = |entry: &'static ListEntry| Open311Service {
            service_code: &entry.code,
            service_name: in_language(entry, language),
            description: t!("open311.about", locale = language.tag(), topic = in_language(entry, language))
                .into_owned(),
            metadata: true,
            kind: "realtime",
            keywords: [entry.zh.replace('、', ","), entry.en.clone()].join(","),
            group: t!("open311.group", locale = language.tag()).into_owned(),
        };
        let services: Vec<_> = lists::entries("topics").unwrap_or_default().iter().map(service).collect();
        Answer::of("services", &services)
    };
    respond(&format, outcome.await)
}

/// What a service wants to be filled in.
#[utoipa::path(
    tag = "open311", security(()),
    params(
        ("service_code" = String, Path, description = "A code of the list `topics`"),
        ("format" = String, Path, description = "json or xml", pattern = "^(json|xml)$"), OfJurisdiction
    ),
    responses((status = 200, content((Open311Definition = "application/json"), (String = "text/xml"))))
)]
#[get("/open311/v2/services/{service_code}.{format}")]
pub async fn define_open311_service(
    app: Data<App>,
    req: HttpRequest,
    path: Path<(String, String)>,
    language: Language,
) -> HttpResponse {
    let (code, format) = path.into_inner();
    let outcome = async {
        find::asked(&app, req.query_string()).await?;
        let topics = lists::entries("topics").unwrap_or_default();
        let topic = topics.iter().find(|entry| entry.code == code);
        let topic = topic.ok_or_else(|| Fault::new(404, "service_code provided was not found"))?;
        let concerns = lists::entries("concerns").unwrap_or_default().iter();
        let values = concerns.filter(|entry| CONCERNS.contains(&entry.code.as_str()));
        let values = values.map(|entry| Open311Value { key: &entry.code, name: in_language(entry, language) });
        let concern = Open311Attribute {
            variable: true,
            code: "concern",
            datatype: "singlevaluelist",
            required: true,
            datatype_description: None,
            order: 1,
            description: t!("open311.concern", locale = language.tag()).into_owned(),
            values: values.collect(),
        };
        Answer::of("service_definition", &Open311Definition { service_code: &topic.code, attributes: vec![concern] })
    };
    respond(&format, outcome.await)
}

/// Matters that anybody may see, the newest first, at most 1,000.
#[utoipa::path(
    tag = "open311", security(()),
    params(("format" = String, Path, description = "json or xml", pattern = "^(json|xml)$"), ListOpen311Requests),
    responses((status = 200, content((Vec<Open311Request> = "application/json"), (String = "text/xml"))))
)]
#[get("/open311/v2/requests.{format}")]
pub async fn list_open311_requests(
    app: Data<App>,
    req: HttpRequest,
    format: Path<String>,
    language: Language,
) -> HttpResponse {
    let outcome = async {
        check_open_read(&app, &req)?;
        let (asked, place) = find::asked(&app, req.query_string()).await?;
        let cases = find::many(&app, &place, &asked).await?;
        Answer::of("service_requests", &find::views(&app, cases, language).await?)
    };
    respond(&format, outcome.await)
}

/// One matter that anybody may see.
#[utoipa::path(
    tag = "open311", security(()),
    params(
        ("service_request_id" = String, Path),
        ("format" = String, Path, description = "json or xml", pattern = "^(json|xml)$"), OfJurisdiction
    ),
    responses((status = 200, content((Vec<Open311Request> = "application/json"), (String = "text/xml"))))
)]
#[get("/open311/v2/requests/{service_request_id}.{format}")]
pub async fn get_open311_request(
    app: Data<App>,
    req: HttpRequest,
    path: Path<(String, String)>,
    language: Language,
) -> HttpResponse {
    let (id, format) = path.into_inner();
    let outcome = async {
        let (_, place) = find::asked(&app, req.query_string()).await?;
        let case = find::one(&app, &place, &id, "service_request_id").await?;
        Answer::of("service_requests", &find::views(&app, vec![case], language).await?)
    };
    respond(&format, outcome.await)
}

/// The request of a token. Requests have their id at once here, and it is its own token.
#[utoipa::path(
    tag = "open311", security(()),
    params(
        ("token" = String, Path), ("format" = String, Path, description = "json or xml", pattern = "^(json|xml)$"),
        OfJurisdiction
    ),
    responses((status = 200, content((Vec<Open311Token> = "application/json"), (String = "text/xml"))))
)]
#[get("/open311/v2/tokens/{token}.{format}")]
pub async fn get_open311_token(app: Data<App>, req: HttpRequest, path: Path<(String, String)>) -> HttpResponse {
    let (token, format) = path.into_inner();
    let outcome = async {
        let (_, place) = find::asked(&app, req.query_string()).await?;
        let case = find::one(&app, &place, &token, "token").await?;
        let id = case.public_id.unwrap_or_default();
        Answer::of("service_requests", &[Open311Token { service_request_id: id.clone(), token: id }])
    };
    respond(&format, outcome.await)
}
