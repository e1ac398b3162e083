//! Showing what is masked: what the calls of people and of cases have in common.
//!
//! Each is entered with its fields and its reason, and counted by member of staff. The answer is never kept as that of
//! an `Idempotency-Key`: clear data must not lie about for two days, and who asks again reads again, which is another
//! entry.

use chrono::TimeDelta;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use validator::ValidationError;

use super::{Actor, Entry, record};
use crate::{
    app::App,
    auth::{self, Duty, Staff, duty::Need},
    db::Tx,
    problem::{Code, Problem},
};

/// Over how long calls are counted.
const WINDOW: TimeDelta = TimeDelta::hours(1);
/// The fewest and the most characters of a reason.
const REASON: std::ops::RangeInclusive<usize> = 4..=200;

/// What was asked for, in the clear.
#[derive(Debug, Serialize, ToSchema)]
pub struct Revealed {
    /// By field; null where nothing is known.
    #[schema(value_type = Object, example = json!({"phone": "13800000000"}))]
    fields: Map<String, Value>,
}

/// A reason says something: spaces do not count.
pub fn check_reason(text: &str) -> Result<(), ValidationError> {
    if REASON.contains(&text.trim().chars().count()) { Ok(()) } else { Err(ValidationError::new("length")) }
}

/// Whether these staff may see data of somebody who may be a child.
///
/// # Errors
/// `not_your_duty`.
pub fn check_minor<N: Need>(staff: &Staff<N>, minor: bool, places: &[entity::id::DivisionId]) -> Result<(), Problem> {
    if minor && !staff.has(Duty::ReadMinors, places) { Err(Code::NotYourDuty.into()) } else { Ok(()) }
}

/// Counts and enters the call, last in its transaction, and gives the values out.
///
/// # Errors
/// `too_many_requests`.
pub async fn reveal<N: Need>(
    tx: &Tx,
    app: &App,
    staff: &Staff<N>,
    entry: Entry,
    values: Vec<(&'static str, Value)>,
) -> Result<Revealed, Problem> {
    let (now, limit) = (app.clock.now(), app.config.auth.throttle.reveals_per_hour);
    auth::count_try(tx, &format!("reveal:{}", staff.id()), limit, WINDOW, now).await?;
    let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
    let entry = entry.of_fields(names.join(","));
    record(tx, &app.field_keys, &Actor::staff(staff), entry, now).await?;
    Ok(Revealed { fields: values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() })
}
