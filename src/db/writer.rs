//! The way to the thread that writes: a bounded queue of operations whose types are forgotten.
//!
//! Both engines write from a thread of their own: its connections live on that thread's runtime, so a statement wakes
//! nobody else. What the thread does with the queue is the engine's: [`super::sqlite`] lets those that wait share a
//! commit, [`super::postgres`] gives each a transaction of its own.

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, future::LocalBoxFuture};
use sea_orm::{DatabaseConnection, DbErr, TransactionOptions, TransactionTrait};
use tokio::sync::{mpsc, oneshot};

use super::Tx;
use crate::problem::{self, Code, Problem};

/// The most operations that wait; beyond it callers are told to come back.
const QUEUE: usize = 1024;
/// Who waited longer for the database is told to come back: it is gone or far behind.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// Tries of an operation that asked for another one.
const TRIES: u32 = 4;

/// Operations on their way.
pub(super) type Queue = mpsc::Receiver<Box<dyn Operation>>;

/// Hands operations to the thread. It ends when the last clone is gone.
#[derive(Clone)]
pub(super) struct Writer {
    connection: DatabaseConnection,
    queue: mpsc::Sender<Box<dyn Operation>>,
}

impl Writer {
    /// Starts a thread that connects and then serves the queue.
    pub(super) async fn start(
        connect: impl AsyncFnOnce() -> Result<DatabaseConnection, DbErr> + Send + 'static,
        serve: impl AsyncFnOnce(DatabaseConnection, Queue) + Send + 'static,
    ) -> Result<Self, DbErr> {
        let failed = |fault: &dyn std::fmt::Display| DbErr::Custom(format!("the thread that writes: {fault}"));
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (tell, told) = oneshot::channel();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|fault| failed(&fault))?;
        // Made on the thread: what it awaits need not be fit for another one.
        let life = async move || {
            let connected = connect().await;
            let connection = connected.as_ref().ok().cloned();
            // Whoever asked may be gone; then nobody will send anything either.
            let _ = tell.send(connected);
            if let Some(connection) = connection {
                serve(connection, waiting).await;
            }
        };
        std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || runtime.block_on(life()))
            .map_err(|fault| failed(&fault))?;
        let connection = told.await.map_err(|fault| failed(&fault))??;
        Ok(Self { connection, queue })
    }

    /// What it writes through, for migrations.
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
        #[allow(clippy::disallowed_types, reason = "a span of time, not a point in it")]
        let since = Instant::now();
        self.queue.try_send(Box::new(Waiting { operation, answer, since })).map_err(|_| full())?;
        answered.await.unwrap_or_else(|_| Err(Problem::unexpected("the operation was lost")))
    }
}

/// The answer to a call that found too many waiting.
pub(super) fn full() -> Problem {
    metrics::counter!("shuoshi_writes_refused_total").increment(1);
    Problem::new(Code::Busy)
}

/// Tells the caller how it ended; takes the fault of the commit, if there was one.
pub(super) type Answer = Box<dyn FnOnce(Option<&DbErr>)>;

/// What an operation came to inside a transaction that it shares.
pub(super) struct Outcome {
    /// Whether its work is to be committed.
    pub(super) keep: bool,
    /// To be called once the transaction has ended.
    pub(super) answer: Answer,
}

/// An operation in the queue.
pub(super) trait Operation: Send {
    /// Whether its caller has waited too long by now.
    fn is_late(&self) -> bool;
    /// Runs in a transaction of its own, begun with these options, again after a conflict, and answers.
    fn alone(self: Box<Self>, db: DatabaseConnection, begin: TransactionOptions) -> LocalBoxFuture<'static, ()>;
    /// Runs inside `tx`, in a savepoint: a failure takes back only this operation.
    fn sharing(self: Box<Self>, tx: &Tx) -> LocalBoxFuture<'_, Outcome>;
    /// Nothing was done.
    fn refuse(self: Box<Self>, problem: Problem);
}

struct Waiting<T, F> {
    operation: F,
    answer: oneshot::Sender<Result<T, Problem>>,
    since: Instant,
}

// A caller may have hung up: then nobody hears the answer, and what was committed stays committed.
impl<T, F> Operation for Waiting<T, F>
where
    T: Send + 'static,
    F: AsyncFn(&Tx) -> Result<T, Problem> + Send + 'static,
{
    fn is_late(&self) -> bool {
        self.since.elapsed() > PATIENCE
    }

    fn alone(self: Box<Self>, db: DatabaseConnection, begin: TransactionOptions) -> LocalBoxFuture<'static, ()> {
        Box::pin(async move {
            let Self { operation, answer, .. } = *self;
            let _ = answer.send(with_tries(async || once(&db, begin, &operation).await).await);
        })
    }

    fn sharing(self: Box<Self>, tx: &Tx) -> LocalBoxFuture<'_, Outcome> {
        Box::pin(async move {
            let Self { operation, answer, .. } = *self;
            let result = with_tries(async || once(tx, TransactionOptions::default(), &operation).await).await;
            let keep = result.is_ok();
            let answer: Answer = Box::new(move |commit| {
                let said = match commit {
                    Some(fault) if keep => Err(Problem::unexpected(format!("commit failed: {fault}"))),
                    _ => result,
                };
                let _ = answer.send(said);
            });
            Outcome { keep, answer }
        })
    }

    fn refuse(self: Box<Self>, problem: Problem) {
        let _ = self.answer.send(Err(problem));
    }
}

/// Deadlocks, serialisation failures and chance collisions ask for another try.
async fn with_tries<T>(attempt: impl AsyncFn() -> Result<T, Problem>) -> Result<T, Problem> {
    let mut tried = 1;
    loop {
        match attempt().await {
            Err(problem) if problem.may_retry() && tried < TRIES => {
                tracing::debug!(tried, reason = problem.source_text(), "an operation is run again");
                // At once the first time; who collides again steps aside for a moment.
                if tried > 1 {
                    tokio::time::sleep(Duration::from_millis(u64::from(tried) * rand::random_range(1..8))).await;
                }
                tried += 1;
            }
            outcome => return outcome,
        }
    }
}

/// One try, in a transaction or in a savepoint of one.
async fn once<T, F>(
    db: &impl TransactionTrait<Transaction = Tx>,
    begin: TransactionOptions,
    operation: &F,
) -> Result<T, Problem>
where
    F: AsyncFn(&Tx) -> Result<T, Problem>,
{
    let tx = db.begin_with_options(begin).await.map_err(problem::not_begun)?;
    // A mistake in one operation is a failed call: the thread must outlive it.
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
