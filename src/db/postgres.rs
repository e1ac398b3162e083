//! `PostgreSQL`: a pool that reads, a pool that writes, and a transaction an operation.

use std::time::Duration;

use futures_util::{StreamExt, stream::FuturesUnordered};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr, TransactionOptions};

use super::writer::{PATIENCE, Queue};
use crate::{
    config,
    problem::{Code, Problem},
};

/// A pool of so many connections.
pub(super) async fn connect(
    url: &str,
    settings: &config::Database,
    connections: u32,
) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    let cached = if settings.statement_cache { 512 } else { 0 };
    options
        .max_connections(connections)
        // All opened at the start and kept: a connection lives on the runtime that opened it, and this one outlives
        // those of the workers, which end one by one when the server stops.
        .min_connections(connections)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .sqlx_logging(false)
        .test_before_acquire(true)
        .test_before_acquire_if_idle_for(Duration::from_secs(30))
        .map_sqlx_postgres_opts(move |options| {
            options.statement_cache_capacity(cached).application_name("shuoshi").options([
                ("jit", "off"),
                // The price of a page on today's disks: lists are read off an index in its order, not sorted.
                ("random_page_cost", "1.1"),
                ("lock_timeout", "3s"),
                ("statement_timeout", "15s"),
                ("idle_in_transaction_session_timeout", "30s"),
            ])
        });
    Database::connect(options).await
}

/// How many of the connections that a process may have write; the others read.
pub(super) fn writing(settings: &config::Database) -> u32 {
    (settings.max_connections / 2).max(1)
}

/// Gives each operation a transaction of its own, `connections` at a time.
pub(super) async fn serve(pool: DatabaseConnection, connections: u32, mut waiting: Queue) {
    let most = usize::try_from(connections).unwrap_or(1);
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            next = waiting.recv(), if running.len() < most => match next {
                Some(operation) if operation.is_late() => operation.refuse(Problem::new(Code::Busy)),
                Some(operation) => running.push(operation.alone(pool.clone(), TransactionOptions::default())),
                None => break,
            },
            Some(()) = running.next(), if !running.is_empty() => {}
        }
    }
    while running.next().await.is_some() {}
}
