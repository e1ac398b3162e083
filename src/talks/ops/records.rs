//! Records of matters: what was said and answered, corrected by adding, read by the person and by hosts.
//!
//! A record is sealed and no row of it is ever changed; the last one holds. Whoever reads one on the staff side is
//! entered in the audit. Next: [`super::minutes`], which takes the last ones.

use std::collections::{BTreeSet, HashMap};

use entity::{
    Instant, booking,
    booking::{BookingPrivacy, BookingState},
    file::{FileKind, FileThing},
    id::{BookingId, FileId, StaffId, TalkRecordId},
    staff, talk_day, talk_record,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{conclude::tells_nobody, line, matters, step};
use crate::{
    app::App,
    audit::{self, Actor, Entry, reveal::check_reason},
    auth::{Staff, duty::SeeTalkLine},
    db::{Tx, padded},
    files::{self, FileView, Hanging, Named, Owner},
    personal::{Personal, PrivateText},
    problem::{Code, Problem},
    talks::words,
};

/// The most corrections of one record that are shown.
const MOST_REVISIONS: u64 = 100;

/// A record as it should have been.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrectRecord {
    #[validate(length(min = 1, max = 4000))]
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
    /// What may be published of it, without names and numbers; left out: nothing. Not of a private matter.
    #[validate(length(min = 1, max = 1000))]
    #[schema(min_length = 1, max_length = 1000)]
    public_text: Option<String>,
    /// Why; 4 to 200 characters.
    #[validate(custom(function = "check_reason"))]
    #[schema(min_length = 4, max_length = 200)]
    reason: String,
    /// A voice note that the caller brought.
    voice: Option<FileId>,
}

/// What is written down.
pub(super) struct Said<'a> {
    pub(super) text: &'a str,
    pub(super) public_text: Option<&'a str>,
    pub(super) reason: Option<&'a str>,
    /// Spoken.
    pub(super) voice: Option<FileId>,
}

/// Adds the next revision.
pub(super) async fn add(
    tx: &Tx,
    app: &App,
    booking: &booking::Model,
    by: StaffId,
    said: &Said<'_>,
    now: Instant,
) -> Result<talk_record::Model, Problem> {
    let seal = |text: &str| app.field_keys.close(&PrivateText::of_stored(text.trim().to_owned()));
    let last = latest(tx, booking.id).await?;
    let public_text = match said.public_text {
        Some(text) => Some(words::published(text, &matters::names_of_day(app, tx, booking.talk_day_id).await?)),
        None => None,
    };
    let row = talk_record::ActiveModel {
        id: Set(TalkRecordId::fresh()),
        booking_id: Set(booking.id),
        talk_day_id: Set(booking.talk_day_id),
        revision: Set(last.map_or(1, |last| last.revision + 1)),
        text: Set(seal(said.text)?),
        public_text: Set(public_text.as_deref().map(seal).transpose()?),
        reason: Set(said.reason.map(seal).transpose()?),
        staff_id: Set(by),
        at: Set(now),
    };
    let row = row.insert(tx).await?;
    let voice: Vec<Named> = said.voice.into_iter().map(|id| Named::one(id, "/voice", &[FileKind::Voice])).collect();
    files::attach(tx, Owner::Staff(by), &voice, Hanging::on(FileThing::TalkRecord, row.id.0), now).await?;
    Ok(row)
}

/// The record that holds.
async fn latest(db: &impl ConnectionTrait, id: BookingId) -> Result<Option<talk_record::Model>, Problem> {
    let of_it = talk_record::Entity::find().filter(talk_record::COLUMN.booking_id.eq(id));
    Ok(of_it.order_by_desc(talk_record::Column::Revision).one(db).await?)
}

/// The record that holds of a matter that counts as heard: what was written before a step was taken back waits for the
/// next time.
pub async fn of_heard(
    db: &impl ConnectionTrait,
    booking: &booking::Model,
) -> Result<Option<talk_record::Model>, Problem> {
    if booking.state == BookingState::Concluded { latest(db, booking.id).await } else { Ok(None) }
}

/// A record in the clear, for those who may read it.
pub struct Clear {
    pub row: talk_record::Model,
    pub text: String,
    pub public_text: Option<String>,
    pub reason: Option<String>,
    /// Who wrote it.
    pub by: Option<String>,
    /// As it was spoken.
    pub voice: Option<FileView>,
}

/// Opens records, with the names of who wrote them.
pub async fn clear(app: &App, db: &impl ConnectionTrait, rows: Vec<talk_record::Model>) -> Result<Vec<Clear>, Problem> {
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let writers: BTreeSet<StaffId> = rows.iter().map(|row| row.staff_id).collect();
    let writers = staff::Entity::find().filter(staff::COLUMN.id.is_in(padded(writers))).all(db).await?;
    let names: HashMap<StaffId, String> = writers.into_iter().map(|row| (row.id, row.name)).collect();
    let mut spoken = files::attached_to(db, FileThing::TalkRecord, rows.iter().map(|row| row.id.0)).await?;
    let open = |text: PrivateText| text.in_the_clear().to_owned();
    rows.into_iter()
        .map(|row| {
            Ok(Clear {
                text: open(app.field_keys.open(&row.text)?),
                public_text: app.field_keys.open_if(row.public_text.as_ref())?.map(open),
                reason: app.field_keys.open_if(row.reason.as_ref())?.map(open),
                by: names.get(&row.staff_id).cloned(),
                voice: spoken.remove(&row.id.0).and_then(|files| files.first().map(FileView::of)),
                row,
            })
        })
        .collect()
}

/// All revisions of a matter's record, oldest first; entered in the audit.
///
/// # Errors
/// `not_found`; `not_your_duty` for a private matter of others.
pub async fn list(app: &App, staff: &Staff<SeeTalkLine>, id: BookingId) -> Result<Vec<Clear>, Problem> {
    let db = app.db.read();
    let booking = booking::Entity::find_by_id(id).one(db).await?.ok_or_else(Problem::not_found)?;
    let day = talk_day::Entity::find_by_id(booking.talk_day_id).one(db).await?.ok_or_else(Problem::not_found)?;
    if !line::hosting(db, staff, &day).await? && booking.privacy == BookingPrivacy::Private {
        return Err(Code::NotYourDuty.into());
    }
    let rows = talk_record::Entity::find()
        .filter(talk_record::COLUMN.booking_id.eq(id))
        .order_by_asc(talk_record::Column::Revision)
        .limit(MOST_REVISIONS)
        .all(db)
        .await?;
    audit::note(app, &Actor::staff(staff), Entry::done("read_talk_record", "booking", id)).await?;
    clear(app, db, rows).await
}

/// Adds a correction: by a host, or of a public matter by who wrote a record of it.
///
/// # Errors
/// `not_found`, `not_your_duty`, `conflict_of_interest`, `transition_not_allowed` where there is no record yet,
/// `invalid`.
pub async fn correct(
    tx: &Tx,
    app: &App,
    staff: &Staff<SeeTalkLine>,
    id: BookingId,
    body: &CorrectRecord,
    now: Instant,
) -> Result<talk_record::Model, Problem> {
    let open = step::open(tx, staff, id).await?;
    let private = open.booking.privacy == BookingPrivacy::Private;
    let theirs = talk_record::Entity::find()
        .filter(talk_record::COLUMN.booking_id.eq(id))
        .filter(talk_record::COLUMN.staff_id.eq(staff.id()));
    let wrote = !private && theirs.one(tx).await?.is_some();
    if !open.hosting && !wrote {
        return Err(Code::NotYourDuty.into());
    }
    open.impartial(tx, staff.id()).await?;
    if of_heard(tx, &open.booking).await?.is_none() {
        return Err(Code::TransitionNotAllowed.into());
    }
    if private && body.public_text.is_some() {
        return Err(Problem::field("/public_text", "not_allowed_here"));
    }
    tells_nobody(tx, app, &open.booking, &[("/public_text", body.public_text.as_deref())]).await?;
    let said = Said {
        text: &body.text,
        public_text: body.public_text.as_deref(),
        reason: Some(&body.reason),
        voice: body.voice,
    };
    let row = add(tx, app, &open.booking, staff.id(), &said, now).await?;
    let entry = Entry::done("correct_talk_record", "booking", id);
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, now).await?;
    Ok(row)
}
