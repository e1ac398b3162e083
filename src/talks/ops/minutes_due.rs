//! Which minutes are due, late or published: days on which somebody was heard, of a place and all below it.
//!
//! Until minutes are compiled their day due is reckoned from the calendar of today, then it is the one they carry.

use chrono::{Days, NaiveDate};
use entity::{
    booking,
    booking::BookingState,
    division,
    id::{DivisionId, TalkDayId},
    talk_day,
    talk_day::TalkDayState,
    talk_minutes,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::minutes::PUBLISHED_WITHIN;
use crate::{
    app::App,
    auth::{Staff, duty::SeeTalkNumbers},
    clock::local_day,
    divisions,
    http::{Cursor, PageQuery},
    problem::Problem,
};

/// How far minutes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MinutesDue {
    /// Not published, and there is time.
    Due,
    /// Not published, and it should be.
    Late,
    /// Published.
    Published,
}

/// A day and its minutes, when they are compiled.
pub struct OfDay {
    pub day: talk_day::Model,
    pub minutes: Option<talk_minutes::Model>,
    pub due_on: NaiveDate,
    pub state: MinutesDue,
}

/// Days whose minutes are in this state, or unpublished where none is said; the oldest first, published ones the
/// latest first; at most a page and one.
pub async fn list(
    app: &App,
    staff: &Staff<SeeTalkNumbers>,
    division: DivisionId,
    wanted: Option<MinutesDue>,
    page: &PageQuery,
) -> Result<Vec<OfDay>, Problem> {
    let db = app.db.read();
    let place = divisions::reach(db, staff, division).await?;
    let today = local_day(app.clock.now());
    let of_day = talk_minutes::Entity::belongs_to(talk_day::Entity)
        .from(talk_minutes::Column::TalkDayId)
        .to(talk_day::Column::Id);
    let heard = booking::Entity::find()
        .select_only()
        .column(booking::Column::TalkDayId)
        .filter(booking::COLUMN.state.eq(BookingState::Concluded))
        .filter(
            Expr::col((booking::Entity, booking::Column::TalkDayId)).equals((talk_day::Entity, talk_day::Column::Id)),
        );
    let places =
        division::Entity::find().select_only().column(division::Column::Id).filter(divisions::subtree(place.id));
    let mut query = talk_day::Entity::find()
        .select_also(talk_minutes::Entity)
        .join_rev(JoinType::LeftJoin, of_day.into())
        .filter(talk_day::COLUMN.state.eq(TalkDayState::Planned))
        .filter(talk_day::Column::DivisionId.in_subquery(places.into_query()))
        .filter(Expr::exists(heard.into_query()))
        .filter(in_state(app, wanted, today));
    let latest_first = wanted == Some(MinutesDue::Published);
    if let Some((on, id)) = Cursor::read::<(NaiveDate, TalkDayId)>(page.cursor.as_deref())? {
        let (day, key) = (talk_day::COLUMN.on_date, talk_day::COLUMN.id);
        query = query.filter(if latest_first {
            day.lt(on).or(day.eq(on).and(key.lt(id)))
        } else {
            day.gt(on).or(day.eq(on).and(key.gt(id)))
        });
    }
    let order = if latest_first { sea_orm::Order::Desc } else { sea_orm::Order::Asc };
    let rows = query.order_by(talk_day::Column::OnDate, order.clone()).order_by(talk_day::Column::Id, order);
    let rows: Vec<(talk_day::Model, Option<talk_minutes::Model>)> = rows.limit(page.size() + 1).all(db).await?;
    Ok(rows.into_iter().map(|(day, minutes)| seen(app, day, minutes, today)).collect())
}

fn seen(app: &App, day: talk_day::Model, minutes: Option<talk_minutes::Model>, today: NaiveDate) -> OfDay {
    let reckoned = || app.calendar.load().add_working_days(day.on_date, PUBLISHED_WITHIN).on;
    let due_on = minutes.as_ref().map_or_else(reckoned, |row| row.due_on);
    let state = match &minutes {
        Some(row) if row.published_at.is_some() => MinutesDue::Published,
        _ if due_on < today => MinutesDue::Late,
        _ => MinutesDue::Due,
    };
    OfDay { day, minutes, due_on, state }
}

fn in_state(app: &App, wanted: Option<MinutesDue>, today: NaiveDate) -> Condition {
    let unpublished = || Condition::all().add(talk_minutes::COLUMN.published_at.is_null());
    let compiled = || Condition::all().add(talk_minutes::COLUMN.id.is_not_null());
    let not_yet = || Condition::all().add(talk_minutes::COLUMN.id.is_null());
    let last = last_late(app, today);
    match wanted {
        None => unpublished(),
        Some(MinutesDue::Published) => Condition::all().add(talk_minutes::COLUMN.published_at.is_not_null()),
        Some(MinutesDue::Late) => unpublished().add(
            Condition::any()
                .add(compiled().add(talk_minutes::COLUMN.due_on.lt(today)))
                .add(not_yet().add(talk_day::COLUMN.on_date.lte(last))),
        ),
        Some(MinutesDue::Due) => unpublished().add(
            Condition::any()
                .add(compiled().add(talk_minutes::COLUMN.due_on.gte(today)))
                .add(not_yet().add(talk_day::COLUMN.on_date.gt(last))),
        ),
    }
}

/// The last day whose minutes are late today. A later day is never due earlier, so that one bound says it for all.
fn last_late(app: &App, today: NaiveDate) -> NaiveDate {
    let calendar = app.calendar.load();
    let late = |day: &NaiveDate| calendar.add_working_days(*day, PUBLISHED_WITHIN).on < today;
    let back = |days| today.checked_sub_days(Days::new(days));
    (1..=60).filter_map(back).find(late).or_else(|| back(60)).unwrap_or(today)
}
