//! The loop that runs what is due.

use std::{sync::Arc, time::Duration};

use entity::{id::JobId, job, sealed::Sealed};
use futures_util::{
    StreamExt,
    future::{join, join_all},
    stream::FuturesUnordered,
};

use super::{
    queue::{self, Ended, Job, Lane},
    sweeps,
};
use crate::{
    app::App,
    content, notices, people,
    personal::{Personal, PhoneNumber, PrivateText},
    problem::Problem,
    pushes, settings, webhooks,
};

/// How often the loop looks when it found nothing.
const IDLE: Duration = Duration::from_secs(1);
/// How long what is on its way to others may go on when the application stops; stopping takes less than three seconds.
const ENDS_WITHIN: Duration = Duration::from_millis(2200);

/// After how many looks it asks whether another calendar was published, or a place set something.
const LOOK_FOR_CALENDAR: u32 = 60;

/// Works until the application stops.
pub async fn work(app: &Arc<App>) {
    join(work_in_the_house(app), work_outside(app)).await;
}

async fn work_in_the_house(app: &Arc<App>) {
    let mut rounds = 0_u32;
    loop {
        let ran = async {
            sweeps::run_due(app).await?;
            run_lane(app, Lane::House).await
        };
        if let Err(problem) = ran.await {
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

/// Runs the jobs that wait for others, each settled as it ends: a slow server holds up neither the house nor those who
/// tell another one. What is on its way when the application stops may end, for a moment; the rest is made again when its
/// lease ends.
async fn work_outside(app: &Arc<App>) {
    let mut running = FuturesUnordered::new();
    loop {
        let free = queue::BATCH - running.len().min(queue::BATCH);
        let claimed = queue::claim(app, Lane::Outside, free).await.unwrap_or_else(|problem| {
            tracing::warn!(error = %problem, reason = problem.source_text(), "no jobs for outside for a moment");
            vec![]
        });
        for row in claimed {
            running.push(async {
                let ended = run_batch(app, vec![row]).await;
                if let Err(problem) = queue::settle(app, ended).await {
                    tracing::warn!(error = %problem, reason = problem.source_text(), "a job could not be settled");
                }
            });
        }
        let idle = tokio::time::sleep(IDLE);
        tokio::pin!(idle);
        loop {
            tokio::select! {
                () = app.stopping.cancelled() => {
                    let rest = async { while running.next().await.is_some() {} };
                    let _ = tokio::time::timeout(ENDS_WITHIN, rest).await;
                    return;
                }
                () = &mut idle, if running.len() < queue::BATCH => break,
                Some(()) = running.next(), if !running.is_empty() => {}
            }
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
    Ok(sweeps::run_due(app).await? + run_lane(app, Lane::House).await? + run_lane(app, Lane::Outside).await?)
}

async fn run_lane(app: &Arc<App>, lane: Lane) -> Result<u32, Problem> {
    let mut ran = 0;
    loop {
        let claimed = queue::claim(app, lane, queue::BATCH).await?;
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
async fn run_batch(app: &Arc<App>, claimed: Vec<job::Model>) -> Vec<(job::Model, Ended)> {
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
                let ended = match job {
                    Ok(job) => run_one(app, row.id, job).await,
                    Err(fault) => Ended::Failed(fault.to_string()),
                };
                (row, ended)
            }),
        }
    }
    let delivered = ended(if together.is_empty() { Ok(()) } else { notices::deliver(app, together).await });
    let mut outcomes = join_all(each).await;
    outcomes.extend(told.into_iter().map(|row| (row, delivered.clone())));
    for (row, outcome) in &outcomes {
        count(row, outcome);
    }
    outcomes
}

async fn run_one(app: &Arc<App>, id: JobId, job: Job) -> Ended {
    match job {
        Job::DeliverNotices { notices } => ended(notices::deliver(app, notices).await),
        // What comes too late is worse than nothing.
        Job::SendSms { until: Some(until), .. } if until <= app.clock.now() => Ended::Done,
        Job::SendSms { to, text, .. } => send_sms(app, id, to, text).await.map_or_else(Ended::Failed, |()| Ended::Done),
        Job::BuildExport { export } => ended(people::build_export(app, export).await),
        Job::ProcessPushes { sender } => ended(pushes::process(app, sender).await),
        Job::CheckContent(question) => match content::check(app, question).await {
            Ok(Some(wait)) => Ended::NotNow(wait),
            outcome => ended(outcome.map(drop)),
        },
        Job::DeliverEvent(attempt) => match webhooks::deliver(app, attempt).await {
            Ok(Some(wait)) => Ended::NotNow(wait),
            outcome => ended(outcome.map(drop)),
        },
        Job::SendNotice { delivery } => match notices::send(app, delivery).await {
            Ok(Some(wait)) => Ended::NotNow(wait),
            outcome => ended(outcome.map(drop)),
        },
        Job::TellStaff { notices } => ended(notices::staff::send(app, notices).await),
    }
}

/// Sends a text. Where nobody knows whether it went it goes again only by a gateway that drops repetitions: once is
/// enough, and a code that does not come is asked for again.
async fn send_sms(app: &App, id: JobId, to: String, text: String) -> Result<(), String> {
    let to: PhoneNumber = app.field_keys.open(&Sealed(to)).map_err(|problem| in_words(&problem))?;
    let text: PrivateText = app.field_keys.open(&Sealed(text)).map_err(|problem| in_words(&problem))?;
    match app.sms.send(&id.to_string(), &to, text.in_the_clear()).await {
        Err(fault) if fault.may_have_arrived && !app.sms.drops_repeats() => {
            tracing::warn!(job.id = %id, reason = fault.why, "nobody knows whether a text message went");
            Ok(())
        }
        outcome => outcome.map_err(|fault| fault.why),
    }
}

fn ended(outcome: Result<(), Problem>) -> Ended {
    outcome.map_or_else(|problem| Ended::Failed(in_words(&problem)), |()| Ended::Done)
}

fn in_words(problem: &Problem) -> String {
    problem.source_text().unwrap_or("refused").to_owned()
}

fn count(row: &job::Model, ended: &Ended) {
    let label = match ended {
        Ended::Done => "done",
        Ended::NotNow(_) => "put_off",
        Ended::Failed(reason) => {
            tracing::warn!(job.id = %row.id, job.kind = row.kind, job.attempts = row.attempts, reason, "a job failed");
            "failed"
        }
    };
    metrics::counter!("shuoshi_jobs_total", "kind" => row.kind.clone(), "outcome" => label).increment(1);
}
