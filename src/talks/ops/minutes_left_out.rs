//! Matters that go from what everybody reads of minutes: whose they are agrees no more to publication, or is forgotten.
//!
//! What was signed stays as it was signed, sealed; the public part and the page lose the matter whole. Numbers stay, so that
//! nothing else moves.

use std::collections::BTreeSet;

use entity::{
    Instant, booking,
    booking::BookingState,
    id::{BookingId, PersonId, TalkDayId},
    talk_minutes,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::LockType,
};
use serde_json::Value;

use super::minutes;
use crate::{
    crypto::FieldKeys,
    db::{Tx, padded},
    problem::Problem,
    publications,
};

/// Takes the matters of somebody out of everything that anybody reads of minutes.
///
/// # Errors
/// Those of the database.
pub async fn leave_out(tx: &Tx, keys: &FieldKeys, person: PersonId, now: Instant) -> Result<(), Problem> {
    let heard: Vec<(BookingId, TalkDayId)> = booking::Entity::find()
        .select_only()
        .columns([booking::Column::Id, booking::Column::TalkDayId])
        .filter(booking::COLUMN.person_id.eq(person))
        .filter(booking::COLUMN.state.eq(BookingState::Concluded))
        .into_tuple()
        .all(tx)
        .await?;
    if heard.is_empty() {
        return Ok(());
    }
    let (bookings, days): (BTreeSet<BookingId>, BTreeSet<TalkDayId>) = heard.into_iter().unzip();
    let rows = talk_minutes::Entity::find()
        .filter(talk_minutes::COLUMN.talk_day_id.is_in(padded(days)))
        .order_by_asc(talk_minutes::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .all(tx)
        .await?;
    for row in rows {
        // Kept long enough, they tell of nobody.
        if row.digest.is_empty() {
            continue;
        }
        let numbers = numbers_of(&minutes::document(keys, &row)?, &bookings);
        let public = without_matters(row.public_document.clone(), &numbers);
        if public == row.public_document {
            continue;
        }
        let (id, version) = (row.id, row.version + 1);
        let mut row = row.into_active_model();
        row.public_document = Set(public);
        row.version = Set(version);
        row.update(tx).await?;
        publications::left_out(tx, id.0, &numbers, now).await?;
    }
    Ok(())
}

/// Under which numbers minutes tell of these bookings.
fn numbers_of(document: &Value, bookings: &BTreeSet<BookingId>) -> BTreeSet<u64> {
    let is_theirs = |matter: &&Value| {
        let booking = matter.get("booking").cloned().and_then(|id| serde_json::from_value::<BookingId>(id).ok());
        booking.is_some_and(|id| bookings.contains(&id))
    };
    let matters = document.get("matters").and_then(Value::as_array).into_iter().flatten();
    matters.filter(is_theirs).filter_map(minutes::number).collect()
}

/// Minutes without the matters of these numbers.
#[must_use]
pub fn without_matters(mut document: Value, numbers: &BTreeSet<u64>) -> Value {
    if let Some(matters) = document.get_mut("matters").and_then(Value::as_array_mut) {
        matters.retain(|matter| minutes::number(matter).is_none_or(|number| !numbers.contains(&number)));
    }
    document
}
