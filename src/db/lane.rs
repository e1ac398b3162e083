//! Lanes: calls of one kind that wait at the same moment are done together, by the same few statements.
//!
//! A lane takes what waits, however little, and hands it to one operation that answers each for itself: a hundred
//! bookings cost the statements of one. When the whole fails, each is done alone, so that nobody pays for a neighbour.
//! [`Lane::writing`] does so in a transaction, [`Lane::reading`] with a connection that reads.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::DatabaseConnection;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::{Db, Tx, writer};
use crate::problem::{Code, Problem};

/// The most that are done together; the statements grow with it and stay prepared, one for each size.
const MOST: usize = 32;
/// The most that wait; beyond it callers are told to come back.
const QUEUE: usize = 1024;
/// A connection that has fallen silent must not keep the lane for itself.
const WRITTEN_WITHIN: Duration = Duration::from_secs(10);
/// Likewise; what a lane reads, it reads by keys.
const READ_WITHIN: Duration = Duration::from_secs(3);

/// The answers to some wishes, each in its place.
pub type Answers<A> = Result<Vec<Result<A, Problem>>, Problem>;

/// What is asked for by those who are served together.
pub type Wishes<I> = Arc<[Arc<I>]>;

/// A lane for calls that ask for `I` and are answered with `A`. It ends when it is dropped.
pub struct Lane<I, A> {
    queue: mpsc::Sender<Waiting<I, A>>,
}

struct Waiting<I, A> {
    wish: I,
    answer: oneshot::Sender<Result<A, Problem>>,
    since: Instant,
}

impl<I: Send + Sync + 'static, A: Send + 'static> Lane<I, A> {
    /// Opens a lane for `work`, which answers each of the wishes in their order, in one transaction.
    ///
    /// `work` may run more than once for the same wishes, as any operation of [`Db::transact`]. A refusal of one wish
    /// stands in its answer and must leave nothing written for it; an `Err` of the whole takes everything back.
    #[must_use]
    pub fn writing<F>(db: &Db, work: F) -> Self
    where
        F: AsyncFn(&Tx, &[Arc<I>]) -> Answers<A> + Send + Sync + 'static,
    {
        let (db, work) = (db.clone(), Arc::new(work));
        Self::open(WRITTEN_WITHIN, move |wishes: Wishes<I>| {
            let (db, work) = (db.clone(), work.clone());
            Box::pin(async move { db.transact(async move |tx| work(tx, &wishes).await).await })
        })
    }

    /// Opens a lane for `work`, which reads.
    #[must_use]
    pub fn reading(
        db: &Db,
        work: impl Fn(DatabaseConnection, Wishes<I>) -> BoxFuture<'static, Answers<A>> + Send + Sync + 'static,
    ) -> Self {
        let db = db.read().clone();
        Self::open(READ_WITHIN, move |wishes| work(db.clone(), wishes))
    }

    fn open(
        within: Duration,
        work: impl Fn(Wishes<I>) -> BoxFuture<'static, Answers<A>> + Send + Sync + 'static,
    ) -> Self {
        let in_time = move |wishes: Wishes<I>| -> BoxFuture<'static, Answers<A>> {
            // A mistake in the work is a failed call: the lane must outlive it.
            let work = timeout(within, AssertUnwindSafe(work(wishes)).catch_unwind());
            Box::pin(async move {
                let outcome = work.await.map_err(|_| Problem::busy(&"the work of a lane took too long"))?;
                outcome.unwrap_or_else(|_| Err(Problem::unexpected("the work of a lane panicked")))
            })
        };
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(serve(in_time, waiting));
        Self { queue }
    }

    /// Waits for the answer to this wish.
    ///
    /// # Errors
    /// What `work` says of it; `busy` when too many wait, or when it waited too long.
    pub async fn submit(&self, wish: I) -> Result<A, Problem> {
        let (answer, answered) = oneshot::channel();
        #[allow(clippy::disallowed_types, reason = "a span of time, not a point in it")]
        let since = Instant::now();
        self.queue.try_send(Waiting { wish, answer, since }).map_err(|_| writer::full())?;
        answered.await.unwrap_or_else(|_| Err(Problem::unexpected("the lane has ended")))
    }
}

/// One crowd at a time: two would be smaller, cost more, and wait for each other's locks.
async fn serve<I, A>(
    work: impl Fn(Wishes<I>) -> BoxFuture<'static, Answers<A>>,
    mut waiting: mpsc::Receiver<Waiting<I, A>>,
) {
    let mut group = Vec::with_capacity(MOST);
    while waiting.recv_many(&mut group, MOST).await > 0 {
        answer(&work, std::mem::take(&mut group)).await;
    }
}

async fn answer<I, A>(work: &impl Fn(Wishes<I>) -> BoxFuture<'static, Answers<A>>, group: Vec<Waiting<I, A>>) {
    metrics::histogram!("shuoshi_lane_wishes").record(u32::try_from(group.len()).unwrap_or(u32::MAX));
    let late = |one: &Waiting<I, A>| one.since.elapsed() > writer::PATIENCE;
    let (late, in_time): (Vec<_>, Vec<_>) = group.into_iter().partition(late);
    // Who has hung up does not hear it, here and below.
    for one in late {
        drop(one.answer.send(Err(Code::Busy.into())));
    }
    let (wishes, callers): (Vec<_>, Vec<_>) = in_time.into_iter().map(|one| (Arc::new(one.wish), one.answer)).unzip();
    if !wishes.is_empty() {
        let answers = answers(work, wishes).await;
        for (caller, answer) in callers.into_iter().zip(answers) {
            drop(caller.send(answer));
        }
    }
}

async fn answers<I, A>(
    work: &impl Fn(Wishes<I>) -> BoxFuture<'static, Answers<A>>,
    wishes: Vec<Arc<I>>,
) -> Vec<Result<A, Problem>> {
    let many = wishes.len();
    let problem = match attempt(work, wishes.clone()).await {
        Ok(answers) => return answers,
        Err(problem) if many == 1 => return vec![Err(problem)],
        Err(problem) => problem,
    };
    if problem.is_away() {
        return wishes.iter().map(|_| Err(Code::Busy.into())).collect();
    }
    tracing::warn!(reason = problem.source_text(), "a crowd is done one by one");
    let mut answers = Vec::with_capacity(many);
    for wish in wishes {
        let alone = attempt(work, vec![wish]).await;
        answers.push(alone.and_then(|mut answers| answers.pop().unwrap_or_else(|| Err(too_few()))));
    }
    answers
}

async fn attempt<I, A>(work: &impl Fn(Wishes<I>) -> BoxFuture<'static, Answers<A>>, wishes: Vec<Arc<I>>) -> Answers<A> {
    let many = wishes.len();
    let answers = work(wishes.into()).await?;
    if answers.len() == many { Ok(answers) } else { Err(too_few()) }
}

fn too_few() -> Problem {
    Problem::unexpected("not every wish of a lane was answered")
}
