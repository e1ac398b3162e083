//! The calendar in the database: publishing a version, reading the latest.

use std::sync::Arc;

use chrono::TimeDelta;
use entity::{Instant, calendar_day, calendar_version};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseConnection, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Set,
};
use sha2::{Digest, Sha256};

use super::{Calendar, CalendarRow, DayKind};
use crate::{
    app::App,
    crypto::hex,
    db::{Db, Tx},
    problem::Problem,
};

/// Publishes rows as a version; the same rows again are the version that is there. Answers the version.
pub async fn publish(db: &Db, rows: Vec<CalendarRow>, source: &str, now: Instant) -> Result<String, Problem> {
    let source = source.to_owned();
    let published = db.transact(async move |tx| publish_in(tx, rows.clone(), &source, now).await).await?;
    Ok(published.version)
}

/// Likewise, in a transaction. Rows that an earlier version had hold again from now on.
pub async fn publish_in(
    tx: &Tx,
    rows: Vec<CalendarRow>,
    source: &str,
    now: Instant,
) -> Result<calendar_version::Model, Problem> {
    let version = fingerprint(&rows);
    let newest = newest(tx).await?;
    if let Some(same) = newest.as_ref().filter(|newest| newest.version == version) {
        return Ok(same.clone());
    }
    // The one published last holds, whatever the clocks of two servers say.
    let published_at = newest.map_or(now, |newest| now.max(newest.published_at + TimeDelta::microseconds(1)));
    if let Some(known) = calendar_version::Entity::find_by_id(version.clone()).one(tx).await? {
        let again = calendar_version::ActiveModel { published_at: Set(published_at), ..known.into_active_model() };
        return Ok(again.update(tx).await?);
    }
    let published = calendar_version::ActiveModel {
        version: Set(version.clone()),
        published_at: Set(published_at),
        source: Set(source.to_owned()),
    };
    let published = published.insert(tx).await?;
    let days = rows.iter().map(|row| calendar_day::ActiveModel {
        version: Set(version.clone()),
        on_date: Set(row.date),
        kind: Set(word(row.kind).to_owned()),
        name: Set(row.name.clone()),
    });
    calendar_day::Entity::insert_many(days).exec_without_returning(tx).await?;
    Ok(published)
}

/// Twelve hexadecimal digits of what the rows say.
fn fingerprint(rows: &[CalendarRow]) -> String {
    let mut hash = Sha256::new();
    for row in rows {
        hash.update(format!("{} {} {}\n", row.date, word(row.kind), row.name));
    }
    hex(&hash.finalize()).chars().take(12).collect()
}

/// The version published last.
pub async fn newest(db: &impl ConnectionTrait) -> Result<Option<calendar_version::Model>, Problem> {
    let versions = calendar_version::Entity::find().order_by_desc(calendar_version::Column::PublishedAt);
    Ok(versions.one(db).await?)
}

/// Its days.
pub async fn newest_days(db: &impl ConnectionTrait) -> Result<Vec<CalendarRow>, Problem> {
    let Some(newest) = newest(db).await? else { return Ok(vec![]) };
    let days = calendar_day::Entity::find().filter(calendar_day::COLUMN.version.eq(&newest.version)).all(db).await?;
    let row = |day: calendar_day::Model| CalendarRow {
        date: day.on_date,
        kind: if day.kind == word(DayKind::Workday) { DayKind::Workday } else { DayKind::Holiday },
        name: day.name,
    };
    Ok(days.into_iter().map(row).collect())
}

/// The calendar published last; without one, weekends only, and every date provisional.
pub async fn latest(db: &DatabaseConnection) -> Result<Calendar, Problem> {
    let version = newest(db).await?.map_or_else(|| "none".to_owned(), |newest| newest.version);
    Ok(Calendar::new(version, newest_days(db).await?))
}

/// Takes over a calendar that was published since, by whichever process. Settings are reckoned over it: whoever looks for
/// changes asks [`crate::settings::refresh`].
pub async fn refresh(app: &App) -> Result<(), Problem> {
    let newest = newest(app.db.read()).await?;
    if newest.is_some_and(|newest| newest.version != app.calendar.load().version()) {
        let calendar = latest(app.db.read()).await?;
        tracing::info!(calendar.version = calendar.version(), "another calendar was published");
        app.calendar.store(Arc::new(calendar));
    }
    Ok(())
}

fn word(kind: DayKind) -> &'static str {
    match kind {
        DayKind::Holiday => "holiday",
        DayKind::Workday => "workday",
    }
}
