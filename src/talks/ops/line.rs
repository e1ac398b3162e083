//! The line of a day: who has a place, in order, as the staff at the door may see it.

use std::collections::BTreeMap;

use entity::{
    booking, division,
    id::{PersonId, TalkDayId},
    person, slot, talk_day,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    app::App,
    auth::{
        Duty, Staff,
        duty::{Need, SeeTalkLine},
    },
    divisions,
    http::{Cursor, PageQuery},
    personal::PersonName,
    problem::Problem,
    talks::terms,
};

/// One place of the line.
pub struct InLine {
    pub booking: booking::Model,
    pub slot: slot::Model,
    /// Masked; `None` when the person has not said it.
    pub name: Option<PersonName>,
    /// Whether the viewer may read what it is about.
    pub readable: bool,
}

/// The bookings of a day in line order, at most a page and one.
pub async fn list(
    app: &App,
    staff: &Staff<SeeTalkLine>,
    id: TalkDayId,
    page: &PageQuery,
) -> Result<Vec<InLine>, Problem> {
    let db = app.db.read();
    let day = talk_day::Entity::find_by_id(id).one(db).await?.ok_or_else(Problem::not_found)?;
    let hosting = hosting(db, staff, &day).await?;
    let mut query =
        booking::Entity::find().filter(booking::COLUMN.talk_day_id.eq(id)).filter(booking::COLUMN.live.eq(true));
    if let Some(after) = Cursor::read::<i32>(page.cursor.as_deref())? {
        query = query.filter(booking::COLUMN.number_in_line.gt(after));
    }
    let rows = query.order_by_asc(booking::Column::NumberInLine).limit(page.size() + 1).all(db).await?;
    let slots = slot::Entity::find().filter(slot::COLUMN.talk_day_id.eq(id)).all(db).await?;
    let names = names(app, &rows).await?;
    rows.into_iter()
        .map(|booking| {
            let slot = slots.iter().find(|slot| slot.id == booking.slot_id).cloned();
            let slot = slot.ok_or_else(|| Problem::unexpected("a booking of no slot"))?;
            let name = names.get(&booking.person_id).cloned();
            let readable = hosting || booking.privacy == booking::BookingPrivacy::Public;
            Ok(InLine { booking, slot, name, readable })
        })
        .collect()
}

/// Whether the viewer hosts the day; 404 when they have no part in it at all.
///
/// Hosts are those the day names; where it names none, whoever hosts talk days of the place.
pub(super) async fn hosting<N: Need>(
    db: &impl ConnectionTrait,
    staff: &Staff<N>,
    day: &talk_day::Model,
) -> Result<bool, Problem> {
    let named: Vec<_> = terms::stored(&day.hosts)?;
    let place: division::Model = divisions::find(db, day.division_id).await?;
    let mut here = staff.postings().filter(|posted| divisions::covers(posted, &place)).peekable();
    if here.peek().is_none() {
        return Err(Problem::not_found());
    }
    if named.contains(&staff.id()) {
        return Ok(true);
    }
    Ok(named.is_empty() && here.any(|posted| posted.any(&[Duty::HostTalks])))
}

async fn names(app: &App, rows: &[booking::Model]) -> Result<BTreeMap<PersonId, PersonName>, Problem> {
    let people = person::Entity::find().filter(person::COLUMN.id.is_in(rows.iter().map(|row| row.person_id)));
    let mut names = BTreeMap::new();
    for row in people.all(app.db.read()).await? {
        if let Some(sealed) = &row.name {
            names.insert(row.id, app.field_keys.open(sealed)?);
        }
    }
    Ok(names)
}
