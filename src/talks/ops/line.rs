//! The line of a day: who has a place, in order, as the staff at the door may see it.

use std::collections::BTreeMap;

use entity::{
    Instant, booking,
    booking::BookingState,
    booking_event, division,
    id::{BookingId, PersonId, SlotId, TalkDayId},
    person, slot, talk_day,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    places, trail,
    turns::{self, Turns},
};
use crate::{
    app::App,
    auth::{
        Duty, Staff,
        duty::{Need, SeeTalkLine},
    },
    crypto::FieldKeys,
    db::{Tx, padded},
    divisions,
    http::{Cursor, PageQuery},
    personal::PersonName,
    problem::Problem,
    talks::{
        steps::{self, UNDO_WITHIN},
        terms,
    },
};

/// One place of the line.
pub struct InLine {
    pub booking: booking::Model,
    pub slot: slot::Model,
    /// Masked; `None` when the person has not said it.
    pub name: Option<PersonName>,
    /// Whether the viewer may read what it is about, and whether it is private: hosts may. What others were shown of
    /// public matters would tell them which are private.
    pub readable: bool,
    /// Position in the order and about when, of somebody who waits.
    pub turn: Option<(usize, Instant)>,
    /// What may be done with it now.
    pub actions: Vec<&'static str>,
}

/// The bookings of a day by their number, at most a page and one; those in one state when it is named.
pub async fn list(
    app: &App,
    staff: &Staff<SeeTalkLine>,
    id: TalkDayId,
    state: Option<BookingState>,
    page: &PageQuery,
) -> Result<Vec<InLine>, Problem> {
    let db = app.db.read();
    let viewed = Viewed::open(db, staff, id, app.clock.now()).await?;
    let mut query = booking::Entity::find().filter(booking::COLUMN.talk_day_id.eq(id)).filter(places::live());
    if let Some(state) = state {
        query = query.filter(booking::COLUMN.state.eq(state));
    }
    if let Some(after) = Cursor::read::<i32>(page.cursor.as_deref())? {
        query = query.filter(booking::COLUMN.number_in_line.gt(after));
    }
    let rows = query.order_by_asc(booking::Column::NumberInLine).limit(page.size() + 1).all(db).await?;
    let entries = viewed.entries(db, &app.field_keys, rows).await?;
    trail::listed(app, staff, id, &entries, "line").await?;
    Ok(entries)
}

/// A day as one of the staff sees it.
pub(super) struct Viewed {
    pub(super) day: talk_day::Model,
    slots: Vec<slot::Model>,
    turns: Turns,
    hosting: bool,
    now: Instant,
}

impl Viewed {
    /// 404 where the staff have no part in it.
    pub(super) async fn open<N: Need>(
        db: &impl ConnectionTrait,
        staff: &Staff<N>,
        id: TalkDayId,
        now: Instant,
    ) -> Result<Self, Problem> {
        let day = talk_day::Entity::find_by_id(id).one(db).await?.ok_or_else(Problem::not_found)?;
        let hosting = hosting(db, staff, &day).await?;
        let slots = turns::slots(db, id).await?;
        let turns = turns::read(db, id, &slots, now).await?;
        Ok(Self { day, slots, turns, hosting, now })
    }

    /// These bookings of the day.
    pub(super) async fn entries(
        &self,
        db: &impl ConnectionTrait,
        keys: &FieldKeys,
        rows: Vec<booking::Model>,
    ) -> Result<Vec<InLine>, Problem> {
        let slots: BTreeMap<SlotId, &slot::Model> = self.slots.iter().map(|slot| (slot.id, slot)).collect();
        let names = names(db, keys, &rows).await?;
        let undoable = undoable(db, &rows, self.now).await?;
        rows.into_iter()
            .map(|booking| {
                let slot = slots.get(&booking.slot_id).copied().cloned();
                let slot = slot.ok_or_else(|| Problem::unexpected("a booking of no slot"))?;
                let name = names.get(&booking.person_id).cloned();
                let mut actions = steps::possible(booking.state);
                actions.extend(undoable.contains(&booking.id).then_some("undo"));
                Ok(InLine { turn: self.turns.of(booking.id), booking, slot, name, readable: self.hosting, actions })
            })
            .collect()
    }
}

/// A booking as it stands in the line now, after a step; last in its transaction.
pub async fn entry<N: Need>(
    tx: &Tx,
    app: &App,
    staff: &Staff<N>,
    row: booking::Model,
    now: Instant,
) -> Result<InLine, Problem> {
    let viewed = Viewed::open(tx, staff, row.talk_day_id, now).await?;
    let entry = viewed.entries(tx, &app.field_keys, vec![row]).await?.pop().ok_or_else(Problem::not_found)?;
    trail::answered(tx, app, staff, &entry).await?;
    Ok(entry)
}

/// Whether the viewer hosts the day; 404 when they have no part in it at all.
///
/// Hosts are those the day names who have the duty there or above; where it names none, who has it in the very place of
/// the day: what somebody tells their village is not for every host of its county.
pub async fn hosting<N: Need>(
    db: &impl ConnectionTrait,
    staff: &Staff<N>,
    day: &talk_day::Model,
) -> Result<bool, Problem> {
    let place: division::Model = divisions::find(db, day.division_id).await?;
    if !staff.postings().any(|posted| divisions::covers(posted, &place)) {
        return Err(Problem::not_found());
    }
    hosts(staff, &place, day)
}

/// Likewise, of a day at a place that is within reach.
pub(super) fn hosts<N: Need>(
    staff: &Staff<N>,
    place: &division::Model,
    day: &talk_day::Model,
) -> Result<bool, Problem> {
    let named: Vec<_> = terms::stored(&day.hosts)?;
    if named.is_empty() {
        return Ok(staff.has(Duty::HostTalks, &[place.id]));
    }
    let here: Vec<_> = divisions::line_up(place).into_iter().flatten().collect();
    Ok(named.contains(&staff.id()) && staff.has(Duty::HostTalks, &here))
}

async fn names(
    db: &impl ConnectionTrait,
    keys: &FieldKeys,
    rows: &[booking::Model],
) -> Result<BTreeMap<PersonId, PersonName>, Problem> {
    if rows.is_empty() {
        return Ok(BTreeMap::new());
    }
    let people = person::Entity::find().filter(person::COLUMN.id.is_in(padded(rows.iter().map(|row| row.person_id))));
    let mut names = BTreeMap::new();
    for row in people.all(db).await? {
        if let Some(sealed) = &row.name {
            names.insert(row.id, keys.open(sealed)?);
        }
    }
    Ok(names)
}

/// Those of these bookings whose last step was taken within the last minute.
async fn undoable(db: &impl ConnectionTrait, rows: &[booking::Model], now: Instant) -> Result<Vec<BookingId>, Problem> {
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let fresh: Vec<BookingId> = booking_event::Entity::find()
        .select_only()
        .column(booking_event::Column::BookingId)
        .filter(booking_event::COLUMN.booking_id.is_in(padded(rows.iter().map(|row| row.id))))
        .filter(booking_event::COLUMN.undone_at.is_null())
        .filter(booking_event::COLUMN.acted_at.gte(now - UNDO_WITHIN))
        .into_tuple()
        .all(db)
        .await?;
    let kept = |id: &BookingId| rows.iter().any(|row| row.id == *id && !super::undo::is_kept(row));
    Ok(fresh.into_iter().filter(kept).collect())
}
