//! Throttles: failures are counted in the database, where all servers see them; plain floods in memory.

use std::{net::IpAddr, num::NonZeroU32};

use actix_web::HttpRequest;
use chrono::TimeDelta;
use entity::{Instant, throttle};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, Set,
    sea_query::{CaseStatement, Expr, OnConflict},
};

use crate::{
    app::App,
    config,
    db::Tx,
    http::client_address,
    problem::{Code, Problem},
};

/// Limits by client address that need not outlive the process.
pub struct Limits {
    sign_ins: DefaultKeyedRateLimiter<IpAddr>,
    open_reads: DefaultKeyedRateLimiter<IpAddr>,
    bad_pushes: DefaultKeyedRateLimiter<IpAddr>,
}

impl Limits {
    /// From configuration.
    #[must_use]
    pub fn new(settings: &config::Throttle) -> Self {
        let a_minute = |many| RateLimiter::keyed(Quota::per_minute(NonZeroU32::new(many).unwrap_or(NonZeroU32::MIN)));
        Self {
            sign_ins: a_minute(settings.wechat_per_minute),
            open_reads: a_minute(settings.open_reads_per_minute),
            bad_pushes: a_minute(settings.bad_pushes_per_minute),
        }
    }
}

/// The client's address: the peer, or what trusted proxies say of it. `None` on the loopback where it is spared.
///
/// Of `IPv6` the network of a customer counts (RFC 6177): whoever has one has all its addresses.
#[must_use]
pub fn address_of(req: &HttpRequest, app: &App) -> Option<IpAddr> {
    let address = client_address(req.peer_addr()?.ip(), req.headers(), &app.config.http.trusted_proxies);
    if app.config.auth.throttle.spare_loopback && address.is_loopback() {
        return None;
    }
    Some(match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(whole) => IpAddr::V6((u128::from(whole) >> 64 << 64).into()),
    })
}

/// What failures of an account are counted by. Hashed: people type their phone or their name where a user name belongs.
pub fn account_key(app: &App, username: &str) -> Result<String, Problem> {
    Ok(format!("staff:{}", app.field_keys.blind_index("throttle", username)?))
}

/// Refuses a flood of `WeChat` sign-ins from one address.
pub(super) fn check_sign_in(app: &App, address: Option<IpAddr>) -> Result<(), Problem> {
    match address.map(|address| app.limits.sign_ins.check_key(&address)) {
        Some(Err(_)) => Err(Problem::new(Code::TooManyRequests).retry_after(60)),
        _ => Ok(()),
    }
}

/// Refuses a flood of reads that need no sign-in and cost more than a row.
pub fn check_open_read(app: &App, req: &HttpRequest) -> Result<(), Problem> {
    match address_of(req, app).map(|address| app.limits.open_reads.check_key(&address)) {
        Some(Err(_)) => Err(Problem::new(Code::TooManyRequests).retry_after(60)),
        _ => Ok(()),
    }
}

/// Refuses a flood of pushes whose signature does not fit.
pub fn check_bad_push(app: &App, req: &HttpRequest) -> Result<(), Problem> {
    match address_of(req, app).map(|address| app.limits.bad_pushes.check_key(&address)) {
        Some(Err(_)) => Err(Problem::new(Code::TooManyRequests).retry_after(60)),
        _ => Ok(()),
    }
}

/// Counts one try of `key`; 429 when there were `limit` in the window already.
pub async fn count(tx: &Tx, key: &str, limit: u32, window: TimeDelta, now: Instant) -> Result<(), Problem> {
    let old = throttle::COLUMN.window_starts_at.lte(now - window);
    let fresh = |value: Expr, otherwise: Expr| CaseStatement::new().case(old.clone(), value).finally(otherwise);
    let count = (throttle::Entity, throttle::Column::Count);
    let began = (throttle::Entity, throttle::Column::WindowStartsAt);
    let upsert = OnConflict::column(throttle::Column::Key)
        .value(throttle::Column::Count, fresh(Expr::val(1), Expr::col(count).add(1)))
        .value(throttle::Column::WindowStartsAt, fresh(Expr::val(now), Expr::col(began)))
        .to_owned();
    let first = throttle::ActiveModel { key: Set(key.to_owned()), window_starts_at: Set(now), count: Set(1) };
    let row = throttle::Entity::insert(first).on_conflict(upsert).exec_with_returning(tx).await?;
    if u32::try_from(row.count).unwrap_or(u32::MAX) > limit {
        let left = Ord::max((row.window_starts_at + window - now).num_seconds(), 1);
        return Err(Problem::new(Code::TooManyRequests).retry_after(left.unsigned_abs()));
    }
    Ok(())
}

/// Takes back one try of `key` that turned out not to be a guess; those before stay counted.
pub async fn give_back(tx: &Tx, key: &str) -> Result<(), Problem> {
    let count = (throttle::Entity, throttle::Column::Count);
    throttle::Entity::update_many()
        .col_expr(throttle::Column::Count, Expr::col(count).sub(1))
        .filter(throttle::COLUMN.key.eq(key))
        .filter(throttle::COLUMN.count.gt(0))
        .exec(tx)
        .await?;
    Ok(())
}

/// Forgets the failures of `key`.
pub async fn forget(tx: &Tx, key: &str) -> Result<(), Problem> {
    throttle::Entity::delete_by_id(key.to_owned()).exec(tx).await?;
    Ok(())
}
