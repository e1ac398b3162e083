//! For operators: is it up, is it ready, what does it count, what is the contract.
//!
//! `/healthz` asks nothing of the database, `/readyz` everything a call would need. `/docs` works without a network.

use actix_web::{HttpResponse, get, http::header, web, web::Data, web::Path};
use sea_orm::ConnectionTrait;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{
    app::App,
    http::json,
    jobs,
    problem::{Code, Language, Problem},
};

/// Calls outside the versioned API that the contract describes.
pub fn routes(config: &mut ServiceConfig) {
    config.service(healthz).service(readyz).service(count_metrics).service(explain_problem);
}

/// The document itself and its reader.
pub fn documentation(config: &mut web::ServiceConfig) {
    let document = async |app: Data<App>| {
        HttpResponse::Ok()
            .content_type("application/json")
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .body(app.openapi.clone())
    };
    config
        .route("/openapi.json", web::get().to(document))
        .service(web::redirect("/docs", "/docs/"))
        .service(SwaggerUi::new("/docs/{_:.*}").config(Config::from("/openapi.json")));
}

/// The process answers.
#[derive(Serialize, ToSchema)]
pub struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

/// What a call would need, part by part.
#[derive(Serialize, ToSchema)]
pub struct Readiness {
    /// `ok` or `not_ready`.
    status: &'static str,
    /// `sqlite` or `postgres`.
    engine: &'static str,
    /// The database answers.
    database: bool,
    /// Every migration is applied.
    migrations: bool,
    /// Seconds the job that is due longest has been waiting.
    queue_age_s: i64,
}

/// The process is up.
#[utoipa::path(tag = "operations", security(()), responses((status = 200, body = Health)))]
#[get("/healthz")]
pub async fn healthz() -> Result<HttpResponse, Problem> {
    json(&Health { status: "ok" })
}

/// The process can serve: database, migrations, queue.
#[utoipa::path(tag = "operations", security(()), responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
#[get("/readyz")]
pub async fn readyz(app: Data<App>) -> HttpResponse {
    let database = app.db.read().execute_unprepared("SELECT 1").await.is_ok();
    // A database that is away keeps each question waiting for seconds: one is enough.
    let migrations = database && app.db.migrations().await.is_ok_and(|steps| steps.iter().all(|(_, applied)| *applied));
    let queue_age_s = if database { jobs::queue_age_s(app.db.read(), app.clock.now()).await.unwrap_or(-1) } else { -1 };
    let ready = database && migrations;
    let status = if ready { "ok" } else { "not_ready" };
    let body = Readiness { status, engine: app.db.engine(), database, migrations, queue_age_s };
    if ready {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().insert_header(("Retry-After", "2")).json(body)
    }
}

/// Counters, for Prometheus.
#[utoipa::path(tag = "operations", security(()), responses((status = 200, body = String, content_type = "text/plain")))]
#[get("/metrics")]
pub async fn count_metrics(app: Data<App>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(app.metrics.render())
}

/// What a code means.
#[derive(Serialize, ToSchema)]
pub struct CodeView {
    code: &'static str,
    status: u16,
    zh: String,
    en: String,
}

/// Explains a problem code.
#[utoipa::path(tag = "operations", security(()), params(("code" = String, Path)), responses((status = 200, body = CodeView)))]
#[get("/problems/{code}")]
pub async fn explain_problem(code: Path<String>) -> Result<HttpResponse, Problem> {
    let code = Code::ALL.iter().find(|known| known.slug() == *code).ok_or_else(Problem::not_found)?;
    json(&CodeView {
        code: code.slug(),
        status: code.status().as_u16(),
        zh: code.detail(Language::ZhCn),
        en: code.detail(Language::En),
    })
}
