//! Minutes of a day: compiled when all were heard, signed by two villagers, then published without names.
//!
//! What is signed is frozen: a document, sealed, and its digest, which every signature repeats. Private matters are in it
//! as a number alone, since villagers read what they sign. Next: [`super::minutes_document`] for what stands in it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::{
    Instant, booking,
    booking::BookingState,
    id::{PersonId, StaffId, TalkDayId, TalkMinutesId},
    minutes_signature,
    publication::PublicationKind,
    talk_day,
    talk_day::TalkDayState,
    talk_minutes,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Set, sea_query::LockType,
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use validator::Validate;

use super::{line, minutes_document};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{
        Duty, Staff,
        duty::{Need, SeeTalkLine},
    },
    crypto::{FieldKeys, hex},
    db::Tx,
    divisions,
    notices::{self, About, Telling},
    personal::{Personal, PrivateText},
    problem::{Code, Problem},
    publications,
    talks::rules::spoken,
};

/// Minutes are published so many working days after their day at the latest.
pub const PUBLISHED_WITHIN: u32 = 3;

/// Minutes to be compiled.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompileMinutes {
    /// What else belongs into them; it is signed and not published.
    #[validate(length(min = 1, max = 2000))]
    #[schema(min_length = 1, max_length = 2000)]
    remarks: Option<String>,
}

/// Minutes with their signatures.
pub struct Minutes {
    pub row: talk_minutes::Model,
    pub signatures: Vec<minutes_signature::Model>,
}

/// The day, locked, when these staff host it or manage talk days there; 404 out of reach.
pub(super) async fn open<N: Need>(tx: &Tx, staff: &Staff<N>, id: TalkDayId) -> Result<talk_day::Model, Problem> {
    let day = talk_day::Entity::find_by_id(id).lock(LockType::NoKeyUpdate).one(tx).await?;
    let day = day.ok_or_else(Problem::not_found)?;
    concerns(tx, staff, &day).await?;
    Ok(day)
}

/// Whether minutes of a day concern these staff.
///
/// # Errors
/// `not_found` out of reach, `not_your_duty`.
async fn concerns<N: Need>(db: &impl ConnectionTrait, staff: &Staff<N>, day: &talk_day::Model) -> Result<(), Problem> {
    if line::hosting(db, staff, day).await? {
        return Ok(());
    }
    let place = divisions::find(db, day.division_id).await?;
    let manages = |posted: &crate::auth::Posted| posted.any(&[Duty::ManageTalks]) && divisions::covers(posted, &place);
    if staff.postings().any(manages) { Ok(()) } else { Err(Code::NotYourDuty.into()) }
}

/// The minutes of a day, locked.
pub(super) async fn locked(tx: &Tx, day: TalkDayId) -> Result<Option<talk_minutes::Model>, Problem> {
    let of_day = talk_minutes::Entity::find().filter(talk_minutes::COLUMN.talk_day_id.eq(day));
    Ok(of_day.lock(LockType::NoKeyUpdate).one(tx).await?)
}

/// Compiles the minutes; anew as long as they are not published. Where they tell something else then, signatures under
/// what was told before are void, and who signed is told.
///
/// # Errors
/// `not_found`, `not_your_duty`, `day_cancelled`; `transition_not_allowed` while somebody is still to be heard and the
/// day is not over, or once they are published.
pub async fn compile(
    tx: &Tx,
    app: &App,
    staff: &Staff<SeeTalkLine>,
    id: TalkDayId,
    body: &CompileMinutes,
    now: Instant,
) -> Result<Minutes, Problem> {
    let day = open(tx, staff, id).await?;
    if day.state == TalkDayState::Cancelled {
        return Err(Code::DayCancelled.into());
    }
    let before = locked(tx, id).await?;
    let published = before.as_ref().is_some_and(|row| row.published_at.is_some());
    if published || !is_over(tx, &day, now).await? {
        return Err(Code::TransitionNotAllowed.into());
    }
    let made = minutes_document::make(tx, app, &day, body.remarks.as_deref()).await?;
    let text = made.document.to_string();
    let digest = hex(&Sha256::digest(text.as_bytes()));
    let void = match &before {
        Some(row) if row.digest == digest => return as_before(tx, row.clone(), made.public_document).await,
        Some(row) => void(tx, &day, row, now).await?,
        None => 0,
    };
    let due_on = app.calendar.load().add_working_days(day.on_date, PUBLISHED_WITHIN).on;
    let row = talk_minutes::ActiveModel {
        id: Set(before.as_ref().map_or_else(TalkMinutesId::fresh, |row| row.id)),
        talk_day_id: Set(id),
        digest: Set(digest),
        document: Set(app.field_keys.close(&PrivateText::of_stored(text))?),
        public_document: Set(made.public_document),
        compiled_by: Set(staff.id()),
        compiled_at: Set(now),
        due_on: Set(due_on),
        signed_at: Set(None),
        published_at: Set(None),
        published_by: Set(None),
        version: Set(before.as_ref().map_or(1, |row| row.version + 1)),
    };
    let row = if before.is_some() { row.update(tx).await? } else { row.insert(tx).await? };
    let entry = Entry::done("compile_talk_minutes", "talk_day", id).of_fields(format!("void_signatures={void}"));
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, now).await?;
    Ok(Minutes { row, signatures: vec![] })
}

/// They tell the same: signatures stand. A name that is known by now may have to go from the public part.
async fn as_before(tx: &Tx, row: talk_minutes::Model, public_document: Value) -> Result<Minutes, Problem> {
    let signatures = signatures(tx, row.id).await?;
    let mut row = row.into_active_model();
    row.public_document = Set(public_document);
    Ok(Minutes { row: row.update(tx).await?, signatures })
}

/// Takes the signatures off and tells who signed; says how many there were.
async fn void(tx: &Tx, day: &talk_day::Model, row: &talk_minutes::Model, now: Instant) -> Result<usize, Problem> {
    let signed = signatures(tx, row.id).await?;
    let of_them = minutes_signature::Entity::delete_many().filter(minutes_signature::COLUMN.minutes_id.eq(row.id));
    of_them.exec(tx).await?;
    let telling = |one: &minutes_signature::Model| telling(day, one.person_id, "talk_minutes_changed");
    notices::tell(tx, signed.iter().map(telling).collect(), now).await?;
    Ok(signed.len())
}

/// What somebody is told of the minutes of a day.
pub(super) fn telling(day: &talk_day::Model, person: PersonId, kind: &'static str) -> Telling {
    Telling { person, kind, about: About::Oneself, params: json!({"when": spoken(day.starts_at)}) }
}

/// Whether nobody is to be heard any more: the day has ended, or everybody was heard or missed.
async fn is_over(tx: &Tx, day: &talk_day::Model, now: Instant) -> Result<bool, Problem> {
    if now >= day.ends_at {
        return Ok(true);
    }
    let live =
        || booking::Entity::find().filter(booking::COLUMN.talk_day_id.eq(day.id)).filter(booking::COLUMN.live.eq(true));
    let through = [BookingState::Concluded, BookingState::Missed];
    let open = live().filter(booking::COLUMN.state.is_not_in(through)).count(tx).await?;
    Ok(open == 0 && live().count(tx).await? > 0)
}

/// Who signed, in the order of signing.
pub(super) async fn signatures(
    db: &impl ConnectionTrait,
    id: TalkMinutesId,
) -> Result<Vec<minutes_signature::Model>, Problem> {
    let of_them = minutes_signature::Entity::find().filter(minutes_signature::COLUMN.minutes_id.eq(id));
    Ok(of_them.order_by_asc(minutes_signature::Column::Id).all(db).await?)
}

/// Minutes for those whom they concern; entered in the audit.
///
/// # Errors
/// `not_found`, `not_your_duty`.
pub async fn find(app: &App, staff: &Staff<SeeTalkLine>, id: TalkDayId) -> Result<Minutes, Problem> {
    let db = app.db.read();
    let day = talk_day::Entity::find_by_id(id).one(db).await?.ok_or_else(Problem::not_found)?;
    concerns(db, staff, &day).await?;
    let row = talk_minutes::Entity::find().filter(talk_minutes::COLUMN.talk_day_id.eq(id)).one(db).await?;
    let row = row.ok_or_else(Problem::not_found)?;
    audit::note(app, &Actor::staff(staff), Entry::done("read_talk_minutes", "talk_day", id)).await?;
    Ok(Minutes { signatures: signatures(db, row.id).await?, row })
}

/// What was signed, in the clear.
pub fn document(keys: &FieldKeys, row: &talk_minutes::Model) -> Result<Value, Problem> {
    let text: PrivateText = keys.open(&row.document)?;
    serde_json::from_str(text.in_the_clear()).map_err(Problem::unexpected)
}

/// Publishes what everybody may read.
///
/// # Errors
/// `not_found`, `not_your_duty`, `minutes_not_signed`, `transition_not_allowed` when they are published; `stale` when a
/// record or an outcome is another by now than the one that was signed.
pub async fn publish(
    tx: &Tx,
    app: &App,
    staff: &Staff<SeeTalkLine>,
    id: TalkDayId,
    now: Instant,
) -> Result<Minutes, Problem> {
    let day = open(tx, staff, id).await?;
    let row = locked(tx, id).await?.ok_or_else(Problem::not_found)?;
    if row.published_at.is_some() {
        return Err(Code::TransitionNotAllowed.into());
    }
    if row.signed_at.is_none() {
        return Err(Code::MinutesNotSigned.into());
    }
    let as_it_stands = minutes_document::make(tx, app, &day, None).await?;
    if minutes_document::tells_otherwise(&document(&app.field_keys, &row)?, &as_it_stands.document) {
        return Err(Code::Stale.into());
    }
    let version = row.version + 1;
    // What was masked stays so, whoever's name is gone by now; whose matter must not be told by now is not.
    let public = minutes_document::as_far_as(row.public_document.clone(), &as_it_stands.people);
    let mut row = row.into_active_model();
    row.public_document = Set(public);
    row.published_at = Set(Some(now));
    row.published_by = Set(Some(staff.id()));
    row.version = Set(version);
    let row = row.update(tx).await?;
    publications::of_minutes(tx, app, on_the_page(&day, &row, &as_it_stands.people, staff.id()), now).await?;
    let entry = Entry::done("publish_talk_minutes", "talk_day", id);
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, now).await?;
    Ok(Minutes { signatures: signatures(tx, row.id).await?, row })
}

/// The number of a matter in minutes.
pub(super) fn number(matter: &Value) -> Option<u64> {
    matter.get("number").and_then(Value::as_u64)
}

/// Minutes as they go on the page of the village: each matter is looked at by itself.
fn on_the_page(
    day: &talk_day::Model,
    row: &talk_minutes::Model,
    people: &BTreeMap<u64, PersonId>,
    by: StaffId,
) -> publications::Minutes {
    let matters = row.public_document.get("matters").and_then(Value::as_array).cloned().unwrap_or_default();
    let words = |matter: &Value, name: &str| matter.get(name).and_then(Value::as_str).map(str::to_owned);
    let part = |matter: &Value| {
        let number = number(matter)?;
        let text = [words(matter, "title"), words(matter, "text")].into_iter().flatten().collect::<Vec<_>>().join("\n");
        Some(publications::Part {
            name: publications::minutes_part(number),
            person: people.get(&number).copied(),
            text,
        })
    };
    let parts = matters.iter().filter_map(part).collect();
    publications::Minutes {
        id: row.id.0,
        place: day.division_id,
        on: day.on_date,
        document: row.public_document.clone(),
        parts,
        by,
    }
}

/// Minutes as everybody reads them.
pub struct PublicMinutes {
    pub row: talk_minutes::Model,
    /// What stands on the page.
    pub document: Value,
}

/// Whether minutes are published.
pub enum Published {
    /// They are not.
    NotYet,
    /// They are, and the page does not show them: not looked at yet, held, taken down, or their last day is over.
    NotShown,
    /// Everybody may read them.
    Shown(Box<PublicMinutes>),
}

/// The minutes of a day as everybody may read them: nothing but what the page shows.
pub async fn published(db: &impl ConnectionTrait, id: TalkDayId, today: NaiveDate) -> Result<Published, Problem> {
    let of_day = talk_minutes::Entity::find()
        .filter(talk_minutes::COLUMN.talk_day_id.eq(id))
        .filter(talk_minutes::COLUMN.published_at.is_not_null());
    let Some(row) = of_day.one(db).await? else { return Ok(Published::NotYet) };
    let page = publications::standing(db, PublicationKind::Minutes, row.id.0, today).await?;
    let document = page.and_then(|page| page.body);
    Ok(document.map_or(Published::NotShown, |document| Published::Shown(Box::new(PublicMinutes { row, document }))))
}
