//! The application: what it is made of, where its calls are, how it starts and stops. Start reading here.
//!
//! [`App`] holds everything a handler may need; [`routes`] lists the features, each a folder of one shape
//! (`api` -> `ops` -> rules -> `entity`); [`serve`] runs it. The shape is drawn in `src/guide/architecture.md`.

use std::{net::TcpListener, sync::Arc, time::Duration};

use actix_web::{
    HttpServer,
    dev::{Server, ServerHandle},
    middleware::{Compress, from_fn},
    web::{self, Data, PathConfig, PayloadConfig},
};
use arc_swap::ArcSwap;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;
use utoipa_actix_web::{AppExt, scope, service_config::ServiceConfig};

use crate::{
    audit,
    auth::{self, Keyring, Limits, Passwords},
    calendar::{self, Calendar},
    call_list, cases, catalogue,
    clock::Clock,
    config::{Config, ConfigFault},
    content,
    crypto::FieldKeys,
    db::Db,
    dev, divisions,
    files::{self, Files},
    http::{self, Lane},
    lists, notices, open311, openapi, operations, people,
    problem::Problem,
    publications, pushes, reports,
    settings::{self, Settings},
    sms::Sms,
    staffing, subscriptions, talks, telemetry, webhooks, wechat, wecom,
};

/// Everything a handler, a job or a command may need.
pub struct App {
    /// The configuration it was built from.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// The `WeChat` server API.
    pub wechat: wechat::Client,
    /// The `WeCom` server API.
    pub wecom: wecom::Client,
    /// Robots of staff's groups in `WeCom`.
    pub robots: wecom::Robots,
    /// What believes or refuses what is pushed to us; none where no token is configured.
    pub pushes: Option<Arc<wechat::push::Inbox>>,
    /// Text messages.
    pub sms: Sms,
    /// How fast messages to villagers leave.
    pub pace: notices::Pace,
    /// Access tokens.
    pub keyring: Keyring,
    /// Staff passwords.
    pub passwords: Passwords,
    /// Sealing of personal data.
    pub field_keys: FieldKeys,
    /// Throttles by address.
    pub limits: Limits,
    /// Working days; replaced when another calendar is published.
    pub calendar: ArcSwap<Calendar>,
    /// What places set for themselves; replaced when one sets something.
    pub settings: ArcSwap<Settings>,
    /// Names of service items.
    pub item_names: catalogue::ItemNames,
    /// What versions of service items ask for.
    pub requirements: catalogue::RequirementsOfItems,
    /// Who is behind a token.
    pub sessions: auth::Sessions,
    /// What is asked for by number and phone tail.
    pub tracking: cases::Tracking,
    /// Villagers who want a place on a talk day.
    pub bookings: Lane<talks::Wish>,
    /// Who watches which line.
    pub watches: talks::Watches,
    /// Villagers who file a case.
    pub filings: Lane<cases::Wish>,
    /// The way to servers of others that are told of cases.
    pub webhooks: webhooks::Sender,
    /// Where files lie, and what makes them fit to be kept.
    pub files: Files,
    /// The contract, written out.
    pub openapi: String,
    /// Addresses and their methods.
    pub routes: openapi::Routes,
    /// Counters.
    pub metrics: PrometheusHandle,
    /// Cancelled when the process is asked to stop; everything long-lived listens to it.
    pub stopping: CancellationToken,
}

/// Why the application did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// Configuration.
    #[error(transparent)]
    Config(#[from] ConfigFault),
    /// The database cannot be reached or brought up to date.
    #[error("database: {0}")]
    Database(#[from] sea_orm::DbErr),
    /// The client of the `WeChat` or `WeCom` server API.
    #[error("WeChat client: {0}")]
    Wechat(#[from] reqwest::Error),
    /// The listener.
    #[error("cannot listen on {0}: {1}")]
    Listen(String, std::io::Error),
    /// Anything else, said in words.
    #[error("{0}")]
    Other(String),
}

impl From<Problem> for StartFault {
    fn from(problem: Problem) -> Self {
        Self::Other(problem.source_text().unwrap_or(problem.code().slug()).to_owned())
    }
}

/// Puts the application together on a database that is up to date.
pub async fn build(config: Config, db: Db, clock: Clock) -> Result<Arc<App>, StartFault> {
    config.check()?;
    let document = openapi::document();
    let settings = wechat::Settings {
        base_url: config.wechat.base_url.clone(),
        app_id: config.wechat.app_id.clone(),
        secret: config.wechat.secret.clone(),
    };
    let wecom_settings = wecom::Settings {
        base_url: config.wecom.base_url.clone(),
        corp_id: config.wecom.corp_id.clone(),
        secret: config.wecom.secret.clone(),
        agent_id: config.wecom.agent_id.clone(),
    };
    let calendar = Arc::new(calendar::latest(db.read()).await?);
    let of_places = settings::load(db.read(), Arc::clone(&calendar)).await?;
    let metrics = telemetry::metrics().map_err(|fault| StartFault::Other(fault.to_string()))?;
    Ok(Arc::new(App {
        wechat: wechat::Client::new(settings, clock.clone())?,
        wecom: wecom::Client::new(wecom_settings, clock.clone())?,
        robots: wecom::Robots::new(&config.wecom.base_url)?,
        pushes: pushes::inbox(&config.wechat),
        sms: Sms::new(&config.sms)?,
        pace: notices::Pace::new(config.notices.per_minute),
        keyring: Keyring::new(&config.auth)?,
        passwords: Passwords::default(),
        field_keys: FieldKeys::new(&config.crypto)?,
        limits: Limits::new(&config.auth.throttle),
        calendar: ArcSwap::new(calendar),
        settings: ArcSwap::from_pointee(of_places),
        item_names: catalogue::ItemNames::default(),
        requirements: catalogue::RequirementsOfItems::new(clock.clone()),
        sessions: auth::sessions(&db),
        tracking: cases::tracking(&db),
        bookings: talks::lane(&db),
        watches: talks::Watches::default(),
        filings: cases::lane(&db),
        webhooks: webhooks::Sender::new(&config.webhooks),
        files: Files::open(&config)?,
        openapi: document.to_string(),
        routes: openapi::Routes::of(&document),
        metrics,
        stopping: CancellationToken::new(),
        config,
        db,
        clock,
    }))
}

/// The calls of every feature, and those of the operator.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(
            scope("/api/v1")
                .configure(auth::routes)
                .configure(people::routes)
                .configure(notices::routes)
                .configure(divisions::routes)
                .configure(talks::routes)
                .configure(catalogue::routes)
                .configure(cases::routes)
                .configure(audit::routes)
                .configure(lists::routes)
                .configure(staffing::routes)
                .configure(settings::routes)
                .configure(webhooks::routes)
                .configure(open311::routes)
                .configure(reports::routes)
                .configure(subscriptions::routes)
                .configure(content::routes)
                .configure(publications::routes)
                .configure(files::routes)
                .configure(call_list::routes),
        )
        .configure(open311::facade)
        .configure(pushes::routes)
        .configure(files::media)
        .configure(operations::routes);
}

/// The running server; await it to serve.
pub fn serve(app: &Arc<App>, listener: TcpListener) -> Result<Server, StartFault> {
    let address = app.config.http.bind.clone();
    let workers = match app.config.http.workers {
        0 => std::thread::available_parallelism().map_or(2, usize::from),
        workers => workers,
    };
    let shared = app.clone();
    let factory = move || {
        let data = Data::from(shared.clone());
        let development = !shared.config.is_production();
        actix_web::App::new()
            .into_utoipa_app()
            .app_data(data)
            .app_data(PayloadConfig::new(shared.config.http.body_limit))
            .app_data(PathConfig::default().error_handler(|_, _| Problem::not_found().into()))
            .configure(routes)
            .into_app()
            .configure(operations::documentation)
            .configure(move |config| {
                if development {
                    dev::routes(config);
                }
            })
            .default_service(web::to(http::fallback))
            // The last wrapped stands outermost: the envelope sees every failure and every finished answer.
            .wrap(from_fn(auth::authenticate))
            .wrap(Compress::default())
            .wrap(from_fn(http::envelope))
    };
    let server = HttpServer::new(factory)
        .workers(workers)
        .shutdown_timeout(2)
        .client_request_timeout(Duration::from_secs(10))
        .client_disconnect_timeout(Duration::from_secs(1))
        .keep_alive(Duration::from_mins(1))
        .disable_signals()
        .listen(listener)
        .map_err(|fault| StartFault::Listen(address, fault))?;
    Ok(server.run())
}

/// Stops a server within three seconds: long-lived answers are ended, then calls in flight get two seconds.
pub async fn stop(app: &App, server: &ServerHandle) {
    app.stopping.cancel();
    server.stop(true).await;
}
