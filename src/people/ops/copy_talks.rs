//! The part of one's copy that talk days hold: bookings with their records, waits, ratings, signatures.

use std::collections::HashMap;

use entity::{
    booking,
    id::{BookingId, PersonId},
    minutes_signature, talk_rating, talk_record, talk_wait,
};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use super::copy::clear;
use crate::{
    crypto::FieldKeys,
    db::padded,
    personal::{PersonName, PrivateText},
    problem::Problem,
};

/// Bookings, oldest first, each with the record that holds.
pub(super) async fn bookings(db: &DatabaseConnection, keys: &FieldKeys, id: PersonId) -> Result<Vec<Value>, Problem> {
    let rows = booking::Entity::find().filter(booking::COLUMN.person_id.eq(id)).order_by_asc(booking::Column::Id);
    let rows = rows.all(db).await?;
    let records = records(db, &rows).await?;
    let one = |row: &booking::Model| {
        let record = records.get(&row.id);
        let record = record.map(|record| {
            Ok::<_, Problem>(json!({
                "text": clear::<PrivateText>(keys, Some(&record.text))?,
                "public_text": clear::<PrivateText>(keys, record.public_text.as_ref())?,
                "at": record.at,
            }))
        });
        Ok(json!({
            "id": row.id, "code": row.code, "talk_day": row.talk_day_id, "state": row.state, "topic": row.topic,
            "summary": row.summary, "privacy": row.privacy, "mode": row.mode, "made_at": row.created_at,
            "address": clear::<PrivateText>(keys, row.address.as_ref())?,
            "outcome": row.outcome, "record": record.transpose()?,
        }))
    };
    rows.iter().map(one).collect()
}

async fn records(
    db: &DatabaseConnection,
    bookings: &[booking::Model],
) -> Result<HashMap<BookingId, talk_record::Model>, Problem> {
    if bookings.is_empty() {
        return Ok(HashMap::new());
    }
    let ids = padded(bookings.iter().map(|row| row.id));
    let rows = talk_record::Entity::find().filter(talk_record::COLUMN.booking_id.is_in(ids));
    let rows = rows.order_by_asc(talk_record::Column::Revision).all(db).await?;
    // A later revision takes the place of the one before.
    Ok(rows.into_iter().map(|row| (row.booking_id, row)).collect())
}

/// Places waited for.
pub(super) async fn waits(db: &DatabaseConnection, id: PersonId) -> Result<Vec<Value>, Problem> {
    let rows = talk_wait::Entity::find().filter(talk_wait::COLUMN.person_id.eq(id)).order_by_asc(talk_wait::Column::Id);
    let one = |row: talk_wait::Model| {
        json!({
            "talk_day": row.talk_day_id, "state": row.state, "places": row.places, "made_at": row.created_at,
            "ended_at": row.ended_at,
        })
    };
    Ok(rows.all(db).await?.into_iter().map(one).collect())
}

/// Ratings of talk days.
pub(super) async fn ratings(db: &DatabaseConnection, keys: &FieldKeys, id: PersonId) -> Result<Vec<Value>, Problem> {
    let rows = talk_rating::Entity::find().filter(talk_rating::COLUMN.person_id.eq(id));
    let one = |row: &talk_rating::Model| {
        let text = clear::<PrivateText>(keys, row.text.as_ref())?;
        Ok(json!({"talk_day": row.talk_day_id, "stars": row.stars, "text": text, "at": row.at}))
    };
    rows.order_by_asc(talk_rating::Column::Id).all(db).await?.iter().map(one).collect()
}

/// Minutes signed.
pub(super) async fn signatures(db: &DatabaseConnection, keys: &FieldKeys, id: PersonId) -> Result<Vec<Value>, Problem> {
    let rows = minutes_signature::Entity::find().filter(minutes_signature::COLUMN.person_id.eq(id));
    let one = |row: &minutes_signature::Model| {
        let name = clear::<PersonName>(keys, Some(&row.name))?;
        Ok(json!({"name": name, "mark": row.mark, "reference": row.reference, "at": row.at}))
    };
    rows.order_by_asc(minutes_signature::Column::Id).all(db).await?.iter().map(one).collect()
}
