//! The loop that runs what is due.

use std::{sync::Arc, time::Duration};

use entity::job;
use futures_util::future::join_all;

use super::{
    queue::{self, Job},
    sweeps,
};
use crate::{app::App, notices, problem::Problem};

/// How often the loop looks when it found nothing.
const IDLE: Duration = Duration::from_secs(1);

/// Works until the application stops.
pub async fn work(app: &Arc<App>) {
    loop {
        if let Err(problem) = run_due(app).await {
            tracing::warn!(error = %problem, reason = problem.source_text(), "background work stopped for a moment");
        }
        tokio::select! {
            () = app.stopping.cancelled() => return,
            () = tokio::time::sleep(IDLE) => {}
        }
    }
}

/// Runs every sweep and job that is due, and those that fall due by it; says how many there were.
pub async fn run_due(app: &Arc<App>) -> Result<u32, Problem> {
    let mut ran = sweeps::run_due(app).await?;
    loop {
        let claimed = queue::claim(app).await?;
        if claimed.is_empty() {
            return Ok(ran);
        }
        ran += u32::try_from(claimed.len()).unwrap_or(u32::MAX);
        let outcomes = join_all(claimed.into_iter().map(|job| run_one(app, job))).await;
        queue::settle(app, outcomes).await?;
    }
}

async fn run_one(app: &Arc<App>, row: job::Model) -> (job::Model, Result<(), String>) {
    let kind = row.kind.clone();
    let outcome = match serde_json::from_value::<Job>(row.payload.clone()) {
        Ok(job) => perform(app, job).await.map_err(|problem| problem.source_text().unwrap_or("refused").to_owned()),
        Err(fault) => Err(fault.to_string()),
    };
    if let Err(reason) = &outcome {
        tracing::warn!(job.id = %row.id, job.kind = kind, job.attempts = row.attempts, reason, "a job failed");
    }
    let label = if outcome.is_ok() { "done" } else { "failed" };
    metrics::counter!("shuoshi_jobs_total", "kind" => kind, "outcome" => label).increment(1);
    (row, outcome)
}

async fn perform(app: &Arc<App>, job: Job) -> Result<(), Problem> {
    match job {
        Job::DeliverNotice { notice } => notices::deliver(app, notice).await,
    }
}
