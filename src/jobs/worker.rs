//! The loop that runs what is due.

use std::{sync::Arc, time::Duration};

use entity::{job, sealed::Sealed};
use futures_util::future::join_all;

use super::{
    queue::{self, Job},
    sweeps,
};
use crate::{
    app::App,
    notices, people,
    personal::{Personal, PhoneNumber, PrivateText},
    problem::Problem,
    settings,
};

/// How often the loop looks when it found nothing.
const IDLE: Duration = Duration::from_secs(1);

/// After how many looks it asks whether another calendar was published, or a place set something.
const LOOK_FOR_CALENDAR: u32 = 60;

/// Works until the application stops.
pub async fn work(app: &Arc<App>) {
    let mut rounds = 0_u32;
    loop {
        if let Err(problem) = run_due(app).await {
            tracing::warn!(error = %problem, reason = problem.source_text(), "background work stopped for a moment");
        }
        if rounds.is_multiple_of(LOOK_FOR_CALENDAR) {
            look(app).await;
        }
        rounds = rounds.wrapping_add(1);
        tokio::select! {
            () = app.stopping.cancelled() => return,
            () = tokio::time::sleep(IDLE) => {}
        }
    }
}

/// Keeps calendar and settings current in a process that runs no jobs.
pub async fn keep_current(app: &Arc<App>) {
    loop {
        look(app).await;
        tokio::select! {
            () = app.stopping.cancelled() => return,
            () = tokio::time::sleep(IDLE * LOOK_FOR_CALENDAR) => {}
        }
    }
}

async fn look(app: &App) {
    if let Err(problem) = settings::refresh(app).await {
        tracing::warn!(error = %problem, reason = problem.source_text(), "calendar and settings could not be looked up");
    }
}

/// Runs every sweep and job that is due now; says how many there were. What comes in meanwhile is left to the next look,
/// so that in a rush work is done in few large batches.
pub async fn run_due(app: &Arc<App>) -> Result<u32, Problem> {
    let mut ran = sweeps::run_due(app).await?;
    loop {
        let claimed = queue::claim(app).await?;
        let count = claimed.len();
        ran += u32::try_from(count).unwrap_or(u32::MAX);
        if count > 0 {
            let outcomes = run_batch(app, claimed).await;
            queue::settle(app, outcomes).await?;
        }
        if count < queue::BATCH {
            return Ok(ran);
        }
    }
}

/// Runs the jobs of a batch; those of one kind that can go together do.
async fn run_batch(app: &Arc<App>, claimed: Vec<job::Model>) -> Vec<(job::Model, Outcome)> {
    let mut together = Vec::new();
    let mut told = Vec::new();
    let mut each = Vec::new();
    for row in claimed {
        match serde_json::from_value::<Job>(row.payload.clone()) {
            Ok(Job::DeliverNotices { notices }) => {
                together.extend(notices);
                told.push(row);
            }
            job => each.push(async move {
                let outcome = match job {
                    Ok(job) => run_one(app, job).await,
                    Err(fault) => Err(fault.to_string()),
                };
                (row, outcome)
            }),
        }
    }
    let delivered = notices::deliver(app, together).await.map_err(|problem| in_words(&problem));
    let mut outcomes = join_all(each).await;
    outcomes.extend(told.into_iter().map(|row| (row, delivered.clone())));
    for (row, outcome) in &outcomes {
        count(row, outcome);
    }
    outcomes
}

async fn run_one(app: &Arc<App>, job: Job) -> Outcome {
    match job {
        Job::DeliverNotices { notices } => notices::deliver(app, notices).await.map_err(|problem| in_words(&problem)),
        Job::SendSms { to, text } => {
            let to: PhoneNumber = app.field_keys.open(&Sealed(to)).map_err(|problem| in_words(&problem))?;
            let text: PrivateText = app.field_keys.open(&Sealed(text)).map_err(|problem| in_words(&problem))?;
            app.sms.send(&to, text.in_the_clear()).await
        }
        Job::BuildExport { export } => people::build_export(app, export).await.map_err(|problem| in_words(&problem)),
    }
}

fn in_words(problem: &Problem) -> String {
    problem.source_text().unwrap_or("refused").to_owned()
}

type Outcome = Result<(), String>;

fn count(row: &job::Model, outcome: &Outcome) {
    if let Err(reason) = outcome {
        tracing::warn!(job.id = %row.id, job.kind = row.kind, job.attempts = row.attempts, reason, "a job failed");
    }
    let label = if outcome.is_ok() { "done" } else { "failed" };
    metrics::counter!("shuoshi_jobs_total", "kind" => row.kind.clone(), "outcome" => label).increment(1);
}
