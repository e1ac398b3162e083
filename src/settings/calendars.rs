//! `/staff/calendars`: the working days of the country, published year by year (国务院办公厅关于节假日安排的通知).
//!
//! A version holds every year known until then. Days that are counted already are reckoned anew, forward, each case with
//! an event of its own ([`crate::cases::jobs`]). What a single place has off is a setting of that place.

use actix_web::{HttpResponse, get, http::StatusCode, post, web::Data};
use chrono::{DateTime, Datelike, Utc};
use entity::{calendar_version, division::DivisionLevel};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::{bodies::ExtraDay, ops};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{
        Duty, Staff,
        duty::{Anything, ManageAccounts},
    },
    calendar::{self, CalendarRow},
    db::Tx,
    http::{Command, Cursor, Page, PageQuery, Query, json},
    problem::{Code, FieldFault, Problem},
};

/// Days off and make-up working days of one year. They take the place of what was known of that year; other years stay.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishCalendar {
    #[validate(range(min = 2020, max = 2100))]
    #[schema(minimum = 2020, maximum = 2100)]
    year: i32,
    /// Where it is published, such as 国办发明电〔2025〕7号.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    source: String,
    #[validate(length(min = 1, max = 100), nested)]
    #[schema(min_items = 1, max_items = 100)]
    days: Vec<ExtraDay>,
}

/// A published calendar.
#[derive(Serialize, ToSchema)]
pub struct CalendarVersionView {
    /// What events of cases name it by.
    version: String,
    source: String,
    published_at: DateTime<Utc>,
    /// It is the one that holds.
    current: bool,
}

impl CalendarVersionView {
    fn of(row: calendar_version::Model, current: bool) -> Self {
        Self { version: row.version, source: row.source, published_at: row.published_at, current }
    }
}

/// Calendars that were published, the last first.
#[utoipa::path(tag = "staff", params(PageQuery), responses((status = 200, body = Page<CalendarVersionView>)))]
#[get("/staff/calendars")]
pub async fn list_calendars(
    app: Data<App>,
    _staff: Staff<Anything>,
    query: Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let page = query.0;
    let mut rows = calendar_version::Entity::find();
    if let Some((at, version)) = Cursor::read::<(DateTime<Utc>, String)>(page.cursor.as_deref())? {
        let column = calendar_version::COLUMN;
        let same = sea_orm::Condition::all().add(column.published_at.eq(at)).add(column.version.lt(version));
        rows = rows.filter(sea_orm::Condition::any().add(column.published_at.lt(at)).add(same));
    }
    let rows = rows
        .order_by_desc(calendar_version::Column::PublishedAt)
        .order_by_desc(calendar_version::Column::Version)
        .limit(page.size() + 1)
        .all(app.db.read())
        .await?;
    let newest = calendar::newest(app.db.read()).await?.map(|row| row.version);
    let view = |row: calendar_version::Model| {
        let current = newest.as_deref() == Some(row.version.as_str());
        CalendarVersionView::of(row, current)
    };
    json(&Page::cut(rows, page.size(), |row| (row.published_at, row.version.clone()), view)?)
}

/// Publishes the days of a year for everybody: for the county's or the city's administrators.
#[utoipa::path(tag = "staff", request_body = PublishCalendar, responses((status = 201, body = CalendarVersionView)))]
#[post("/staff/calendars")]
pub async fn publish_calendar(
    app: Data<App>,
    staff: Staff<ManageAccounts>,
    command: Command<PublishCalendar>,
) -> Result<HttpResponse, Problem> {
    let above = |level| matches!(level, DivisionLevel::County | DivisionLevel::City);
    if !staff.postings().any(|posting| above(posting.level) && posting.any(&[Duty::ManageAccounts])) {
        return Err(Code::NotYourDuty.into());
    }
    let (shared, caller) = (app.clone(), staff.caller());
    let publish = async move |tx: &Tx, body: &PublishCalendar| {
        let now = shared.clock.now();
        // Whoever publishes another year meanwhile waits, and builds on this one.
        calendar_version::Entity::find().lock_exclusive().all(tx).await?;
        let rows = body.over(calendar::newest_days(tx).await?)?;
        let row = calendar::publish_in(tx, rows, &body.source, now).await?;
        let entry = Entry::plain("publish_calendar", "calendar").of_fields(row.version.as_str());
        audit::record(tx, &shared.field_keys, &Actor::staff(&staff), entry, now).await?;
        Ok(CalendarVersionView::of(row, true))
    };
    let answer = command.once(&app, caller, StatusCode::CREATED, publish).await?;
    ops::refresh(&app).await?;
    Ok(answer)
}

impl PublishCalendar {
    /// All days known, with those of the year as they are sent.
    ///
    /// # Errors
    /// `invalid` with a pointer to each day of another year or named twice.
    fn over(&self, known: Vec<CalendarRow>) -> Result<Vec<CalendarRow>, Problem> {
        let mut faults = Vec::new();
        for (at, day) in self.days.iter().enumerate() {
            if day.date.year() != self.year {
                faults.push(FieldFault::new(format!("/days/{at}/date"), "range"));
            } else if self.days.iter().take(at).any(|other| other.date == day.date) {
                faults.push(FieldFault::new(format!("/days/{at}/date"), "duplicate"));
            }
        }
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        let mut rows: Vec<CalendarRow> = known.into_iter().filter(|row| row.date.year() != self.year).collect();
        rows.extend(self.days.iter().map(|day| CalendarRow { date: day.date, kind: day.kind, name: day.name.clone() }));
        rows.sort_by_key(|row| row.date);
        Ok(rows)
    }
}
