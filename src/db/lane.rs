//! Lanes: calls of one kind that wait at the same moment are done together, by the same few statements.
//!
//! A lane takes what waits, however little, and hands it to one operation that answers each for itself: a hundred
//! bookings cost the statements of one. When the whole fails, each is done alone, so that nobody pays for a neighbour.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::{Db, Tx, writer};
use crate::problem::Problem;

/// The most that are done together; the statements grow with it and stay prepared, one for each size.
const MOST: usize = 32;
/// The most that wait; beyond it callers are told to come back.
const QUEUE: usize = 1024;

/// A lane for calls that ask for `I` and are answered with `A`.
pub struct Lane<I, A> {
    queue: mpsc::Sender<Waiting<I, A>>,
}

struct Waiting<I, A> {
    wish: I,
    answer: oneshot::Sender<Result<A, Problem>>,
}

impl<I: Send + Sync + 'static, A: Send + 'static> Lane<I, A> {
    /// Opens a lane for `work`, which answers each of the wishes in their order; it ends when the lane is dropped.
    ///
    /// `work` may run more than once for the same wishes, as any operation of [`Db::transact`]. A refusal of one wish
    /// stands in its answer and must leave nothing written for it; an `Err` of the whole takes everything back.
    #[must_use]
    pub fn open<F>(db: &Db, work: F) -> Self
    where
        F: AsyncFn(&Tx, &[I]) -> Result<Vec<Result<A, Problem>>, Problem> + Send + Sync + 'static,
    {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(serve(db.clone(), Arc::new(work), waiting));
        Self { queue }
    }

    /// Waits for the answer to this wish.
    ///
    /// # Errors
    /// What `work` says of it; `busy` when too many wait.
    pub async fn submit(&self, wish: I) -> Result<A, Problem> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Waiting { wish, answer }).map_err(|_| writer::full())?;
        answered.await.unwrap_or_else(|_| Err(Problem::unexpected("the lane has ended")))
    }
}

async fn serve<I, A, F>(db: Db, work: Arc<F>, mut waiting: mpsc::Receiver<Waiting<I, A>>)
where
    I: Send + Sync + 'static,
    A: Send + 'static,
    F: AsyncFn(&Tx, &[I]) -> Result<Vec<Result<A, Problem>>, Problem> + Send + Sync + 'static,
{
    let mut group = Vec::with_capacity(MOST);
    while waiting.recv_many(&mut group, MOST).await > 0 {
        metrics::histogram!("shuoshi_lane_wishes").record(u32::try_from(group.len()).unwrap_or(u32::MAX));
        let (wishes, callers): (Vec<I>, Vec<_>) = group.drain(..).map(|one| (one.wish, one.answer)).unzip();
        let wishes: Arc<[I]> = wishes.into();
        let answers = match together(&db, &work, &wishes, 0, wishes.len()).await {
            Err(problem) if wishes.len() > 1 => {
                tracing::warn!(reason = problem.source_text(), "a crowd is done one by one");
                one_by_one(&db, &work, &wishes).await
            }
            Err(problem) => vec![Err(problem)],
            Ok(answers) => answers,
        };
        // Who has hung up does not hear it.
        callers.into_iter().zip(answers).for_each(|(caller, answer)| drop(caller.send(answer)));
    }
}

async fn one_by_one<I, A, F>(db: &Db, work: &Arc<F>, wishes: &Arc<[I]>) -> Vec<Result<A, Problem>>
where
    I: Send + Sync + 'static,
    A: Send + 'static,
    F: AsyncFn(&Tx, &[I]) -> Result<Vec<Result<A, Problem>>, Problem> + Send + Sync + 'static,
{
    let mut answers = Vec::with_capacity(wishes.len());
    for at in 0..wishes.len() {
        let lone = together(db, work, wishes, at, at + 1).await;
        answers.push(lone.and_then(|mut answers| answers.pop().unwrap_or_else(|| Err(too_few()))));
    }
    answers
}

async fn together<I, A, F>(
    db: &Db,
    work: &Arc<F>,
    wishes: &Arc<[I]>,
    from: usize,
    to: usize,
) -> Result<Vec<Result<A, Problem>>, Problem>
where
    I: Send + Sync + 'static,
    A: Send + 'static,
    F: AsyncFn(&Tx, &[I]) -> Result<Vec<Result<A, Problem>>, Problem> + Send + Sync + 'static,
{
    let (work, wishes) = (work.clone(), wishes.clone());
    db.transact(async move |tx| {
        let answers = work(tx, wishes.get(from..to).unwrap_or_default()).await?;
        if answers.len() == to - from { Ok(answers) } else { Err(too_few()) }
    })
    .await
}

fn too_few() -> Problem {
    Problem::unexpected("not every wish of a lane was answered")
}
