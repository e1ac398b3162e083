//! What somebody agreed to, with the version of the text they saw; taking it back is as easy (个人信息保护法 14-16).

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use entity::{
    Instant, consent,
    id::{ConsentId, PersonId, StaffId},
    person,
    publication::PublicationEnd,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::LockType,
};

use crate::{
    app::App,
    crypto::FieldKeys,
    db::{Tx, padded},
    lists,
    people::reveal,
    personal::{PersonName, PhoneNumber},
    problem::{Code, Problem},
    publications,
};

/// The purpose by which a guardian agrees for a child.
pub const GUARDIAN: &str = "guardian";

/// The purpose by which papers of earlier cases may serve again.
pub const REUSE_PAPERS: &str = "reuse_papers";

/// The purpose by which what could make somebody known may be published; taking it back takes it down.
pub const PUBLICATION: &str = "publication";

/// A decision on one purpose.
pub struct Decision {
    /// A code of `consent_purposes`.
    pub purpose: String,
    /// Yes or no.
    pub granted: bool,
    /// Of the text that was shown.
    pub text_version: String,
    /// Who agrees for a child.
    pub guardian: Option<(PersonName, PhoneNumber)>,
}

/// Keeps a decision; older ones stay as history.
///
/// # Errors
/// `not_found` for an unknown purpose; `/guardian required` where a guardian must be named.
pub async fn decide(
    tx: &Tx,
    app: &App,
    person: PersonId,
    decision: Decision,
    by: Option<StaffId>,
    now: Instant,
) -> Result<consent::Model, Problem> {
    if !lists::knows("consent_purposes", &decision.purpose) {
        return Err(Problem::not_found());
    }
    if decision.purpose == GUARDIAN && decision.granted && by.is_none() {
        // A child cannot agree in its guardian's place: the guardian comes to the desk.
        return Err(Problem::field("/granted", "not_allowed_here"));
    }
    if decision.purpose == GUARDIAN && decision.granted && decision.guardian.is_none() {
        return Err(Problem::field("/guardian", "required"));
    }
    if decision.purpose == PUBLICATION {
        // Who publishes by this consent at the same time waits, or is waited for.
        person::Entity::find_by_id(person).lock(LockType::NoKeyUpdate).one(tx).await?;
        if !decision.granted {
            let because = PublicationEnd::ConsentWithdrawn;
            publications::person_ended(tx, &app.field_keys, person, because, now).await?;
        }
    }
    let (name, phone) = decision.guardian.unzip();
    let row = consent::ActiveModel {
        id: Set(ConsentId::fresh()),
        person_id: Set(person),
        purpose: Set(decision.purpose),
        granted: Set(decision.granted),
        text_version: Set(decision.text_version),
        guardian_name: Set(name.map(|name| app.field_keys.close(&name)).transpose()?),
        guardian_phone: Set(phone.map(|phone| app.field_keys.close(&phone)).transpose()?),
        recorded_by: Set(by),
        at: Set(now),
    };
    Ok(row.insert(tx).await?)
}

/// The decision that counts on each purpose that was ever decided.
pub async fn standing(db: &impl ConnectionTrait, person: PersonId) -> Result<Vec<consent::Model>, Problem> {
    let rows = consent::Entity::find()
        .filter(consent::COLUMN.person_id.eq(person))
        .order_by_desc(consent::Column::Id)
        .all(db)
        .await?;
    let mut latest: Vec<consent::Model> = Vec::new();
    for row in rows {
        if !latest.iter().any(|known| known.purpose == row.purpose) {
            latest.push(row);
        }
    }
    Ok(latest)
}

/// What somebody said last on a purpose: it counts.
pub async fn last_word(
    db: &impl ConnectionTrait,
    person: PersonId,
    purpose: &str,
) -> Result<Option<consent::Model>, Problem> {
    let said = consent::Entity::find()
        .filter(consent::COLUMN.person_id.eq(person))
        .filter(consent::COLUMN.purpose.eq(purpose));
    Ok(said.order_by_desc(consent::Column::Id).one(db).await?)
}

/// Whether somebody agrees to a purpose now.
pub async fn agreed(db: &impl ConnectionTrait, person: PersonId, purpose: &str) -> Result<bool, Problem> {
    Ok(last_word(db, person, purpose).await?.is_some_and(|row| row.granted))
}

/// Of whose matters nothing is published: children's (未成年人网络保护条例 36), and theirs who said so or are forgotten.
pub async fn unpublished(
    db: &impl ConnectionTrait,
    keys: &FieldKeys,
    people: &[PersonId],
    today: NaiveDate,
) -> Result<HashSet<PersonId>, Problem> {
    if people.is_empty() {
        return Ok(HashSet::new());
    }
    let minors = reveal::minors(db, keys, people.iter().copied().collect(), today).await?;
    let people = padded(people.iter().copied());
    let gone: Vec<PersonId> = person::Entity::find()
        .select_only()
        .column(person::Column::Id)
        .filter(person::COLUMN.id.is_in(people.clone()))
        .filter(person::COLUMN.closed_at.is_not_null())
        .into_tuple()
        .all(db)
        .await?;
    let mut unpublished: HashSet<PersonId> = gone.into_iter().collect();
    let said: Vec<(PersonId, bool)> = consent::Entity::find()
        .select_only()
        .columns([consent::Column::PersonId, consent::Column::Granted])
        .filter(consent::COLUMN.person_id.is_in(people))
        .filter(consent::COLUMN.purpose.eq(PUBLICATION))
        .order_by_asc(consent::Column::Id)
        .into_tuple()
        .all(db)
        .await?;
    let last: HashMap<PersonId, bool> = said.into_iter().collect();
    unpublished.extend(last.into_iter().filter(|(_, granted)| !granted).map(|(person, _)| person));
    unpublished.extend(minors);
    Ok(unpublished)
}

/// Lets a child act only when a guardian agreed. Callers ask for children only.
///
/// # Errors
/// `guardian_consent_required`.
pub async fn check_guardian(tx: &Tx, child: PersonId) -> Result<(), Problem> {
    let last = last_word(tx, child, GUARDIAN).await?;
    if last.is_some_and(|row| row.granted && row.recorded_by.is_some()) {
        Ok(())
    } else {
        Err(Code::GuardianConsentRequired.into())
    }
}
