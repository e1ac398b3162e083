//! Villagers sign minutes: two of them, neither a host, each under the digest of what they read.
//!
//! Who signs is somebody of the place, who lives there or came that day: by id, else by name and phone. So that nobody
//! makes villagers up, another than who compiled the minutes is the witness, and who is said to have signed is told.
//! Next: [`super::minutes`], which publishes what two have signed.

use entity::{
    Instant, booking, conflict,
    conflict::ConflictKind,
    id::{MinutesSignatureId, PersonId, TalkDayId},
    minutes_signature,
    minutes_signature::SignatureMark,
    person, talk_day,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Set};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::{
    minutes::{self, Minutes},
    minutes_document,
};
use crate::{
    app::App,
    audit::{self, Actor, Entry},
    auth::{Staff, duty::SeeTalkLine},
    db::Tx,
    divisions, notices, people,
    personal::{PersonName, Personal, PhoneNumber},
    problem::{Code, OnUnique, Problem},
};

/// So many villagers sign.
const ENOUGH: usize = 2;
/// More than these are refused.
const MOST: usize = 10;

/// A villager signs.
#[derive(Clone, Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignMinutes {
    /// Somebody who lives there or came that day; else `name` and `phone` of such a one.
    person: Option<PersonId>,
    /// Full name.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    name: Option<String>,
    #[validate(length(min = 1, max = 20))]
    #[schema(min_length = 1, max_length = 20)]
    phone: Option<String>,
    /// How they signed.
    mark: SignatureMark,
    /// Where the signed sheet is kept.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    reference: Option<String>,
    /// Digest of the document they read; 409 `stale` when it is another by now.
    #[validate(length(equal = 64))]
    #[schema(min_length = 64, max_length = 64)]
    digest: String,
}

/// Adds a signature.
///
/// # Errors
/// `not_found`, `not_your_duty`, `witness_compiled` to whoever compiled the minutes, `stale`, `already_exists` when this
/// villager has signed, `transition_not_allowed` when the minutes are published, `invalid` with a pointer.
pub async fn sign(
    tx: &Tx,
    app: &App,
    staff: &Staff<SeeTalkLine>,
    id: TalkDayId,
    body: &SignMinutes,
    now: Instant,
) -> Result<Minutes, Problem> {
    let day = minutes::open(tx, staff, id).await?;
    let row = minutes::locked(tx, id).await?.ok_or_else(Problem::not_found)?;
    let before = minutes::signatures(tx, row.id).await?;
    if row.published_at.is_some() || before.len() >= MOST {
        return Err(Code::TransitionNotAllowed.into());
    }
    if row.compiled_by == staff.id() {
        return Err(Code::WitnessCompiled.into());
    }
    if body.digest.to_ascii_lowercase() != row.digest {
        return Err(Code::Stale.into());
    }
    let (signer, pointer) = signer(tx, app, &day, body, now).await?;
    let name: PersonName =
        app.field_keys.open_if(signer.name.as_ref())?.ok_or_else(|| Problem::field(pointer, "no_name"))?;
    not_a_host(tx, &day, &signer, &name, pointer).await?;
    not_twice(tx, &before, &signer).await?;
    let signature = minutes_signature::ActiveModel {
        id: Set(MinutesSignatureId::fresh()),
        minutes_id: Set(row.id),
        person_id: Set(signer.id),
        name: Set(app.field_keys.close(&name)?),
        mark: Set(body.mark),
        reference: Set(body.reference.as_ref().map(|text| text.trim().to_owned())),
        digest: Set(row.digest.clone()),
        witnessed_by: Set(staff.id()),
        at: Set(now),
    };
    minutes_signature::Entity::insert(signature).exec_without_returning(tx).await.on_unique(Code::AlreadyExists)?;
    let (version, enough) = (row.version + 1, before.len() + 1 >= ENOUGH);
    let signed_at = row.signed_at.or(enough.then_some(now));
    let mut row = row.into_active_model();
    row.signed_at = Set(signed_at);
    row.version = Set(version);
    let row = row.update(tx).await?;
    notices::tell(tx, vec![minutes::telling(&day, signer.id, "talk_minutes_signed")], now).await?;
    let entry = Entry::done("sign_talk_minutes", "talk_day", id).of_fields(format!("person={}", signer.id));
    audit::record(tx, &app.field_keys, &Actor::staff(staff), entry, now).await?;
    Ok(Minutes { signatures: minutes::signatures(tx, row.id).await?, row })
}

/// Who signs, and the field that says so.
async fn signer(
    tx: &Tx,
    app: &App,
    day: &talk_day::Model,
    body: &SignMinutes,
    now: Instant,
) -> Result<(person::Model, &'static str), Problem> {
    if let Some(id) = body.person {
        if body.name.is_some() || body.phone.is_some() {
            let pointer = if body.name.is_some() { "/name" } else { "/phone" };
            return Err(Problem::field(pointer, "not_allowed_here"));
        }
        let known = person::Entity::find_by_id(id).filter(person::COLUMN.closed_at.is_null()).one(tx).await?;
        let known = known.ok_or_else(|| Problem::field("/person", "unknown"))?;
        return if belongs(tx, day, &known).await? {
            Ok((known, "/person"))
        } else {
            Err(Problem::field("/person", "unknown"))
        };
    }
    let said = |text: &Option<String>, pointer| text.clone().ok_or_else(|| Problem::field(pointer, "required"));
    let name = PersonName::read(&said(&body.name, "/name")?).ok_or_else(|| Problem::field("/name", "format"))?;
    let phone = PhoneNumber::read(&said(&body.phone, "/phone")?).ok_or_else(|| Problem::field("/phone", "format"))?;
    for known in people::known_by(tx, app, &name, &phone).await? {
        if belongs(tx, day, &known).await? {
            return Ok((known, "/name"));
        }
    }
    let place = divisions::find(tx, day.division_id).await?;
    if people::is_on_roster(tx, app, &place, &name, &phone).await? {
        return Ok((people::find_or_register(tx, app, &name, &phone, now).await?, "/name"));
    }
    Err(Problem::field("/name", "unknown"))
}

/// Whether somebody lives where the day is, or came to it.
async fn belongs(tx: &Tx, day: &talk_day::Model, who: &person::Model) -> Result<bool, Problem> {
    if let Some(village) = who.village_id
        && divisions::line_up(&divisions::find(tx, village).await?).contains(&Some(day.division_id))
    {
        return Ok(true);
    }
    let came = booking::Entity::find()
        .filter(booking::COLUMN.talk_day_id.eq(day.id))
        .filter(booking::COLUMN.person_id.eq(who.id))
        .filter(booking::COLUMN.live.eq(true));
    Ok(came.one(tx).await?.is_some())
}

/// As far as it is known: a host of the name, or one recorded as this very person.
async fn not_a_host(
    tx: &Tx,
    day: &talk_day::Model,
    who: &person::Model,
    name: &PersonName,
    pointer: &str,
) -> Result<(), Problem> {
    let hosts = minutes_document::hosts_of(tx, day).await?;
    // Written as people's names are: without the spaces that staff may have in theirs.
    let named = |host: &entity::staff::Model| {
        PersonName::read(&host.name).is_some_and(|host| host.in_the_clear() == name.in_the_clear())
    };
    let same = conflict::Entity::find()
        .filter(conflict::COLUMN.with_person_id.eq(who.id))
        .filter(conflict::COLUMN.kind.eq(ConflictKind::SamePerson))
        .filter(conflict::COLUMN.staff_id.is_in(hosts.iter().map(|host| host.id)));
    if hosts.iter().any(named) || same.one(tx).await?.is_some() {
        return Err(Problem::field(pointer, "host"));
    }
    Ok(())
}

/// Two rows of one name, of which no two phones say otherwise, are taken for one villager.
async fn not_twice(tx: &Tx, before: &[minutes_signature::Model], who: &person::Model) -> Result<(), Problem> {
    if before.is_empty() {
        return Ok(());
    }
    let others = person::Entity::find().filter(person::COLUMN.id.is_in(before.iter().map(|one| one.person_id)));
    let same = |other: &person::Model| {
        let differ = matches!((&other.phone_hash, &who.phone_hash), (Some(one), Some(two)) if one != two);
        other.id == who.id || (other.name_hash.is_some() && other.name_hash == who.name_hash && !differ)
    };
    if others.all(tx).await?.iter().any(same) { Err(Code::AlreadyExists.into()) } else { Ok(()) }
}
