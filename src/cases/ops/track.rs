//! Tracking without signing in: the number on the receipt and the tail of the phone.

use std::{collections::HashMap, net::IpAddr};

use chrono::{NaiveDate, TimeDelta};
use entity::{
    Instant,
    case::{self, CaseKind, CaseState},
    case_event,
    id::{DivisionId, ServiceItemId},
    sealed::Sealed,
    throttle,
};
use sea_orm::{
    ColumnTrait, DatabaseConnection, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder, QuerySelect,
};
use subtle::ConstantTimeEq;

use crate::{
    app::App,
    auth,
    cases::{
        number::CaseNumber,
        sla::{self, DueLight},
        workflow,
    },
    clock::local_day,
    db::{Answers, Db, Lane, Tx, Wishes, padded},
    personal::{Personal, PhoneNumber},
    problem::{Code, Problem},
};

const WINDOW: TimeDelta = TimeDelta::minutes(10);
/// Of what one address may guess, so many times may be guessed at one number by all together.
const GUESSES_AT_A_NUMBER: u32 = 3;
/// The most steps of a timeline that are shown.
const MOST_STEPS: usize = 500;

/// A step of a timeline, and what tracking shows of its case: the one statement of the call asked most often.
#[derive(Clone, FromQueryResult)]
pub struct TrackedStep {
    pub number: String,
    pub kind: CaseKind,
    pub state: CaseState,
    pub item_id: Option<ServiceItemId>,
    promised_days: Option<i32>,
    statutory_days: Option<i32>,
    village_id: DivisionId,
    township_id: DivisionId,
    county_id: DivisionId,
    accepted_on: Option<NaiveDate>,
    pub promised_due_on: Option<NaiveDate>,
    pub statutory_due_on: Option<NaiveDate>,
    due_on: NaiveDate,
    pub contact_name: Option<Sealed>,
    contact_phone: Option<Sealed>,
    pub at: Instant,
    pub action: String,
    pub to_state: CaseState,
    pub auto: bool,
}

impl TrackedStep {
    /// The light of the case, from acceptance until it is closed.
    pub fn light(&self, app: &App) -> Option<DueLight> {
        let running = workflow::clock_runs(self.state) && self.accepted_on.is_some();
        let clocks = app.settings.load().of(&[self.village_id, self.township_id, self.county_id]);
        let limit = sla::limit_of(self.promised_days, self.statutory_days);
        running.then(|| sla::light(&clocks, local_day(app.clock.now()), self.due_on, limit))
    }
}

/// The steps, oldest first and at least one, of the case whose contact phone ends in `tail`.
///
/// A wrong pair is 404 whichever half is wrong. Confidential cases are not tracked, nor those that took
/// up a private matter: whose they are is signed in.
///
/// # Errors
/// `not_found`, `too_many_requests`.
pub async fn track(app: &App, number: &str, tail: &str, address: Option<IpAddr>) -> Result<Vec<TrackedStep>, Problem> {
    let limit = app.config.auth.throttle.track_failures_per_address;
    // By number too: who guesses from many addresses is after one case.
    let mut keys: Vec<(String, u32)> = address.map(|address| (format!("track:{address}"), limit)).into_iter().collect();
    if let (Some(_), Ok(number)) = (address, CaseNumber::parse(number)) {
        let number = app.field_keys.blind_index("throttle", &number.to_string())?;
        keys.push((format!("track-number:{number}"), limit.saturating_mul(GUESSES_AT_A_NUMBER)));
    }
    check(app, &keys).await?;
    let steps = find(app, number, tail).await?;
    if !steps.is_empty() {
        return Ok(steps);
    }
    let now = app.clock.now();
    let count = async move |tx: &Tx| {
        for (key, limit) in &keys {
            auth::count_try(tx, key, *limit, WINDOW, now).await?;
        }
        Ok(())
    };
    if address.is_some() {
        app.db.transact(count).await?;
    }
    Err(Problem::not_found())
}

/// Refuses an address that guessed too often, and a number that was guessed at, even when the guess is right now.
async fn check(app: &App, keys: &[(String, u32)]) -> Result<(), Problem> {
    if keys.is_empty() {
        return Ok(());
    }
    let now = app.clock.now();
    let rows = throttle::Entity::find().filter(throttle::COLUMN.key.is_in(keys.iter().map(|(key, _)| key.as_str())));
    for row in rows.all(app.db.read()).await? {
        let limit = keys.iter().find(|(key, _)| *key == row.key).map_or(u32::MAX, |(_, limit)| *limit);
        if row.window_starts_at + WINDOW > now && u32::try_from(row.count).unwrap_or(0) >= limit {
            let left = (row.window_starts_at + WINDOW - now).num_seconds().max(1);
            return Err(Problem::new(Code::TooManyRequests).retry_after(left.unsigned_abs()));
        }
    }
    Ok(())
}

async fn find(app: &App, number: &str, tail: &str) -> Result<Vec<TrackedStep>, Problem> {
    let Ok(number) = CaseNumber::parse(number) else { return Ok(vec![]) };
    let steps = app.tracking.submit(number.to_string()).await?;
    let Some(sealed) = steps.first().and_then(|step| step.contact_phone.as_ref()) else { return Ok(vec![]) };
    let phone: PhoneNumber = app.field_keys.open(sealed)?;
    let phone = phone.in_the_clear();
    let kept = phone.get(phone.len().saturating_sub(4)..).unwrap_or_default();
    Ok(if bool::from(kept.as_bytes().ct_eq(tail.as_bytes())) { steps } else { vec![] })
}

/// The way to what is tracked, by number: the steps of a case that may be, else none.
pub type Tracking = Lane<String, Vec<TrackedStep>>;

/// Opens the way.
#[must_use]
pub fn tracking(db: &Db) -> Tracking {
    Lane::reading(db, |db, numbers| Box::pin(load(db, numbers)))
}

async fn load(db: DatabaseConnection, numbers: Wishes<String>) -> Answers<Vec<TrackedStep>> {
    let of_case = case_event::Entity::belongs_to(case::Entity).from(case_event::Column::CaseId).to(case::Column::Id);
    let steps: Vec<TrackedStep> = case_event::Entity::find()
        .select_only()
        .columns([case::Column::Number, case::Column::Kind, case::Column::State, case::Column::ItemId])
        .columns([case::Column::PromisedDays, case::Column::AcceptedOn, case::Column::PromisedDueOn])
        .columns([case::Column::StatutoryDueOn, case::Column::DueOn, case::Column::StatutoryDays])
        .columns([case::Column::VillageId, case::Column::TownshipId, case::Column::CountyId])
        .columns([case::Column::ContactName, case::Column::ContactPhone])
        .columns([case_event::Column::At, case_event::Column::Action])
        .columns([case_event::Column::ToState, case_event::Column::Auto])
        .join(JoinType::InnerJoin, of_case.into())
        .filter(case::COLUMN.number.is_in(padded(numbers.iter().map(|number| number.as_str()))))
        .filter(case::COLUMN.confidential.eq(false))
        .filter(case::COLUMN.private.eq(false))
        .filter(case::COLUMN.state.ne(CaseState::Draft))
        .order_by_asc(case_event::Column::CaseId)
        .order_by_asc(case_event::Column::Seq)
        .into_model()
        .all(&db)
        .await?;
    let mut found: HashMap<String, Vec<TrackedStep>> = HashMap::new();
    for step in steps {
        let steps = found.entry(step.number.clone()).or_default();
        if steps.len() < MOST_STEPS {
            steps.push(step);
        }
    }
    Ok(numbers.iter().map(|number| Ok(found.get(number.as_str()).cloned().unwrap_or_default())).collect())
}
