//! `serve`, `work` and `wechat-sim`: what runs until it is asked to stop.

use std::{
    net::{SocketAddr, TcpListener, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use actix_web::{dev::ServerHandle, rt};
use entity::division;
use sea_orm::{EntityTrait, QueryFilter};
use tokio::{net::TcpSocket, task::JoinHandle, time::timeout};

use super::{open, say};
use crate::{
    app::{self, App, StartFault},
    clock::Clock,
    config::Config,
    demo, jobs, telemetry, wechat_sim,
};

/// Connections that may wait to be taken; a rush at the opening of a talk day must not be turned away by the kernel.
const BACKLOG: u32 = 2048;
/// How long stopping may take altogether.
const STOP_WITHIN: Duration = Duration::from_millis(2800);

/// Serves until it is asked to stop.
pub(super) async fn serve() -> Result<(), StartFault> {
    let mut config = Config::load()?;
    telemetry::start_logs(&config.log);
    prepare_folder(&config)?;
    let listener = listen(&config.http.bind)?;
    let clock = Clock::system();
    if config.wechat_sim.push_url.is_empty() {
        let own = listener.local_addr().map_err(|fault| StartFault::Listen(config.http.bind.clone(), fault))?;
        config.wechat_sim.push_url = format!("http://{}/wechat/push", reachable(own));
    }
    let simulator = start_simulator(&mut config, &clock)?;
    let app = build(config, clock).await?;
    let server = app::serve(&app, listener.try_clone().map_err(|fault| cannot_listen(&app, fault))?)?;
    greet(&app, &listener, simulator.as_ref()).await?;
    let handle = server.handle();
    let mut serving = rt::spawn(server);
    let working = start_work(&app, app.config.jobs.enabled);
    let ended = tokio::select! {
        ended = &mut serving => Some(ended),
        () = asked_to_stop() => None,
    };
    stop(&app, &handle, ended.is_none().then_some(serving), working, simulator).await;
    match ended {
        Some(Ok(Err(fault))) => Err(StartFault::Other(format!("the server ended: {fault}"))),
        Some(Err(fault)) => Err(StartFault::Other(format!("the server ended: {fault}"))),
        _ => Ok(()),
    }
}

/// Runs jobs and sweeps until it is asked to stop.
pub(super) async fn work() -> Result<(), StartFault> {
    let config = Config::load()?;
    telemetry::start_logs(&config.log);
    prepare_folder(&config)?;
    let db = open(&config).await?;
    let app = app::build(config, db, Clock::system()).await?;
    refuse_demonstration(&app).await?;
    say(&format!("Shuoshi {} works on jobs and sweeps ({})", env!("CARGO_PKG_VERSION"), app.db.engine()));
    let working = start_work(&app, true);
    asked_to_stop().await;
    app.stopping.cancel();
    let _ = timeout(STOP_WITHIN, working).await;
    app.db.close().await;
    Ok(())
}

/// Serves the simulator alone.
pub(super) async fn simulate() -> Result<(), StartFault> {
    let mut config = Config::load()?;
    telemetry::start_logs(&config.log);
    config.wechat_sim.enabled = true;
    if let Some(simulator) = start_simulator(&mut config, &Clock::system())? {
        say(&format!("WeChat simulator on {}, app id {}", simulator.url, config.wechat.app_id));
        asked_to_stop().await;
        simulator.handle.stop(false).await;
    }
    Ok(())
}

struct Simulator {
    url: String,
    handle: ServerHandle,
}

/// Starts the simulator when the configuration wants it, and points the client at where it really listens.
fn start_simulator(config: &mut Config, clock: &Clock) -> Result<Option<Simulator>, StartFault> {
    if !config.wechat_sim.enabled {
        return Ok(None);
    }
    let settings = wechat_sim::Settings::of(config);
    let (address, server) = wechat_sim::bind(&config.wechat_sim.bind, settings, clock.clone()).map_err(|fault| {
        let hint = format!("{} (wechat_sim.bind)", config.wechat_sim.bind);
        StartFault::Listen(hint, fault)
    })?;
    let url = format!("http://{}", reachable(address));
    config.wechat.base_url.clone_from(&url);
    config.wecom.base_url.clone_from(&url);
    let handle = server.handle();
    rt::spawn(server);
    Ok(Some(Simulator { url, handle }))
}

async fn build(config: Config, clock: Clock) -> Result<Arc<App>, StartFault> {
    let db = open(&config).await?;
    let app = app::build(config, db, clock).await?;
    if app.config.is_production() {
        refuse_demonstration(&app).await?;
    } else {
        demo::load(&app).await?;
    }
    Ok(app)
}

async fn refuse_demonstration(app: &App) -> Result<(), StartFault> {
    if app.config.is_production() && demo::any_demonstration_account(app.db.read()).await? {
        let text = "this database has demonstration accounts, whose password everybody knows; use a fresh database";
        return Err(StartFault::Other(text.to_owned()));
    }
    Ok(())
}

fn prepare_folder(config: &Config) -> Result<(), StartFault> {
    let folder = &config.data.dir;
    std::fs::create_dir_all(folder)
        .map_err(|fault| StartFault::Other(format!("cannot make the folder {} (data.dir): {fault}", folder.display())))
}

fn listen(bind: &str) -> Result<TcpListener, StartFault> {
    let fault = |fault| StartFault::Listen(format!("{bind} (http.bind)"), fault);
    let nowhere = || fault(std::io::Error::other("no such address"));
    let address = bind.to_socket_addrs().map_err(fault)?.next().ok_or_else(nowhere)?;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(fault)?;
    #[cfg(unix)]
    socket.set_reuseaddr(true).map_err(fault)?;
    socket.bind(address).map_err(fault)?;
    socket.listen(BACKLOG).and_then(tokio::net::TcpListener::into_std).map_err(fault)
}

fn cannot_listen(app: &App, fault: std::io::Error) -> StartFault {
    StartFault::Listen(app.config.http.bind.clone(), fault)
}

/// Jobs and sweeps; without them only the look for what was published or set elsewhere.
fn start_work(app: &Arc<App>, jobs: bool) -> JoinHandle<()> {
    let app = app.clone();
    rt::spawn(async move { if jobs { jobs::work(&app).await } else { jobs::keep_current(&app).await } })
}

/// Says where everything is.
async fn greet(app: &App, listener: &TcpListener, simulator: Option<&Simulator>) -> Result<(), StartFault> {
    let address = reachable(listener.local_addr().map_err(|fault| cannot_listen(app, fault))?);
    let version = env!("CARGO_PKG_VERSION");
    say(&format!("Shuoshi 说事 {version} ({:?}, {})", app.config.environment, app.db.engine()));
    say(&format!("  API        http://{address}/api/v1"));
    say(&format!("  Docs       http://{address}/docs"));
    if let Some(simulator) = simulator {
        say(&format!("  WeChat     {} (simulator; make users and codes under /_sim)", simulator.url));
    }
    if !app.config.is_production() {
        let village = division::Entity::find().filter(division::COLUMN.code.eq(demo::VILLAGE));
        if let Some(village) = village.one(app.db.read()).await? {
            say(&format!("  Village    {} {}", village.display_name, village.id));
        }
        let names: Vec<&str> = demo::usernames().collect();
        say(&format!("  Sign in    {} (password {})", names.join(", "), demo::PASSWORD));
    }
    Ok(())
}

/// An address one can type: `0.0.0.0` is none.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    address
}

/// Ctrl-C or, where there is one, SIGTERM.
async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut term) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = term.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// Stops everything within three seconds; what is still open then is cut off.
async fn stop(
    app: &App,
    handle: &ServerHandle,
    serving: Option<JoinHandle<std::io::Result<()>>>,
    working: JoinHandle<()>,
    simulator: Option<Simulator>,
) {
    let all = async {
        app::stop(app, handle).await;
        if let Some(serving) = serving {
            let _ = serving.await;
        }
        let _ = working.await;
        if let Some(simulator) = simulator {
            simulator.handle.stop(false).await;
        }
    };
    if timeout(STOP_WITHIN, all).await.is_err() {
        tracing::warn!("stopping took too long; calls still open were cut off");
    }
    app.db.close().await;
}
