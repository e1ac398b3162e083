//! The one seam between the two engines: how to connect, how to read, how to write durably.
//!
//! Features see [`Db::read`] and [`Db::transact`] and never learn which engine runs. On `SQLite` the operations that
//! wait at the same moment share one durable commit, each in a savepoint of its own, because the commit is the cost
//! (decision 0004); on `PostgreSQL` each has its own transaction, run again after a deadlock. A [`Lane`] is for calls
//! that come in crowds: those of one kind that wait are done by the same few statements (decision 0011). Next:
//! [`crate::problem`] for what a failing statement becomes.

mod copy;
mod lane;
mod many;
mod postgres;
mod sqlite;
mod words;
mod writer;

pub use copy::Place;
pub use lane::{Answers, Lane, Wishes};
pub use many::{insert_all, padded, upsert_all};
pub use words::{Term, Wanted, keep_words};

use migration::{MigrationStatus, Migrator, MigratorTrait};
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr,
    sea_query::{Expr, LikeExpr},
};
use secrecy::ExposeSecret;

use self::writer::Writer;
use crate::{config, problem::Problem};

/// A transaction: what every operation writes through.
pub type Tx = DatabaseTransaction;

/// A database. Clones share their connections.
#[derive(Clone)]
pub struct Db {
    engine: Engine,
    read: DatabaseConnection,
    writer: Writer,
}

#[derive(Clone, Copy)]
enum Engine {
    Sqlite,
    Postgres,
}

impl Db {
    /// Connects to the engine that `database.url` names, making an `SQLite` file that is not there yet.
    pub async fn connect(settings: &config::Database) -> Result<Self, DbErr> {
        let (url, settings) = (settings.url.expose_secret().to_owned(), settings.clone());
        if url.starts_with("sqlite:") {
            let (file, durable) = (url.clone(), settings.clone());
            let connect = async move || sqlite::connect_writer(&file, &durable).await;
            let writer = Writer::start(connect, sqlite::serve).await?;
            let read = sqlite::connect_readers(&url, &settings).await?;
            return Ok(Self { engine: Engine::Sqlite, read, writer });
        }
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let writing = postgres::writing(&settings);
            let reading = settings.max_connections.saturating_sub(writing).max(1);
            let read = postgres::connect(&url, &settings, reading).await?;
            let connect = async move || postgres::connect(&url, &settings, writing).await;
            let serve = async move |pool, waiting| postgres::serve(pool, writing, waiting).await;
            return Ok(Self { engine: Engine::Postgres, read, writer: Writer::start(connect, serve).await? });
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
        match self.engine {
            Engine::Sqlite => "sqlite",
            Engine::Postgres => "postgres",
        }
    }

    /// Whole minutes from one column of instants to another, both as `table.column`.
    #[must_use]
    pub fn minutes_between(&self, from: &str, to: &str) -> Expr {
        Expr::cust(match self.engine {
            Engine::Sqlite => format!("CAST((strftime('%s', {to}) - strftime('%s', {from})) / 60 AS INTEGER)"),
            Engine::Postgres => format!("CAST(FLOOR(EXTRACT(EPOCH FROM ({to} - {from})) / 60) AS BIGINT)"),
        })
    }

    /// Runs an operation in a transaction and answers after its durable commit: all of it or nothing.
    ///
    /// The operation may run more than once (deadlock on `PostgreSQL`), so it must not touch anything but the
    /// transaction. An `Err` rolls back what it did and nothing of its neighbours.
    ///
    /// # Errors
    /// Those of the operation; `busy` when too many wait, or when it waited too long.
    pub async fn transact<T, F>(&self, operation: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: AsyncFn(&Tx) -> Result<T, Problem> + Send + 'static,
    {
        self.writer.transact(operation).await
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<(), DbErr> {
        Migrator::up(self.writer.connection(), None).await
    }

    /// Takes every step back (tests).
    pub async fn migrate_down(&self) -> Result<(), DbErr> {
        Migrator::down(self.writer.connection(), None).await
    }

    /// Names of all migrations that this program has.
    #[must_use]
    pub fn known_migrations() -> Vec<String> {
        Migrator::migrations().iter().map(|step| step.name().to_owned()).collect()
    }

    /// Names of migrations, and whether each was applied.
    pub async fn migrations(&self) -> Result<Vec<(String, bool)>, DbErr> {
        let steps = Migrator::get_migration_with_status_read_only(self.read()).await?;
        Ok(steps.iter().map(|step| (step.name().to_owned(), step.status() == MigrationStatus::Applied)).collect())
    }

    /// Closes the connections; `SQLite` folds its write-ahead log back into the file.
    pub async fn close(&self) {
        self.writer.close().await;
        if let Err(fault) = self.read.close_by_ref().await {
            tracing::warn!(error = %fault, "the database did not close cleanly");
        }
    }
}

/// A pattern for `LIKE` that holds `text` as it is: the signs that `LIKE` reads as wildcards are escaped.
#[must_use]
pub fn containing(text: &str) -> LikeExpr {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    LikeExpr::new(format!("%{escaped}%")).escape('\\')
}

/// As [`again_on_unique`], of one column; any other clash would come again with every try.
pub(crate) fn again_on_unique_of(fault: DbErr, column: &str) -> Problem {
    match fault.sql_err() {
        // Both engines name the columns, in the message or in the name of the constraint.
        Some(sea_orm::SqlErr::UniqueConstraintViolation(what)) if what.contains(column) => Problem::try_again(fault),
        Some(sea_orm::SqlErr::UniqueConstraintViolation(_)) => Problem::unexpected(fault),
        _ => fault.into(),
    }
}

/// A unique violation that the caller may answer by another try of the whole transaction.
pub(crate) fn again_on_unique(fault: DbErr) -> Problem {
    match fault.sql_err() {
        Some(sea_orm::SqlErr::UniqueConstraintViolation(_)) => Problem::try_again(fault),
        _ => fault.into(),
    }
}
