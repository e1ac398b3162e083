//! A copy of the whole database while others write: out of one place, into another that is empty.
//!
//! `SQLite` copies itself by `VACUUM INTO`, which reads one consistent state and lets writers go on (its page says so:
//! <https://www.sqlite.org/lang_vacuum.html>); `PostgreSQL` has `pg_dump` and `pg_restore`, in the custom format.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use percent_encoding::percent_decode_str;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};
use secrecy::ExposeSecret;

use super::sqlite;
use crate::config;

/// What a copy of a database is called, which also says of which engine it is.
const SQLITE_COPY: &str = "database.sqlite";
const POSTGRES_COPY: &str = "database.dump";

/// Where a database is, by the two engines' own tools.
#[derive(Clone, Debug)]
pub enum Place {
    /// A file.
    Sqlite(PathBuf),
    /// An address without its password, and the password.
    Postgres {
        /// As `pg_dump` takes it.
        url: String,
        /// Given by the environment, so that no list of processes shows it.
        password: Option<String>,
    },
}

impl Place {
    /// What `database.url` names.
    #[must_use]
    pub fn of(settings: &config::Database) -> Self {
        let url = settings.url.expose_secret();
        if url.starts_with("sqlite:") {
            return Self::Sqlite(sqlite::file_of(url).into());
        }
        let (url, password) = without_password(url);
        Self::Postgres { url, password }
    }

    /// The settings for a file of `SQLite` that is not at its place yet.
    #[must_use]
    pub fn settings_of(settings: &config::Database, file: &Path) -> config::Database {
        config::Database { url: format!("sqlite://{}", file.display()).into(), ..settings.clone() }
    }

    /// What the copy is called.
    #[must_use]
    pub fn name_of_copy(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => SQLITE_COPY,
            Self::Postgres { .. } => POSTGRES_COPY,
        }
    }

    /// Copies the database into a file that is not there yet; servers go on writing meanwhile.
    ///
    /// # Errors
    /// In words, without the address's password.
    pub async fn copy_out(&self, to: &Path) -> Result<(), String> {
        match self {
            Self::Sqlite(file) => {
                if !file.exists() {
                    return Err(format!("there is no database at {}", file.display()));
                }
                let db = open_sqlite(file).await?;
                let into =
                    Statement::from_sql_and_values(db.get_database_backend(), "VACUUM INTO ?", [text_of(to)?.into()]);
                let copied = db.execute_raw(into).await.map(drop).map_err(|fault| fault.to_string());
                let closed = db.close().await.map_err(|fault| fault.to_string());
                copied.and(closed)
            }
            Self::Postgres { .. } => self.run("pg_dump", &["--format=custom".into(), file_argument(to)]),
        }
    }

    /// Whether nothing is there that a copy would overwrite.
    ///
    /// # Errors
    /// In words.
    pub async fn is_empty(&self, settings: &config::Database) -> Result<bool, String> {
        let (db, tables) = match self {
            Self::Sqlite(file) if !file.exists() => return Ok(true),
            Self::Sqlite(file) => (open_sqlite(file).await?, "SELECT count(*) FROM sqlite_master"),
            Self::Postgres { .. } => {
                let mut options = ConnectOptions::new(settings.url.expose_secret());
                options.max_connections(1).sqlx_logging(false);
                let db = Database::connect(options).await.map_err(|fault| fault.to_string())?;
                let tables = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                              WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'S')";
                (db, tables)
            }
        };
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), tables)).await;
        let count = row.and_then(|row| row.map_or(Ok(0), |row| row.try_get_by_index::<i64>(0)));
        let count = count.map_err(|fault| fault.to_string());
        db.close().await.map_err(|fault| fault.to_string())?;
        Ok(count? == 0)
    }

    /// Puts a copy where nothing is; `PostgreSQL` takes all of it or nothing. A `SQLite` file is proved whole and
    /// comes to its place by one renaming, so that no server ever opens half of it.
    ///
    /// # Errors
    /// In words.
    pub async fn copy_in(&self, from: &Path) -> Result<(), String> {
        match self {
            Self::Sqlite(file) => {
                prove(from).await?;
                // An empty database may have left its log behind, which must not be applied to this one.
                for rest in ["-wal", "-shm"] {
                    let mut name = OsString::from(file);
                    name.push(rest);
                    drop(fs::remove_file(name));
                }
                fs::rename(from, file).map_err(|fault| format!("{}: {fault}", file.display()))
            }
            Self::Postgres { .. } => {
                let how = ["--exit-on-error", "--single-transaction"].map(OsString::from);
                self.run("pg_restore", &[how.as_slice(), &[from.into()]].concat())
            }
        }
    }

    /// Where a copy is best unpacked: for `SQLite` beside its place, so that renaming is enough.
    #[must_use]
    pub fn unpack_beside(&self, archive: &Path) -> PathBuf {
        let beside = match self {
            Self::Sqlite(file) => file,
            Self::Postgres { .. } => archive,
        };
        let mut name = OsString::from(beside);
        name.push(".restoring");
        name.into()
    }

    /// Runs one of the two programs of `PostgreSQL`'s client.
    fn run(&self, program: &str, arguments: &[OsString]) -> Result<(), String> {
        let Self::Postgres { url, password } = self else { return Ok(()) };
        let mut dbname = OsString::from("--dbname=");
        dbname.push(url);
        let mut command = Command::new(newest(program));
        command.args(["--no-owner", "--no-privileges", "--no-password"]).arg(dbname).args(arguments);
        if let Some(password) = password {
            command.env("PGPASSWORD", password);
        }
        let output = command.stdin(Stdio::null()).output().map_err(|fault| {
            format!("{program} cannot be started ({fault}); it comes with Debian's package postgresql-client")
        })?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

/// The newest of Debian's versions, as an older `pg_dump` refuses a newer server; elsewhere what the path has.
fn newest(program: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |folder: &Path| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions
        .map(|entry| entry.path())
        .filter(|folder| folder.join("bin").join(program).exists())
        .max_by_key(|folder| number(folder));
    newest.map_or_else(|| program.into(), |folder| folder.join("bin").join(program))
}

fn file_argument(path: &Path) -> OsString {
    let mut argument = OsString::from("--file=");
    argument.push(path);
    argument
}

fn text_of(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| format!("{}: not a name that SQLite takes", path.display()))
}

/// `postgres://user:password@host/name` as `postgres://user@host/name` and the password.
fn without_password(url: &str) -> (String, Option<String>) {
    let (url, by_name) = without_parameter(url);
    let plain = (url.clone(), by_name.clone());
    let Some((scheme, rest)) = url.split_once("://") else { return plain };
    // A password may hold everything but `@` and `/` as they are; hosts come after the last `@` before the path.
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let Some((user, hosts)) = authority.rsplit_once('@') else { return plain };
    let Some((user, password)) = user.split_once(':') else { return plain };
    (format!("{scheme}://{user}@{hosts}{path}"), by_name.or_else(|| Some(decoded(password))))
}

/// Without `?password=...`, the other place where one may stand.
fn without_parameter(url: &str) -> (String, Option<String>) {
    let Some((before, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let (mut kept, mut password) = (Vec::new(), None);
    for parameter in query.split('&') {
        match parameter.split_once('=') {
            Some(("password", value)) => password = Some(decoded(value)),
            _ => kept.push(parameter),
        }
    }
    let query = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    (format!("{before}{query}"), password)
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

async fn open_sqlite(file: &Path) -> Result<DatabaseConnection, String> {
    let url = format!("sqlite://{}", text_of(file)?);
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.map_err(|fault| fault.to_string())
}

/// Every page, index and reference of a copy.
async fn prove(copy: &Path) -> Result<(), String> {
    let db = open_sqlite(copy).await?;
    let words = async |pragma: &str| {
        let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), pragma)).await;
        rows.map_err(|fault| fault.to_string())
    };
    let whole = words("PRAGMA integrity_check").await?;
    let said = whole.first().and_then(|row| row.try_get_by_index::<String>(0).ok()).unwrap_or_default();
    let dangling = words("PRAGMA foreign_key_check").await?.len();
    db.close().await.map_err(|fault| fault.to_string())?;
    if said != "ok" {
        return Err(format!("the copy of the database is damaged: {said}"));
    }
    if dangling > 0 {
        return Err(format!("{dangling} rows of the copy point to nothing"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_never_stands_in_a_command_line() {
        let cases = [
            (
                "postgres://shuoshi:p%40ss%2Fword@db:5432/shuoshi",
                "postgres://shuoshi@db:5432/shuoshi",
                Some("p@ss/word"),
            ),
            (
                "postgres://shuoshi:a:b@h1:1,h2:2/x?sslmode=require",
                "postgres://shuoshi@h1:1,h2:2/x?sslmode=require",
                Some("a:b"),
            ),
            ("postgres://shuoshi@127.0.0.1/x", "postgres://shuoshi@127.0.0.1/x", None),
            ("postgres:///x?host=/run/postgresql", "postgres:///x?host=/run/postgresql", None),
            ("postgres://u@h/x?password=s%26x&sslmode=require", "postgres://u@h/x?sslmode=require", Some("s&x")),
        ];
        for (url, shown, password) in cases {
            assert_eq!(without_password(url), (shown.to_owned(), password.map(str::to_owned)), "{url}");
        }
    }
}
