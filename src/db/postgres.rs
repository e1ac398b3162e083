//! `PostgreSQL`: a pool, and a transaction an operation.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr, TransactionTrait};

use super::Tx;
use crate::{config, problem::Problem};

/// Deadlocks and serialisation failures are the engine asking for another try.
const TRIES: u32 = 4;

pub(super) async fn connect(url: &str, settings: &config::Database) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    let cached = if settings.statement_cache { 256 } else { 0 };
    options
        .max_connections(settings.max_connections)
        // All opened at the start and kept: a connection lives on the runtime that opened it, and this one outlives
        // those of the workers, which end one by one when the server stops.
        .min_connections(settings.max_connections)
        .acquire_timeout(Duration::from_secs(5))
        .idle_timeout(None)
        .max_lifetime(None)
        .sqlx_logging(false)
        .test_before_acquire(true)
        .test_before_acquire_if_idle_for(Duration::from_secs(30))
        .map_sqlx_postgres_opts(move |options| {
            options.statement_cache_capacity(cached).application_name("shuoshi").options([
                ("jit", "off"),
                ("lock_timeout", "3s"),
                ("statement_timeout", "15s"),
                ("idle_in_transaction_session_timeout", "30s"),
            ])
        });
    Database::connect(options).await
}

pub(super) async fn transact<T, F>(pool: &DatabaseConnection, operation: F) -> Result<T, Problem>
where
    F: AsyncFn(&Tx) -> Result<T, Problem>,
{
    let mut tried = 1;
    loop {
        match once(pool, &operation).await {
            Err(problem) if problem.may_retry() && tried < TRIES => {
                tracing::debug!(tried, reason = problem.source_text(), "transaction is run again");
                tokio::time::sleep(Duration::from_millis(u64::from(tried) * rand::random_range(2..12))).await;
                tried += 1;
            }
            outcome => return outcome,
        }
    }
}

async fn once<T, F>(pool: &DatabaseConnection, operation: &F) -> Result<T, Problem>
where
    F: AsyncFn(&Tx) -> Result<T, Problem>,
{
    let tx = pool.begin().await?;
    // As on SQLite, a mistake in one operation is a failed call: background work must outlive it.
    let outcome = AssertUnwindSafe(operation(&tx)).catch_unwind().await;
    match outcome.unwrap_or_else(|_| Err(Problem::unexpected("the operation panicked"))) {
        Ok(value) => {
            tx.commit().await?;
            Ok(value)
        }
        Err(problem) => {
            tx.rollback().await?;
            Err(problem)
        }
    }
}
