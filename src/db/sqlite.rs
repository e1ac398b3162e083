//! `SQLite`: one thread that writes, sharing durable commits, and a pool of readers that cannot.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::{FutureExt, future::LocalBoxFuture};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::{mpsc, oneshot};

use super::{Tx, queue_full};
use crate::{
    config::{self, Synchronous},
    problem::{Code, Problem},
};

/// The most operations that share a commit.
const GROUP: usize = 64;
/// The most operations that wait; beyond it callers are told to come back.
const QUEUE: usize = 1024;
/// Tries of an operation that asked for another one.
const TRIES: u32 = 4;

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
            .busy_timeout(Duration::from_secs(5))
            .foreign_keys(true)
            .statement_cache_capacity(256)
            .optimize_on_close(true, None)
    });
    Database::connect(options).await
}

pub(super) async fn connect_readers(url: &str, settings: &config::Database) -> Result<DatabaseConnection, DbErr> {
    let mut options = options(url);
    options.max_connections(settings.max_connections.min(8)).min_connections(1).map_sqlx_sqlite_opts(|options| {
        options.busy_timeout(Duration::from_secs(5)).statement_cache_capacity(256).pragma("query_only", "ON")
    });
    Database::connect(options).await
}

fn options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .acquire_timeout(Duration::from_secs(5))
        .idle_timeout(None)
        .max_lifetime(None)
        .sqlx_logging(false)
        .test_before_acquire(false);
    options
}

fn make_folder(url: &str) -> Result<(), DbErr> {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    let file = path.split('?').next().unwrap_or(path);
    match std::path::Path::new(file).parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::create_dir_all(folder)
            .map_err(|fault| DbErr::Custom(format!("cannot make the folder {}: {fault}", folder.display()))),
        _ => Ok(()),
    }
}

/// The way to the thread that writes.
#[derive(Clone)]
pub(super) struct Writer {
    connection: DatabaseConnection,
    queue: mpsc::Sender<Box<dyn Write>>,
}

impl Writer {
    /// Starts the thread. It ends when the last clone of the writer is gone.
    pub(super) fn start(connection: DatabaseConnection) -> Result<Self, DbErr> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let its_connection = connection.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|fault| DbErr::Custom(fault.to_string()))?;
        std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || runtime.block_on(write(its_connection, waiting)))
            .map_err(|fault| DbErr::Custom(fault.to_string()))?;
        Ok(Self { connection, queue })
    }

    pub(super) fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    pub(super) async fn close(&self) {
        if let Err(fault) = self.connection.close_by_ref().await {
            tracing::warn!(error = %fault, "the database did not close cleanly");
        }
    }

    pub(super) async fn transact<T, F>(&self, operation: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: AsyncFn(&Tx) -> Result<T, Problem> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Box::new(Waiting { operation, answer })).map_err(|_| queue_full())?;
        answered.await.unwrap_or_else(|_| Err(Problem::unexpected("the operation panicked")))
    }
}

/// Tells the caller how it ended; takes the fault of the commit, if there was one.
type Answer = Box<dyn FnOnce(Option<&DbErr>)>;

/// An operation in the queue, its types forgotten.
trait Write: Send {
    /// Runs inside `tx`, in a savepoint: a failure takes back only this operation.
    fn run(self: Box<Self>, tx: &Tx) -> LocalBoxFuture<'_, Outcome>;
    /// The transaction did not even begin.
    fn refuse(self: Box<Self>, fault: &DbErr);
}

struct Outcome {
    /// Whether its work is to be committed.
    keep: bool,
    answer: Answer,
}

struct Waiting<T, F> {
    operation: F,
    answer: oneshot::Sender<Result<T, Problem>>,
}

impl<T, F> Write for Waiting<T, F>
where
    T: Send + 'static,
    F: AsyncFn(&Tx) -> Result<T, Problem> + Send + 'static,
{
    fn run(self: Box<Self>, tx: &Tx) -> LocalBoxFuture<'_, Outcome> {
        Box::pin(async move {
            let Self { operation, answer } = *self;
            let result = in_savepoint(tx, &operation).await;
            let keep = result.is_ok();
            Outcome {
                keep,
                answer: Box::new(move |commit| {
                    let said = match commit {
                        Some(fault) if keep => Err(Problem::unexpected(format!("commit failed: {fault}"))),
                        _ => result,
                    };
                    // The caller may have hung up; what was committed stays committed.
                    let _ = answer.send(said);
                }),
            }
        })
    }

    fn refuse(self: Box<Self>, fault: &DbErr) {
        let _ = self.answer.send(Err(Problem::busy(fault)));
    }
}

async fn write(connection: DatabaseConnection, mut waiting: mpsc::Receiver<Box<dyn Write>>) {
    let mut group = Vec::with_capacity(GROUP);
    while waiting.recv_many(&mut group, GROUP).await > 0 {
        metrics::histogram!("shuoshi_commit_operations").record(u32::try_from(group.len()).unwrap_or(u32::MAX));
        let immediate = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        match connection.begin_with_options(immediate).await {
            Ok(tx) => commit_together(tx, &mut group).await,
            Err(fault) => group.drain(..).for_each(|write| write.refuse(&fault)),
        }
    }
}

async fn commit_together(tx: Tx, group: &mut Vec<Box<dyn Write>>) {
    let mut outcomes = Vec::with_capacity(group.len());
    for write in group.drain(..) {
        outcomes.push(write.run(&tx).await);
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

async fn in_savepoint<T, F>(tx: &Tx, operation: &F) -> Result<T, Problem>
where
    F: AsyncFn(&Tx) -> Result<T, Problem>,
{
    let mut tried = 1;
    loop {
        let savepoint = tx.begin().await?;
        match caught(operation, &savepoint).await {
            Ok(value) => {
                savepoint.commit().await?;
                return Ok(value);
            }
            Err(problem) => {
                savepoint.rollback().await?;
                if !problem.may_retry() || tried == TRIES {
                    return Err(problem);
                }
                tried += 1;
            }
        }
    }
}

/// A panic of one operation must not take the writer down with it.
async fn caught<T, F>(operation: &F, tx: &Tx) -> Result<T, Problem>
where
    F: AsyncFn(&Tx) -> Result<T, Problem>,
{
    let outcome = AssertUnwindSafe(operation(tx)).catch_unwind().await;
    outcome.unwrap_or_else(|_| Err(Problem::new(Code::Unexpected)))
}
