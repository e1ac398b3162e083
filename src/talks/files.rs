//! Who may see the files of bookings and of records: who may read the matter, or what was said of it.

use entity::{
    booking::{self, BookingPrivacy},
    id::{BookingId, TalkRecordId},
    talk_day, talk_record,
};
use sea_orm::EntityTrait;

use super::ops::{bookings, line, records};
use crate::{
    app::App,
    audit::Entry,
    auth::{Staff, Villager, duty::SeeTalkLine},
    clock::local_day,
    people,
    problem::Problem,
};

async fn matter(app: &App, id: BookingId) -> Result<booking::Model, Problem> {
    booking::Entity::find_by_id(id).one(app.db.read()).await?.ok_or_else(Problem::not_found)
}

async fn record(app: &App, id: TalkRecordId) -> Result<talk_record::Model, Problem> {
    talk_record::Entity::find_by_id(id).one(app.db.read()).await?.ok_or_else(Problem::not_found)
}

/// Nothing, where the matter is within the villager's reach; else 404.
pub async fn booking_shown_to_villager(app: &App, me: &Villager, id: BookingId) -> Result<(), Problem> {
    bookings::find(app, me, id).await.map(drop)
}

/// Nothing, where the record is the one that holds and the matter is within reach; else 404.
pub async fn record_shown_to_villager(app: &App, me: &Villager, id: TalkRecordId) -> Result<(), Problem> {
    let booking = bookings::find(app, me, record(app, id).await?.booking_id).await?.booking;
    let holds = records::of_heard(app.db.read(), &booking).await?.is_some_and(|row| row.id == id);
    if holds { Ok(()) } else { Err(Problem::not_found()) }
}

/// Staff who may read the matter: of a private one its hosts. What is to be entered in the audit before it is shown.
pub async fn booking_shown_to_staff(
    app: &App,
    staff: &Staff<SeeTalkLine>,
    id: BookingId,
) -> Result<Vec<Entry>, Problem> {
    let booking = matter(app, id).await?;
    readable(app, staff, &booking).await?;
    let minor = people::is_minor(app.db.read(), &app.field_keys, booking.person_id, local_day(app.clock.now())).await?;
    let private = booking.privacy == BookingPrivacy::Private;
    let actions = [
        private.then_some("read_private_matter"),
        minor.then_some("read_minor_matter"),
        (!private && !minor).then_some("read_file"),
    ];
    Ok(actions.into_iter().flatten().map(|action| Entry::done(action, "booking", id).of_fields("file")).collect())
}

/// Staff who may read the record. What is to be entered in the audit before it is shown, as for reading its words.
pub async fn record_shown_to_staff(
    app: &App,
    staff: &Staff<SeeTalkLine>,
    id: TalkRecordId,
) -> Result<Vec<Entry>, Problem> {
    let booking = matter(app, record(app, id).await?.booking_id).await?;
    readable(app, staff, &booking).await?;
    Ok(vec![Entry::done("read_talk_record", "booking", booking.id).of_fields("file")])
}

async fn readable(app: &App, staff: &Staff<SeeTalkLine>, booking: &booking::Model) -> Result<(), Problem> {
    let db = app.db.read();
    let day = talk_day::Entity::find_by_id(booking.talk_day_id).one(db).await?.ok_or_else(Problem::not_found)?;
    let hosting = line::hosting(db, staff, &day).await?;
    if hosting || booking.privacy == BookingPrivacy::Public { Ok(()) } else { Err(Problem::not_found()) }
}
