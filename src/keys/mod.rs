//! Keys over the years: which columns are sealed, sealing them anew under another key, finding them by another hash.
//!
//! [`table`] is the one list of sealed and of hashed columns; a test compares it with the entities. [`rotate`] seals
//! what other keys closed with the active one while servers run, [`reindex`] makes the hashes anew while they stand
//! still. How an operator goes about it is in `src/guide/keys.md`. Next: [`crate::crypto`] for the sealing itself.

mod reindex;
mod rotate;
mod status;
pub mod table;

pub use reindex::{Reindexed, reindex};
pub use rotate::{Rotated, rotate};
pub use status::{Used, status};

use std::time::Duration;

use sea_orm::sea_query::{Expr, ExprTrait, Func};

use crate::{
    db::{Db, Tx},
    problem::{Code, Problem},
};

/// Rows read and written at a time: servers write in between.
const BATCH: u64 = 100;
/// Tries of a batch that found the database busy.
const TRIES: u32 = 20;

/// Whether a column's value is sealed by another key than this one. Not `LIKE`: of engines some forget about case.
fn not_by(column: &'static str, key: &str) -> Expr {
    let start = format!("{key}.");
    let length = i32::try_from(start.len()).unwrap_or(i32::MAX);
    Expr::from(Func::cust("substr").arg(Expr::col(column)).arg(1).arg(length)).ne(start)
}

/// Writes a batch; servers that write at the same time may have to be waited for.
async fn patiently<T, F>(db: &Db, operation: F) -> Result<T, Problem>
where
    T: Send + 'static,
    F: AsyncFn(&Tx) -> Result<T, Problem> + Clone + Send + 'static,
{
    let mut tried = 1;
    loop {
        match db.transact(operation.clone()).await {
            Err(problem) if problem.code() == Code::Busy && tried < TRIES => {
                tried += 1;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            outcome => return outcome,
        }
    }
}
