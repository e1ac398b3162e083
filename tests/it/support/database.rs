//! Fresh databases: a template is migrated and filled once a build, then copied for every test.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, UNIX_EPOCH},
};

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use shuoshi::{
    app,
    clock::Clock,
    config::{self, Config, Environment, Synchronous},
    db::Db,
    demo,
};
use tempfile::TempDir;

use super::{Engine, app::monday_morning};

/// A database of one test.
pub struct TestDatabase {
    /// Its address, as `database.url` takes it.
    pub url: String,
    /// Where `SQLite` has its files; gone when this is dropped.
    pub folder: TempDir,
    name: Option<String>,
}

impl TestDatabase {
    /// Migrated, with divisions, calendar, catalogue and the demonstration village.
    pub async fn filled(engine: Engine) -> Self {
        let folder = TempDir::new().unwrap();
        match engine {
            Engine::Sqlite => {
                let template = sqlite_template().await;
                let file = folder.path().join("test.db");
                fs::copy(template, &file).unwrap();
                Self { url: sqlite_url(&file), folder, name: None }
            }
            Engine::Postgres => {
                let template = postgres_template().await;
                Self::on_postgres(folder, &format!(" TEMPLATE {template}")).await
            }
        }
    }

    /// Without a single table.
    pub async fn empty(engine: Engine) -> Self {
        let folder = TempDir::new().unwrap();
        match engine {
            Engine::Sqlite => Self { url: sqlite_url(&folder.path().join("test.db")), folder, name: None },
            Engine::Postgres => Self::on_postgres(folder, "").await,
        }
    }

    async fn on_postgres(folder: TempDir, how: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("t_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let server = maintenance().await;
        server.execute_unprepared(&format!("CREATE DATABASE {name}{how}")).await.unwrap();
        server.close().await.unwrap();
        Self { url: postgres_url(&name), folder, name: Some(name) }
    }

    /// Drops it. A panicking test may leave it to the throw-away server's end.
    pub async fn remove(&self) {
        if let Some(name) = &self.name {
            let server = maintenance().await;
            server.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
            server.close().await.unwrap();
        }
    }
}

/// The configuration of a test on `url`: that of the test environment, without background work.
pub fn config_on(url: &str) -> Config {
    let mut config = Config::of_files(Environment::Test).unwrap();
    config.database = config::Database {
        url: url.to_owned().into(),
        max_connections: 5,
        // Nothing here cuts the power; kill -9 loses nothing either way.
        synchronous: Synchronous::Normal,
        statement_cache: true,
    };
    config.jobs.enabled = false;
    config.wechat_sim.enabled = false;
    "127.0.0.1:0".clone_into(&mut config.http.bind);
    config.http.workers = 1;
    // Tests move time by weeks; those that look at expiry set this back.
    config.auth.access_minutes = 60 * 24 * 400;
    config
}

fn sqlite_url(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}

fn postgres_url(name: &str) -> String {
    let server = postgres_server();
    let (before, _) = server.rsplit_once('/').unwrap();
    format!("{before}/{name}")
}

fn postgres_server() -> String {
    std::env::var("SHUOSHI_TEST_POSTGRES").expect("run tests/run, which starts a PostgreSQL")
}

async fn maintenance() -> DatabaseConnection {
    let mut options = ConnectOptions::new(postgres_server());
    options.max_connections(1).sqlx_logging(false).acquire_timeout(Duration::from_mins(1));
    Database::connect(options).await.unwrap()
}

/// Names this build of the tests: another build may have other migrations.
fn build_name() -> String {
    let program = fs::metadata(std::env::current_exe().unwrap()).unwrap();
    let made = program.modified().unwrap().duration_since(UNIX_EPOCH).unwrap();
    format!("{:x}_{:x}", made.as_nanos(), program.len())
}

/// Where templates are, and the lock that lets one process at a time make them.
fn templates() -> (PathBuf, File) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("templates");
    fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    (folder, lock)
}

async fn sqlite_template() -> PathBuf {
    let (folder, _lock) = templates();
    let finished = folder.join(format!("{}.db", build_name()));
    if finished.exists() {
        return finished;
    }
    forget_old(&folder);
    let growing = TempDir::new_in(&folder).unwrap();
    let file = growing.path().join("growing.db");
    fill(&sqlite_url(&file)).await;
    assert!(!growing.path().join("growing.db-wal").exists(), "the template's log was not folded into its file");
    fs::rename(&file, &finished).unwrap();
    finished
}

/// Templates of builds of some time ago; a younger one may be in use by another run.
fn forget_old(folder: &Path) {
    let now = fs::metadata(folder.join("lock")).unwrap().modified().unwrap();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let age = entry.metadata().and_then(|data| data.modified()).map(|made| now.duration_since(made));
        let old = matches!(age, Ok(Ok(age)) if age > Duration::from_hours(1));
        if old && entry.path().extension().is_some_and(|kind| kind == "db") {
            drop(fs::remove_file(entry.path()));
        }
    }
}

async fn postgres_template() -> String {
    let (_, _lock) = templates();
    let finished = format!("template_{}", build_name());
    let server = maintenance().await;
    let known = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT 1 FROM pg_database WHERE datname = $1",
        [finished.as_str().into()],
    );
    if server.query_one_raw(known).await.unwrap().is_none() {
        let growing = format!("growing_{}", std::process::id());
        server.execute_unprepared(&format!("DROP DATABASE IF EXISTS {growing}")).await.unwrap();
        server.execute_unprepared(&format!("CREATE DATABASE {growing}")).await.unwrap();
        fill(&postgres_url(&growing)).await;
        // A copy needs a template that nobody is connected to.
        for step in [
            format!("ALTER DATABASE {growing} WITH ALLOW_CONNECTIONS false"),
            format!("ALTER DATABASE {growing} RENAME TO {finished}"),
        ] {
            server.execute_unprepared(&step).await.unwrap();
        }
    }
    server.close().await.unwrap();
    finished
}

async fn fill(url: &str) {
    let config = config_on(url);
    let db = Db::connect(&config.database).await.unwrap();
    db.migrate().await.unwrap();
    let app = app::build(config, db, Clock::standing_at(monday_morning())).await.unwrap();
    demo::load(&app).await.unwrap();
    app.db.close().await;
}

/// The number that a query answers.
pub async fn number(db: &Db, sql: &str) -> i64 {
    let read = db.read();
    let row = read.query_one_raw(Statement::from_string(read.get_database_backend(), sql)).await.unwrap().unwrap();
    row.try_get_by_index::<i64>(0).unwrap()
}
