//! What a desk did while its line was down: a queue of steps, replayed in order.
//!
//! Each step is a transaction of its own and bears a key that is good once a day for whoever took it, so a queue that was cut in the middle
//! is simply sent again: what was done is told once more and not done twice. What is refused does not stop the rest.

use std::sync::Arc;

use chrono::{DateTime, Datelike, Utc};
use entity::{
    Instant, booking,
    booking::BookingPrivacy,
    booking_event,
    id::{BookingId, PersonId, TalkDayId},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::{
    call, line,
    step::{self, Acting},
    undo,
    walk_in::{self, RegisterWalkIn},
};
use crate::{
    app::App,
    auth::{Staff, duty::SeeTalkLine},
    db::Tx,
    http::faults_of,
    problem::{Code, Problem},
    talks::{bodies::TalkMode, steps::LineAction},
};

/// What can be done without a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueuedAction {
    /// The person is there.
    CheckIn,
    /// It is their turn.
    Call,
    /// Whoever is next, as the line stood at that time.
    CallNext,
    /// Called once more.
    Recall,
    /// Set aside.
    Park,
    /// They were not there.
    Missed,
    /// Somebody came without a booking.
    WalkIn,
    /// The last step of the booking is taken back; without one, one's own last step of the day.
    Undo,
}

/// A step that was taken without a line.
#[derive(Clone, Debug, Deserialize, Serialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueuedStep {
    /// Names the step once for the day and whoever is signed in.
    #[validate(custom(function = "visible"))]
    #[schema(min_length = 8, max_length = 64, pattern = "^[!-~]{8,64}$")]
    key: String,
    /// When it was done, by the desk's clock.
    at: DateTime<Utc>,
    /// What was done.
    action: QueuedAction,
    /// With which booking.
    booking: Option<BookingId>,
    /// Likewise, of somebody who came in this queue or an earlier one: the key of that step.
    walk_in: Option<String>,
    /// Of `walk_in`: as in the call of its own.
    name: Option<String>,
    /// Likewise.
    topic: Option<String>,
    /// Likewise.
    summary: Option<String>,
    /// Likewise.
    person: Option<PersonId>,
    /// Likewise.
    privacy: Option<BookingPrivacy>,
    /// Likewise.
    mode: Option<TalkMode>,
}

impl QueuedStep {
    /// What tells it from another step under the same key. Keyed: a plain hash of a name could be guessed.
    fn fingerprint(&self, app: &App) -> Result<String, Problem> {
        let text = serde_json::to_string(self).map_err(Problem::unexpected)?;
        app.field_keys.blind_index("fingerprint", &text)
    }
}

/// The most steps of one call.
const MOST: usize = 200;

/// Steps in the order in which they were taken.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayLine {
    /// At most 200; send the rest after the answer.
    #[validate(nested)]
    #[schema(max_items = 200)]
    pub actions: Vec<QueuedStep>,
}

fn visible(key: &str) -> Result<(), ValidationError> {
    let fits = (8..=64).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(()) } else { Err(ValidationError::new("format")) }
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueuedOutcome {
    /// It counts.
    Done,
    /// It counted before.
    Repeated,
    /// It does not count; `code` says why.
    Refused,
}

/// A step and what became of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Replayed {
    key: String,
    outcome: QueuedOutcome,
    /// Why it was refused: a code of the table of problems.
    code: Option<String>,
    booking: Option<BookingId>,
    number: Option<i32>,
}

impl Replayed {
    fn of(key: String, outcome: QueuedOutcome, row: &booking::Model) -> Self {
        Self { key, outcome, code: None, booking: Some(row.id), number: Some(row.number_in_line) }
    }
}

/// Replays the steps in their order, each durable before the next.
///
/// # Errors
/// `not_found` where the staff have no part in the day; `busy` when the database fails: the queue is to be sent again.
pub async fn replay(
    app: &Arc<App>,
    staff: &Staff<SeeTalkLine>,
    day: TalkDayId,
    steps: Vec<QueuedStep>,
) -> Result<Vec<Replayed>, Problem> {
    let found = entity::talk_day::Entity::find_by_id(day).one(app.db.read()).await?.ok_or_else(Problem::not_found)?;
    line::hosting(app.db.read(), staff, &found).await?;
    if steps.len() > MOST {
        return Err(Problem::field("/actions", "length"));
    }
    let mut all = Vec::with_capacity(steps.len());
    for step in steps {
        let (shared, staff, key) = (app.clone(), staff.clone(), step.key.clone());
        let now = app.clock.now();
        let done = app.db.transact(async move |tx| one(tx, &shared, &staff, day, &step, now).await).await;
        all.push(match done {
            Ok(replayed) => replayed,
            Err(problem) if problem.is_refusal() => {
                let code = Some(problem.code().slug().to_owned());
                Replayed { key, outcome: QueuedOutcome::Refused, code, booking: None, number: None }
            }
            Err(problem) => return Err(problem),
        });
    }
    Ok(all)
}

async fn one(
    tx: &Tx,
    app: &App,
    staff: &Staff<SeeTalkLine>,
    day: TalkDayId,
    queued: &QueuedStep,
    now: Instant,
) -> Result<Replayed, Problem> {
    // The lock comes before the look: of two copies of a queue at once, the second sees what the first has done.
    call::lock_day(tx, staff, day).await?;
    let fingerprint = queued.fingerprint(app)?;
    if let Some(event) = by_key(tx, staff, day, &queued.key).await? {
        if event.fingerprint.is_some_and(|first| first != fingerprint) {
            return Err(Code::IdempotencyKeyReused.into());
        }
        let row = booking::Entity::find_by_id(event.booking_id).one(tx).await?.ok_or_else(Problem::not_found)?;
        return Ok(Replayed::of(queued.key.clone(), QueuedOutcome::Repeated, &row));
    }
    let acting = Acting {
        said_at: Some(queued.at).filter(|at| (2000..=2100).contains(&at.year())),
        key: Some(queued.key.clone()),
        fingerprint: Some(fingerprint),
        ..Acting::call(staff.id(), None, now)
    };
    let row = act(tx, app, staff, day, queued, &acting).await?;
    Ok(Replayed::of(queued.key.clone(), QueuedOutcome::Done, &row))
}

async fn act(
    tx: &Tx,
    app: &App,
    staff: &Staff<SeeTalkLine>,
    day: TalkDayId,
    queued: &QueuedStep,
    acting: &Acting,
) -> Result<booking::Model, Problem> {
    let named = match (queued.booking, &queued.walk_in) {
        (None, Some(key)) => Some(by_key(tx, staff, day, key).await?.ok_or_else(Problem::not_found)?.booking_id),
        (named, _) => named,
    };
    let action = match queued.action {
        QueuedAction::CheckIn => LineAction::CheckIn,
        QueuedAction::Call => LineAction::Call,
        QueuedAction::Recall => LineAction::Recall,
        QueuedAction::Park => LineAction::Park,
        QueuedAction::Missed => LineAction::Missed,
        QueuedAction::CallNext => return call::call_next(tx, staff, day, acting).await,
        QueuedAction::WalkIn => return walk_in::register(tx, app, staff, day, &entry(queued)?, acting).await,
        QueuedAction::Undo => {
            let Some(id) = named else { return undo::undo_last(tx, staff, day, acting).await };
            let open = step::open(tx, staff, id).await?;
            return undo::taken_back(tx, of_the_day(open, day)?, acting).await;
        }
    };
    let id = named.ok_or_else(|| Problem::field("/booking", "required"))?;
    let open = step::open(tx, staff, id).await?;
    call::taken(tx, of_the_day(open, day)?, action, acting).await
}

/// A queue is of one day, whose lock it holds.
fn of_the_day(open: step::Open, day: TalkDayId) -> Result<step::Open, Problem> {
    if open.day.id == day { Ok(open) } else { Err(Code::NotFound.into()) }
}

/// Checked here and not with the queue: one wrong word must not keep the other steps waiting.
fn entry(queued: &QueuedStep) -> Result<RegisterWalkIn, Problem> {
    let body = RegisterWalkIn {
        name: queued.name.clone(),
        topic: queued.topic.clone().ok_or_else(|| Problem::field("/topic", "required"))?,
        summary: queued.summary.clone().ok_or_else(|| Problem::field("/summary", "required"))?,
        person: queued.person,
        privacy: queued.privacy,
        mode: queued.mode,
    };
    body.validate().map_err(|faults| Problem::invalid(faults_of(&faults)))?;
    Ok(body)
}

/// What these staff have done on the day under a key. Another desk may use the same: each counts from one.
async fn by_key(
    tx: &Tx,
    staff: &Staff<SeeTalkLine>,
    day: TalkDayId,
    key: &str,
) -> Result<Option<booking_event::Model>, Problem> {
    let of_day = booking_event::Entity::find().filter(booking_event::COLUMN.talk_day_id.eq(day));
    let theirs = of_day.filter(booking_event::COLUMN.staff_id.eq(Some(staff.id())));
    Ok(theirs.filter(booking_event::COLUMN.key.eq(key)).one(tx).await?)
}
