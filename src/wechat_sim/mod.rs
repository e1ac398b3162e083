//! A simulator of the WeChat server API on a port of its own: what the real one answers, without an account or network.
//!
//! Development, tests and demonstrations point [`crate::wechat::Client`] at it, so that the code which talks to WeChat is
//! exercised every day, its errors and delays included. WeCom stands on the same port. Next: `login`, `token` and their neighbours
//! for what is offered, `controls` for what only the simulator can do, `answers` for how an answer looks.

mod answers;
mod call;
mod checks;
mod codes;
mod controls;
mod draw;
mod faults;
mod identifiers;
mod journal;
mod links;
mod login;
mod messages;
mod operator;
mod organisation;
mod people;
mod phone;
mod pictures;
mod push;
mod quota;
mod session_key;
mod settings;
mod subscriptions;
mod templates;
#[cfg(test)]
pub(crate) mod tests;
mod token;
mod wecom;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64},
    },
    time::Duration,
};

use actix_web::{
    App, HttpServer,
    dev::Server,
    middleware::from_fn,
    web::{self, Data, PayloadConfig, ServiceConfig},
};
use secrecy::ExposeSecret;

pub use self::settings::Settings;
#[cfg(test)]
pub(crate) use self::templates::fits;
pub(crate) use self::templates::is_key;
use self::{
    checks::Verdicts, faults::Faults, journal::Journal, links::Links, messages::Messages, organisation::Organisation,
    people::People, quota::Quotas, subscriptions::Subscriptions, token::Tokens,
};
use crate::{clock::Clock, wechat::push::Inbox};

/// The largest body any interface takes; the real one takes more, for pictures.
const BODY_BYTES: usize = 64 * 1024;
/// How long a client may take to send the head of its request.
const HEAD_WITHIN: Duration = Duration::from_secs(5);

/// Everything the simulator knows. Each part has its lock, which is never held across an await.
struct World {
    settings: Settings,
    clock: Clock,
    http: reqwest::Client,
    /// Signs and seals what is pushed.
    inbox: Inbox,
    people: Mutex<People>,
    organisation: Mutex<Organisation>,
    tokens: Mutex<Tokens>,
    quotas: Mutex<Quotas>,
    subscriptions: Mutex<Subscriptions>,
    messages: Mutex<Messages>,
    verdicts: Mutex<Verdicts>,
    links: Mutex<Links>,
    /// Pages of the published version; none said: every page.
    pages: Mutex<Option<Vec<String>>>,
    limited_codes: AtomicU64,
    faults: Mutex<Faults>,
    journal: Mutex<Journal>,
    chaos: AtomicBool,
}

impl World {
    fn new(settings: Settings, clock: Clock) -> io::Result<Self> {
        let inbox = Inbox::new(&settings.push_token, &settings.push_aes_key, &settings.app_id);
        // Whoever installed a provider first is as good; building without any would panic.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .redirect(reqwest::redirect::Policy::none())
            .timeout(settings.push_within)
            .build();
        Ok(Self {
            clock,
            http: http.map_err(io::Error::other)?,
            inbox: inbox.map_err(io::Error::other)?,
            people: Mutex::default(),
            organisation: Mutex::default(),
            tokens: Mutex::default(),
            quotas: Mutex::default(),
            subscriptions: Mutex::new(Subscriptions::new(settings.templates.clone())),
            messages: Mutex::default(),
            verdicts: Mutex::default(),
            links: Mutex::default(),
            pages: Mutex::default(),
            limited_codes: AtomicU64::default(),
            faults: Mutex::default(),
            journal: Mutex::default(),
            chaos: AtomicBool::default(),
            settings,
        })
    }

    /// What is wrong with these credentials, in the order WeChat looks at them: the app id comes before all else.
    fn refuses(&self, app_id: &str, secret: &str) -> Option<i64> {
        if app_id.is_empty() {
            Some(41002)
        } else if app_id != self.settings.app_id {
            Some(40013)
        } else if secret.is_empty() {
            Some(41004)
        } else if secret != self.settings.secret.expose_secret() {
            Some(40125)
        } else {
            None
        }
    }

    /// Whether the published version has a page; the first page, which has no name here, is there with any other.
    fn publishes(&self, page: &str) -> bool {
        lock(&self.pages).as_ref().is_none_or(|pages| {
            if page.is_empty() { !pages.is_empty() } else { pages.iter().any(|published| published == page) }
        })
    }

    fn publishes_nothing(&self) -> bool {
        lock(&self.pages).as_ref().is_some_and(Vec::is_empty)
    }
}

/// Takes a lock even when a holder panicked: a simulator that lies down for good helps nobody.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Binds the simulator to `address` (port 0 takes a free one) and returns where it listens and the server to run.
///
/// It knows one mini program and one organisation, those of `settings`. Its time is `clock`, which `POST /_sim/clock`
/// winds forward.
pub fn bind(address: &str, settings: Settings, clock: Clock) -> io::Result<(SocketAddr, Server)> {
    let world = Data::new(World::new(settings, clock)?);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(world.clone())
            .app_data(PayloadConfig::new(BODY_BYTES))
            .app_data(controls::json_config())
            .configure(routes)
    })
    .workers(1)
    .client_request_timeout(HEAD_WITHIN)
    .disable_signals()
    .bind(address)?;
    let listening = server.addrs().first().copied().ok_or_else(|| io::Error::other("bound to no address"))?;
    Ok((listening, server.run()))
}

fn routes(config: &mut ServiceConfig) {
    config
        .service(web::scope("/_sim").configure(controls::routes))
        .service(wechat_scope("/sns", login::routes))
        .service(wechat_scope("/cgi-bin", |config| {
            config
                .configure(token::routes)
                .configure(subscriptions::routes)
                .configure(operator::routes)
                .configure(wecom::routes)
                .configure(messages::routes);
        }))
        .service(wechat_scope("/wxa", |config| {
            config
                .configure(session_key::routes)
                .configure(phone::routes)
                .configure(pictures::routes)
                .configure(links::routes)
                .configure(checks::routes);
        }));
}

/// One family of WeChat interfaces: journal and faults come first, and an unknown name is an "invalid url".
fn wechat_scope(prefix: &str, routes: fn(&mut ServiceConfig)) -> impl actix_web::dev::HttpServiceFactory + use<> {
    web::scope(prefix)
        .wrap(from_fn(faults::intercept))
        .configure(routes)
        .default_service(web::to(answers::unknown_interface))
}
