//! The calendar in the database: publishing a version, reading the latest.

use std::sync::Arc;

use entity::{Instant, calendar_day, calendar_version};
use sea_orm::{ActiveModelTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, Set};
use sha2::{Digest, Sha256};

use super::{Calendar, CalendarRow, DayKind};
use crate::{app::App, crypto::hex, db::Db, problem::Problem};

/// Publishes rows as a version; the same rows again are the version that is there. Answers the version.
pub async fn publish(db: &Db, rows: Vec<CalendarRow>, source: &str, now: Instant) -> Result<String, Problem> {
    let mut hash = Sha256::new();
    for row in &rows {
        hash.update(format!("{} {} {}\n", row.date, word(row.kind), row.name));
    }
    let version: String = hex(&hash.finalize()).chars().take(12).collect();
    let source = source.to_owned();
    db.transact(async move |tx| {
        if calendar_version::Entity::find_by_id(version.clone()).one(tx).await?.is_some() {
            return Ok(version.clone());
        }
        let published = calendar_version::ActiveModel {
            version: Set(version.clone()),
            published_at: Set(now),
            source: Set(source.clone()),
        };
        published.insert(tx).await?;
        let days = rows.iter().map(|row| calendar_day::ActiveModel {
            version: Set(version.clone()),
            on_date: Set(row.date),
            kind: Set(word(row.kind).to_owned()),
            name: Set(row.name.clone()),
        });
        calendar_day::Entity::insert_many(days).exec_without_returning(tx).await?;
        Ok(version.clone())
    })
    .await
}

/// The calendar published last; without one, weekends only, and every date provisional.
pub async fn latest(db: &DatabaseConnection) -> Result<Calendar, Problem> {
    let newest = calendar_version::Entity::find().order_by_desc(calendar_version::Column::PublishedAt).one(db).await?;
    let Some(newest) = newest else { return Ok(Calendar::new("none", [])) };
    let days = calendar_day::Entity::find().filter(calendar_day::COLUMN.version.eq(&newest.version)).all(db).await?;
    let rows = days.into_iter().map(|day| CalendarRow {
        date: day.on_date,
        kind: if day.kind == word(DayKind::Workday) { DayKind::Workday } else { DayKind::Holiday },
        name: day.name,
    });
    Ok(Calendar::new(newest.version, rows))
}

/// Takes over a calendar that was published since, by whichever process. Settings are reckoned over it: whoever looks for
/// changes asks [`crate::settings::refresh`].
pub async fn refresh(app: &App) -> Result<(), Problem> {
    let newest = calendar_version::Entity::find().order_by_desc(calendar_version::Column::PublishedAt);
    let newest = newest.one(app.db.read()).await?;
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
