//! The one seam between the two engines: how to connect, how to read, how to write durably.
//!
//! Features see [`Db::read`] and [`Db::transact`] and never learn which engine runs. On `SQLite` the operations that
//! wait at the same moment share one durable commit, each in a savepoint of its own, because the commit is the cost
//! (decision 0004); on `PostgreSQL` each has its own transaction, run again after a deadlock. Next: [`crate::problem`]
//! for what a failing statement becomes.

mod postgres;
mod sqlite;

use migration::{Migrator, MigratorTrait};
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, sea_query::LikeExpr};
use secrecy::ExposeSecret;

use crate::{
    config,
    problem::{Code, Problem},
};

/// A transaction: what every operation writes through.
pub type Tx = DatabaseTransaction;

/// A database. Clones share their connections.
#[derive(Clone)]
pub struct Db {
    read: DatabaseConnection,
    write: Writer,
}

#[derive(Clone)]
enum Writer {
    Sqlite(sqlite::Writer),
    Postgres(DatabaseConnection),
}

impl Db {
    /// Connects to the engine that `database.url` names, making an `SQLite` file that is not there yet.
    pub async fn connect(settings: &config::Database) -> Result<Self, DbErr> {
        let url = settings.url.expose_secret();
        if url.starts_with("sqlite:") {
            let write = sqlite::connect_writer(url, settings).await?;
            let read = sqlite::connect_readers(url, settings).await?;
            return Ok(Self { read, write: Writer::Sqlite(sqlite::Writer::start(write)?) });
        }
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let pool = postgres::connect(url, settings).await?;
            return Ok(Self { read: pool.clone(), write: Writer::Postgres(pool) });
        }
        Err(DbErr::Custom("database.url must begin with sqlite:// or postgres://".to_owned()))
    }

    /// Connections for reading. On `SQLite` they cannot write.
    #[must_use]
    pub fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// `sqlite` or `postgres`, for logs and metrics.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        match self.write {
            Writer::Sqlite(_) => "sqlite",
            Writer::Postgres(_) => "postgres",
        }
    }

    /// Runs an operation in a transaction and answers after its durable commit: all of it or nothing.
    ///
    /// The operation may run more than once (deadlock on `PostgreSQL`), so it must not touch anything but the
    /// transaction. An `Err` rolls back what it did and nothing of its neighbours.
    pub async fn transact<T, F>(&self, operation: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: AsyncFn(&Tx) -> Result<T, Problem> + Send + 'static,
    {
        match &self.write {
            Writer::Sqlite(writer) => writer.transact(operation).await,
            Writer::Postgres(pool) => postgres::transact(pool, operation).await,
        }
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        Migrator::up(self.writer_connection(), None).await
    }

    /// Takes every step back (tests).
    pub async fn migrate_down(&self) -> Result<(), DbErr> {
        Migrator::down(self.writer_connection(), None).await
    }

    /// Names of migrations, and whether each was applied.
    pub async fn migrations(&self) -> Result<Vec<(String, bool)>, DbErr> {
        let applied = Migrator::get_migration_models(self.writer_connection()).await.unwrap_or_default();
        let done = |name: &str| applied.iter().any(|row| row.version == name);
        Ok(Migrator::migrations().iter().map(|step| (step.name().to_owned(), done(step.name()))).collect())
    }

    /// Closes the connections; `SQLite` folds its write-ahead log back into the file.
    pub async fn close(&self) {
        if let Writer::Sqlite(writer) = &self.write {
            writer.close().await;
        }
        if let Err(fault) = self.read.close_by_ref().await {
            tracing::warn!(error = %fault, "the database did not close cleanly");
        }
    }

    fn writer_connection(&self) -> &DatabaseConnection {
        match &self.write {
            Writer::Sqlite(writer) => writer.connection(),
            Writer::Postgres(pool) => pool,
        }
    }
}

/// A pattern for `LIKE` that holds `text` as it is: the signs that `LIKE` reads as wildcards are escaped.
#[must_use]
pub fn containing(text: &str) -> LikeExpr {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    LikeExpr::new(format!("%{escaped}%")).escape('\\')
}

/// A unique violation that the caller may answer by another try of the whole transaction.
pub(crate) fn again_on_unique(fault: DbErr) -> Problem {
    match fault.sql_err() {
        Some(sea_orm::SqlErr::UniqueConstraintViolation(_)) => Problem::try_again(fault),
        _ => fault.into(),
    }
}

pub(crate) fn queue_full() -> Problem {
    metrics::counter!("shuoshi_writes_refused_total").increment(1);
    Problem::new(Code::Busy)
}
