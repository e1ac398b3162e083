//! The council's list (民主议事会): matters of talk days that are for all to decide, by title alone.

use entity::{
    Instant, booking, council_matter, division,
    id::{CouncilMatterId, DivisionId},
    talk_day,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    sea_query::LockType,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{
        Staff,
        duty::{ManageTalks, SeeTalkNumbers},
    },
    db::{Tx, padded},
    divisions,
    http::{Cursor, PageQuery},
    problem::{Code, Problem},
};

/// Whether the council has taken it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CouncilState {
    /// On the list.
    Listed,
    /// Taken up.
    TakenUp,
}

/// A matter and the day it comes from.
pub struct Listed {
    pub matter: council_matter::Model,
    pub day: Option<talk_day::Model>,
}

/// The list of a place and all below it, the oldest first; at most a page and one.
pub async fn list(
    app: &App,
    staff: &Staff<SeeTalkNumbers>,
    division: DivisionId,
    state: Option<CouncilState>,
    page: &PageQuery,
) -> Result<Vec<Listed>, Problem> {
    let db = app.db.read();
    let place = divisions::reach(db, staff, division).await?;
    let places =
        division::Entity::find().select_only().column(division::Column::Id).filter(divisions::subtree(place.id));
    let mut query =
        council_matter::Entity::find().filter(council_matter::Column::DivisionId.in_subquery(places.into_query()));
    query = match state {
        Some(CouncilState::Listed) => query.filter(council_matter::COLUMN.taken_up_at.is_null()),
        Some(CouncilState::TakenUp) => query.filter(council_matter::COLUMN.taken_up_at.is_not_null()),
        None => query,
    };
    if let Some(after) = Cursor::read::<CouncilMatterId>(page.cursor.as_deref())? {
        query = query.filter(council_matter::COLUMN.id.gt(after));
    }
    let rows = query.order_by_asc(council_matter::Column::Id).limit(page.size() + 1).all(db).await?;
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let bookings =
        booking::Entity::find().filter(booking::COLUMN.id.is_in(padded(rows.iter().map(|row| row.booking_id))));
    let bookings = bookings.all(db).await?;
    let days = talk_day::Entity::find()
        .filter(talk_day::COLUMN.id.is_in(padded(bookings.iter().map(|row| row.talk_day_id))))
        .all(db)
        .await?;
    let day_of = |matter: &council_matter::Model| {
        let booking = bookings.iter().find(|row| row.id == matter.booking_id)?;
        days.iter().find(|day| day.id == booking.talk_day_id).cloned()
    };
    Ok(rows.into_iter().map(|matter| Listed { day: day_of(&matter), matter }).collect())
}

/// Marks a matter taken up.
///
/// # Errors
/// `not_found` out of reach, `transition_not_allowed` when it was.
pub async fn take_up(
    tx: &Tx,
    staff: &Staff<ManageTalks>,
    id: CouncilMatterId,
    now: Instant,
) -> Result<Listed, Problem> {
    let row = council_matter::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(tx).await?;
    let row = row.ok_or_else(Problem::not_found)?;
    divisions::reach(tx, staff, row.division_id).await?;
    if row.taken_up_at.is_some() {
        return Err(Code::TransitionNotAllowed.into());
    }
    let booking = booking::Entity::find_by_id(row.booking_id).one(tx).await?;
    let day = match booking {
        Some(booking) => talk_day::Entity::find_by_id(booking.talk_day_id).one(tx).await?,
        None => None,
    };
    let mut row = row.into_active_model();
    row.taken_up_at = Set(Some(now));
    Ok(Listed { matter: row.update(tx).await?, day })
}
