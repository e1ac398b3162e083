//! A simulator of the WeChat server API on a port of its own: what the real one answers, without an account or network.
//!
//! Development, tests and demonstrations point [`crate::wechat::Client`] at it, so that the code which talks to WeChat is
//! exercised every day, its errors and delays included. Next: `login` and `token` for what WeChat offers, `controls`
//! for what only the simulator can do, `answers` for how an answer looks.

mod answers;
mod controls;
mod faults;
mod identifiers;
mod journal;
mod login;
mod people;
mod session_key;
#[cfg(test)]
pub(crate) mod tests;
mod token;

use std::{
    io,
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::{
    App, HttpServer,
    dev::Server,
    middleware::from_fn,
    web::{self, Data, PayloadConfig, ServiceConfig},
};
use secrecy::{ExposeSecret, SecretString};

#[cfg(test)]
pub(crate) use self::session_key::signature;
use self::{faults::Faults, journal::Journal, people::People, token::Tokens};
use crate::clock::Clock;

/// The largest body any interface takes; the real one takes more, for pictures.
const BODY_BYTES: usize = 64 * 1024;
/// How long a client may take to send the head of its request.
const HEAD_WITHIN: Duration = Duration::from_secs(5);

/// Everything the simulator knows. Each part has its lock, which is never held across an await.
struct World {
    app_id: String,
    secret: SecretString,
    clock: Clock,
    people: Mutex<People>,
    tokens: Mutex<Tokens>,
    faults: Mutex<Faults>,
    journal: Mutex<Journal>,
}

impl World {
    /// What is wrong with these credentials, in the order WeChat looks at them: the app id comes before all else.
    fn refuses(&self, app_id: &str, secret: &str) -> Option<i64> {
        if app_id.is_empty() {
            Some(41002)
        } else if app_id != self.app_id {
            Some(40013)
        } else if secret.is_empty() {
            Some(41004)
        } else if secret != self.secret.expose_secret() {
            Some(40125)
        } else {
            None
        }
    }
}

/// Takes a lock even when a holder panicked: a simulator that lies down for good helps nobody.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Binds the simulator to `address` (port 0 takes a free one) and returns where it listens and the server to run.
///
/// It knows one mini program, `app_id` with `secret`. Its time is `clock`, which `POST /_sim/clock` winds forward.
pub fn bind(address: &str, app_id: &str, secret: &str, clock: Clock) -> io::Result<(SocketAddr, Server)> {
    let world = Data::new(World {
        app_id: app_id.to_owned(),
        secret: secret.into(),
        clock,
        people: Mutex::default(),
        tokens: Mutex::default(),
        faults: Mutex::default(),
        journal: Mutex::default(),
    });
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
        .service(wechat_scope("/cgi-bin", token::routes))
        .service(wechat_scope("/wxa", session_key::routes));
}

/// One family of WeChat interfaces: journal and faults come first, and an unknown name is an "invalid url".
fn wechat_scope(prefix: &str, routes: fn(&mut ServiceConfig)) -> impl actix_web::dev::HttpServiceFactory + use<> {
    web::scope(prefix)
        .wrap(from_fn(faults::intercept))
        .configure(routes)
        .default_service(web::to(answers::unknown_interface))
}
