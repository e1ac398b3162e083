//! `SQLite`: one connection that writes, sharing durable commits, and a pool of readers that cannot.

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};

use super::{
    Tx,
    writer::{Operation, PATIENCE, Queue},
};
use crate::{
    config::{self, Synchronous},
    problem::{Code, Problem},
};

/// The most operations that share a commit.
const GROUP: usize = 64;

pub(super) async fn connect_writer(url: &str, settings: &config::Database) -> Result<DatabaseConnection, DbErr> {
    make_folder(url)?;
    let synchronous = match settings.synchronous {
        Synchronous::Full => SqliteSynchronous::Full,
        Synchronous::Normal => SqliteSynchronous::Normal,
    };
    let mut options = options(url);
    options.max_connections(1).min_connections(1).map_sqlx_sqlite_opts(move |options| {
        options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .busy_timeout(PATIENCE)
            .foreign_keys(true)
            // What a savepoint may have to take back is kept in memory, not in files that come and go.
            .pragma("temp_store", "MEMORY")
            .pragma("cache_size", "-16000")
            .statement_cache_capacity(512)
            .optimize_on_close(true, None)
    });
    Database::connect(options).await
}

pub(super) async fn connect_readers(url: &str, settings: &config::Database) -> Result<DatabaseConnection, DbErr> {
    let mut options = options(url);
    options.max_connections(settings.max_connections.min(8)).min_connections(1).map_sqlx_sqlite_opts(|options| {
        options.busy_timeout(PATIENCE).statement_cache_capacity(256).pragma("query_only", "ON")
    });
    Database::connect(options).await
}

fn options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .sqlx_logging(false)
        .test_before_acquire(false);
    options
}

/// The file that an address names.
pub(super) fn file_of(url: &str) -> &str {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    path.split('?').next().unwrap_or(path)
}

fn make_folder(url: &str) -> Result<(), DbErr> {
    match std::path::Path::new(file_of(url)).parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::create_dir_all(folder)
            .map_err(|fault| DbErr::Custom(format!("cannot make the folder {}: {fault}", folder.display()))),
        _ => Ok(()),
    }
}

/// Takes what waits, however little, and commits it together.
pub(super) async fn serve(connection: DatabaseConnection, mut waiting: Queue) {
    let mut group = Vec::with_capacity(GROUP);
    while waiting.recv_many(&mut group, GROUP).await > 0 {
        metrics::histogram!("shuoshi_commit_operations").record(u32::try_from(group.len()).unwrap_or(u32::MAX));
        let (late, in_time) = group.drain(..).partition(|operation| operation.is_late());
        refuse(late, &|| Problem::new(Code::Busy));
        commit(&connection, in_time).await;
    }
}

async fn commit(connection: &DatabaseConnection, mut group: Vec<Box<dyn Operation>>) {
    let immediate =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    // One alone needs no savepoint.
    if group.len() == 1
        && let Some(operation) = group.pop()
    {
        return operation.alone(connection.clone(), immediate).await;
    }
    match connection.begin_with_options(immediate).await {
        Ok(tx) => commit_together(tx, group).await,
        Err(fault) => refuse(group, &|| Problem::busy(&fault)),
    }
}

async fn commit_together(tx: Tx, group: Vec<Box<dyn Operation>>) {
    let mut outcomes = Vec::with_capacity(group.len());
    for operation in group {
        outcomes.push(operation.sharing(&tx).await);
    }
    let kept = outcomes.iter().any(|outcome| outcome.keep);
    let ended = if kept { tx.commit().await } else { tx.rollback().await };
    if let Err(fault) = &ended {
        tracing::error!(error = %fault, "the commit of a group failed");
    }
    for outcome in outcomes {
        (outcome.answer)(ended.as_ref().err());
    }
}

fn refuse(group: Vec<Box<dyn Operation>>, why: &dyn Fn() -> Problem) {
    for operation in group {
        operation.refuse(why());
    }
}
