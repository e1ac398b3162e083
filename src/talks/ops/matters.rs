//! Matters of a day in the order of its slots, with the record that holds of each: what agenda and minutes are made of.
//!
//! The order is that of slots and of booking, never that of numbers in line: a number that a private matter takes must
//! not be missed by anybody who reads the public ones.

use std::collections::HashMap;

use entity::{
    Instant, booking,
    booking::{BookingPrivacy, Screening},
    id::{BookingId, PersonId, SlotId, TalkDayId},
    slot, talk_record,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::places;
use crate::{app::App, lists, people, personal::PersonName, problem::Problem};

/// A live booking of a day.
pub(super) struct Matter {
    pub(super) booking: booking::Model,
    starts_at: Instant,
    /// The record that holds.
    pub(super) record: Option<talk_record::Model>,
}

impl Matter {
    /// Whether others may hear of it.
    pub(super) fn is_public(&self) -> bool {
        self.booking.privacy == BookingPrivacy::Public && self.booking.screened != Some(Screening::Private)
    }
}

/// The live bookings of a day.
pub(super) async fn of_day(db: &impl ConnectionTrait, day: TalkDayId) -> Result<Vec<Matter>, Problem> {
    let rows =
        booking::Entity::find().filter(booking::COLUMN.talk_day_id.eq(day)).filter(places::live()).all(db).await?;
    let slots = slot::Entity::find().filter(slot::COLUMN.talk_day_id.eq(day)).all(db).await?;
    let slots: HashMap<SlotId, Instant> = slots.into_iter().map(|slot| (slot.id, slot.starts_at)).collect();
    let records = talk_record::Entity::find()
        .filter(talk_record::COLUMN.talk_day_id.eq(day))
        .order_by_asc(talk_record::Column::Revision);
    let mut records_held: HashMap<BookingId, talk_record::Model> =
        records.all(db).await?.into_iter().map(|row| (row.booking_id, row)).collect();
    let lost = || Problem::unexpected("a booking of no slot");
    let matter = |booking: booking::Model| {
        let starts_at = slots.get(&booking.slot_id).copied().ok_or_else(lost)?;
        Ok(Matter { starts_at, record: records_held.remove(&booking.id), booking })
    };
    let mut all = rows.into_iter().map(matter).collect::<Result<Vec<_>, Problem>>()?;
    all.sort_by_key(|matter| (matter.starts_at, matter.booking.id));
    Ok(all)
}

/// Names of everybody who has a place on a day: what is written for all to read is written without them. Names may go
/// later, and what was to be left out with them.
pub(super) async fn names_of_day(
    app: &App,
    db: &impl ConnectionTrait,
    day: TalkDayId,
) -> Result<Vec<PersonName>, Problem> {
    let people: Vec<PersonId> = booking::Entity::find()
        .select_only()
        .column(booking::Column::PersonId)
        .filter(booking::COLUMN.talk_day_id.eq(day))
        .filter(booking::COLUMN.live.eq(true))
        .into_tuple()
        .all(db)
        .await?;
    Ok(people::names(db, &app.field_keys, people.into_iter().collect()).await?.into_values().collect())
}

/// What a topic is called.
pub(super) fn topic_label(code: &str) -> String {
    let known = lists::entries("topics").into_iter().flatten().find(|entry| entry.code == code);
    known.map_or_else(|| code.to_owned(), |entry| entry.zh.clone())
}
