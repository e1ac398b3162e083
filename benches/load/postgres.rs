//! A throw-away PostgreSQL server, durable as in production, that lives as long as its value.

use std::{
    io::{Error, Result},
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::process::free_port;

/// Durability is on: it is the cost that is measured. The rest is what an operator of a small machine would set.
const SETTINGS: &str = "
listen_addresses = '127.0.0.1'
max_connections = 100
shared_buffers = 256MB
max_wal_size = 4GB
jit = off
timezone = 'UTC'
autovacuum_naptime = 10s
";

/// A running server.
pub struct Postgres {
    bin: PathBuf,
    user: Option<String>,
    folder: TempDir,
    /// postgres://... of an empty database.
    pub url: String,
    /// The parent of its backends.
    pub pid: u32,
}

impl Postgres {
    /// Starts one with its data under `folder`.
    pub fn start(folder: &Path, statements: bool) -> Result<Self> {
        let bin = programs().ok_or_else(|| Error::other("no PostgreSQL server (initdb) found; try --postgres URL"))?;
        let folder = tempfile::Builder::new().prefix("shuoshi-pg-").tempdir_in(folder)?;
        let mut made = Self { bin, user: other_user(), folder, url: String::new(), pid: 0 };
        if let Some(user) = &made.user {
            check(Command::new("chown").arg(user).arg(made.folder.path()))?;
        }
        let data = made.folder.path().join("data");
        let data_text = data.to_string_lossy().into_owned();
        check(
            made.program("initdb")
                .args(["-D", &data_text, "-U", "postgres", "--auth=trust", "--encoding=UTF8"])
                .arg("--locale=C.UTF-8"),
        )?;
        let port = free_port()?;
        let mut settings =
            format!("{SETTINGS}unix_socket_directories = '{}'\nport = {port}\n", made.folder.path().display());
        if statements {
            settings.push_str("shared_preload_libraries = 'pg_stat_statements'\n");
        }
        let file = data.join("postgresql.auto.conf");
        std::fs::write(&file, settings)?;
        let log = made.folder.path().join("server.log").to_string_lossy().into_owned();
        check(made.program("pg_ctl").args(["start", "-w", "-s", "-D", &data_text, "-l", &log]))?;
        let pid = std::fs::read_to_string(data.join("postmaster.pid"))?;
        made.pid = pid.lines().next().and_then(|line| line.trim().parse().ok()).unwrap_or(0);
        made.url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        Ok(made)
    }

    /// One of its programs, as the user it runs under: PostgreSQL refuses to run as root.
    fn program(&self, name: &str) -> Command {
        let program = self.bin.join(name);
        let mut command = match &self.user {
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder.path().join("data").to_string_lossy().into_owned();
        let _ = self.program("pg_ctl").args(["stop", "-s", "-m", "immediate", "-D", &data]).status();
    }
}

fn check(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::other(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))))
}

/// The folder of the newest server's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = folders.into_iter().rev().chain(std::env::split_paths(&path));
    folders.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

/// Whom to run it as, when this is root.
fn other_user() -> Option<String> {
    let output = |arguments: &[&str]| Command::new("id").args(arguments).output().ok();
    let root = output(&["-u"]).is_some_and(|answer| answer.stdout.starts_with(b"0\n"));
    let known = output(&["postgres"]).is_some_and(|answer| answer.status.success());
    root.then(|| if known { "postgres" } else { "nobody" }.to_owned())
}
