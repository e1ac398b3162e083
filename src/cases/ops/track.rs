//! Tracking without signing in: the number on the receipt and the tail of the phone.

use std::net::IpAddr;

use chrono::TimeDelta;
use entity::{case, case::CaseState, throttle};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use subtle::ConstantTimeEq;

use crate::{
    app::App,
    auth,
    cases::number::CaseNumber,
    problem::{Code, Problem},
};

const WINDOW: TimeDelta = TimeDelta::minutes(10);

/// The case of a number whose contact phone ends in `tail`.
///
/// A wrong pair is 404 whichever half is wrong. Confidential cases are not tracked: who filed one is signed in.
///
/// # Errors
/// `not_found`, `too_many_requests`.
pub async fn track(app: &App, number: &str, tail: &str, address: Option<IpAddr>) -> Result<case::Model, Problem> {
    let key = address.map(|address| format!("track:{address}"));
    check(app, key.as_deref()).await?;
    if let Some(case) = find(app, number, tail).await? {
        return Ok(case);
    }
    if let Some(key) = key {
        let (now, limit) = (app.clock.now(), app.config.auth.throttle.track_failures_per_address);
        app.db.transact(async move |tx| auth::count_try(tx, &key, limit, WINDOW, now).await).await?;
    }
    Err(Problem::not_found())
}

/// Refuses an address that guessed too often, even when it now guesses right.
async fn check(app: &App, key: Option<&str>) -> Result<(), Problem> {
    let Some(key) = key else { return Ok(()) };
    let row = throttle::Entity::find_by_id(key.to_owned()).one(app.db.read()).await?;
    let now = app.clock.now();
    let limit = app.config.auth.throttle.track_failures_per_address;
    match row {
        Some(row) if row.window_starts_at + WINDOW > now && u32::try_from(row.count).unwrap_or(0) >= limit => {
            let left = (row.window_starts_at + WINDOW - now).num_seconds().max(1);
            Err(Problem::new(Code::TooManyRequests).retry_after(left.unsigned_abs()))
        }
        _ => Ok(()),
    }
}

async fn find(app: &App, number: &str, tail: &str) -> Result<Option<case::Model>, Problem> {
    let Ok(number) = CaseNumber::parse(number) else { return Ok(None) };
    let query = case::Entity::find()
        .filter(case::COLUMN.number.eq(number.to_string()))
        .filter(case::COLUMN.confidential.eq(false))
        .filter(case::COLUMN.state.ne(CaseState::Draft));
    let Some(case) = query.one(app.db.read()).await? else { return Ok(None) };
    let Some(sealed) = &case.contact_phone else { return Ok(None) };
    let phone = app.field_keys.open("case.contact_phone", sealed)?;
    let kept = phone.get(phone.len().saturating_sub(4)..).unwrap_or_default();
    Ok(bool::from(kept.as_bytes().ct_eq(tail.as_bytes())).then_some(case))
}
