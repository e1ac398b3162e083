//! The database from the side: one connection for seeding and checking, and how each engine says the same thing.

use sea_orm::sqlx::{
    AssertSqlSafe, ConnectOptions as _, Error, PgConnection, Row, SqliteConnection,
    postgres::PgConnectOptions,
    query, raw_sql,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};
use std::{str::FromStr, time::Duration};
use uuid::Uuid;

use crate::options::Engine;

/// A connection of either engine.
pub enum Store {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// What a made-up id belongs to.
#[derive(Clone, Copy)]
#[repr(u8)]
pub enum Kind {
    Person = 1,
    Session,
    Case,
    Event,
    Unit,
    StaffSession,
    TalkDay,
    Slot,
}

/// The id of the `n`-th thing of a kind: in order of birth, as `UUIDv7` are.
pub fn id(kind: Kind, n: u64) -> Uuid {
    Uuid::from_u128(u128::from_str_radix(&prefix(kind), 16).unwrap_or_default() << 48 | u128::from(n))
}

fn prefix(kind: Kind) -> String {
    format!("019aaaaa00{:02x}70008000", kind as u8)
}

impl Store {
    /// Connects; what is written through it need not survive a power cut.
    pub async fn open(engine: Engine, url: &str) -> Result<Self, Error> {
        Ok(match engine {
            Engine::Sqlite => {
                let options = SqliteConnectOptions::from_str(url)?
                    .journal_mode(SqliteJournalMode::Wal)
                    .busy_timeout(Duration::from_secs(30))
                    .pragma("synchronous", "OFF")
                    .pragma("cache_size", "-200000");
                Self::Sqlite(options.connect().await?)
            }
            Engine::Postgres => {
                let options = PgConnectOptions::from_str(url)?.options([("synchronous_commit", "off"), ("jit", "off")]);
                Self::Postgres(options.connect().await?)
            }
        })
    }

    /// Which engine it is.
    pub fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs statements.
    pub async fn run(&mut self, sql: impl Into<String>) -> Result<(), Error> {
        let sql = AssertSqlSafe(sql.into());
        match self {
            Self::Sqlite(connection) => raw_sql(sql).execute(connection).await.map(drop),
            Self::Postgres(connection) => raw_sql(sql).execute(connection).await.map(drop),
        }
    }

    /// The first column of the rows, as numbers.
    pub async fn number(&mut self, sql: impl Into<String>) -> Result<i64, Error> {
        let sql = AssertSqlSafe(sql.into());
        match self {
            Self::Sqlite(connection) => query(sql).fetch_one(connection).await?.try_get(0),
            Self::Postgres(connection) => query(sql).fetch_one(connection).await?.try_get(0),
        }
    }

    /// The first column of the rows, as text.
    pub async fn texts(&mut self, sql: impl Into<String>) -> Result<Vec<String>, Error> {
        let sql = AssertSqlSafe(sql.into());
        match self {
            Self::Sqlite(connection) => {
                query(sql).fetch_all(connection).await?.iter().map(|row| row.try_get(0)).collect()
            }
            Self::Postgres(connection) => {
                query(sql).fetch_all(connection).await?.iter().map(|row| row.try_get(0)).collect()
            }
        }
    }

    /// The first column of the rows, as ids.
    pub async fn ids(&mut self, sql: impl Into<String>) -> Result<Vec<Uuid>, Error> {
        let sql = AssertSqlSafe(sql.into());
        match self {
            Self::Sqlite(connection) => {
                query(sql).fetch_all(connection).await?.iter().map(|row| row.try_get(0)).collect()
            }
            Self::Postgres(connection) => {
                query(sql).fetch_all(connection).await?.iter().map(|row| row.try_get(0)).collect()
            }
        }
    }

    /// Statistics for the planner, and nothing left to write out during a measurement.
    pub async fn settle(&mut self) -> Result<(), Error> {
        match self.engine() {
            Engine::Sqlite => self.run("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE);").await,
            Engine::Postgres => {
                self.run("VACUUM ANALYZE").await?;
                self.run("CHECKPOINT").await
            }
        }
    }

    /// SQL of the id of the thing whose number `n` says.
    pub fn id(&self, kind: Kind, n: &str) -> String {
        let prefix = prefix(kind);
        match self {
            Self::Sqlite(_) => format!("unhex('{prefix}' || printf('%012x', {n}))"),
            Self::Postgres(_) => format!("('{prefix}' || lpad(to_hex(({n})::bigint), 12, '0'))::uuid"),
        }
    }

    /// SQL of the day so many days after `day`.
    pub fn day(&self, day: &str, offset: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("date('{day}', printf('%+d days', {offset}))"),
            Self::Postgres(_) => format!("(date '{day}' + ({offset})::int)"),
        }
    }

    /// SQL of `n` as nine digits.
    pub fn nine_digits(&self, n: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("printf('%09d', {n})"),
            Self::Postgres(_) => format!("lpad(({n})::text, 9, '0')"),
        }
    }
}

/// SQL of a row source `s(n)` from `from` to before `to`.
pub fn series(from: u64, to: u64) -> String {
    format!("WITH RECURSIVE s(n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM s WHERE n + 1 < {to})")
}
