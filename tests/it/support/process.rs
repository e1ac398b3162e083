//! The real program as a process of its own: for what one process cannot show.

use std::{
    fs::File,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use sea_orm::ConnectionTrait;

use serde_json::{Value, json};

use shuoshi::db::Db;

use super::{TestDatabase, app::http_client, database::config_on};

/// A file that `import catalogue` takes.
pub const CATALOGUE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/catalogue/dazhou.json");

/// The program on a test's database, in the folder of that database.
fn program(database: &TestDatabase) -> Command {
    program_at(&database.url, database.folder.path())
}

fn program_at(url: &str, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shuoshi"));
    command
        .current_dir(folder)
        .env("SHUOSHI_ENV", "development")
        .env("SHUOSHI__DATABASE__URL", url)
        .env("SHUOSHI__DATABASE__MAX_CONNECTIONS", "8")
        .env("SHUOSHI__LOG__FILTER", "error");
    command
}

/// Runs a command to its end: the exit code, and what it said on standard output.
pub fn run(database: &TestDatabase, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    run_at(&database.url, database.folder.path(), arguments, variables)
}

/// Likewise, where only address and folder are at hand: on another thread.
pub fn run_at(url: &str, folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
    let output = program_at(url, folder).args(arguments).envs(variables.iter().copied()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(!said.is_empty() || !complaint.is_empty(), "{arguments:?} said nothing");
    (output.status.code().unwrap(), format!("{said}{complaint}"))
}

/// Runs a statement behind the program's back.
pub async fn execute(database: &TestDatabase, sql: &str) {
    let (db, sql) = (Db::connect(&config_on(&database.url).database).await.unwrap(), sql.to_owned());
    db.transact(async move |tx| Ok(tx.execute_unprepared(&sql).await?)).await.unwrap();
    db.close().await;
}

/// The real program, as a process of its own.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: String,
    simulator: String,
}

impl Server {
    /// Starts it and waits until it is ready.
    pub async fn start(database: &TestDatabase) -> Self {
        Self::start_writing(database, "error", Stdio::null()).await
    }

    /// Likewise, with everything it says in a file.
    pub async fn start_talkative(database: &TestDatabase, log: &File) -> Self {
        Self::start_writing(database, "trace", log.try_clone().unwrap().into()).await
    }

    /// Likewise, at an address of the test's own, configured differently.
    pub async fn start_at(database: &TestDatabase, http: &str, variables: &[(&str, &str)]) -> Self {
        Self::start_with(database, http.to_owned(), variables, "error", Stdio::null()).await
    }

    async fn start_writing(database: &TestDatabase, filter: &str, log: Stdio) -> Self {
        Self::start_with(database, free_port(), &[], filter, log).await
    }

    async fn start_with(
        database: &TestDatabase,
        http: String,
        variables: &[(&str, &str)],
        filter: &str,
        log: Stdio,
    ) -> Self {
        let simulator = free_port();
        let child = program(database)
            .arg("serve")
            .envs(variables.iter().copied())
            .env("SHUOSHI__HTTP__BIND", &http)
            .env("SHUOSHI__WECHAT_SIM__BIND", &simulator)
            .env("SHUOSHI__LOG__FILTER", filter)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let started = Self { child, address: format!("http://{http}"), simulator: format!("http://{simulator}") };
        for _ in 0..300 {
            let ready = http_client().get(format!("{}/readyz", started.address)).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return started;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the server was not ready after thirty seconds");
    }

    /// SIGKILL: no goodbye, no flush.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Signs a new villager in; the session as it was answered.
    pub async fn villager(&self, client: &reqwest::Client) -> Value {
        let post = async |url: String, body: Value| -> Value {
            client.post(url).json(&body).send().await.unwrap().json().await.unwrap()
        };
        let user = post(format!("{}/_sim/users", self.simulator), json!({})).await;
        let code = post(format!("{}/_sim/codes", self.simulator), json!({"openid": user["openid"]})).await;
        post(format!("{}/api/v1/auth/wechat", self.address), json!({"code": code["code"]})).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process that only works on jobs.
pub struct Worker(Child);

impl Worker {
    /// Starts it.
    pub fn start(database: &TestDatabase, variables: &[(&str, &str)]) -> Self {
        let mut command = program(database);
        command.arg("work").envs(variables.iter().copied()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
